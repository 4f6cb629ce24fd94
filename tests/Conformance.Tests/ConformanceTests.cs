using Convoy.Autodiff.Checking;
using Convoy.Autodiff.Checking.Samples;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Conformance.Tests;

/// <summary>
/// GIR-01, OPS-21: every operator of the table as a node of a graph that is sent, and as one that refuses wrong inputs.
/// </summary>
public sealed class ConformanceTests
{
    public static TheoryData<int, string> Cases() => Where(_ => true);

    [Fact]
    public void NamesAreUniqueAndFound()
    {
        Assert.Equal(OpTable.All.Length, OpTable.All.Select(o => o.Name).Distinct().Count());
        foreach (var op in OpTable.All) Assert.Same(op, OpTable.Find(op.Name));
        Assert.Null(OpTable.Find("no-such-operator"));
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void GraphNode_IsVerifiedSentAndRunWithTheSameBits(int index, string name)
    {
        var c = OpSamples.All[index];
        var builder = new GraphBuilder();
        var bindings = new Dictionary<string, Variable>();
        var inputs = new Value[c.Inputs.Length];
        for (var i = 0; i < inputs.Length; i++)
        {
            inputs[i] = builder.Input($"in{i}", c.Inputs[i].DType, c.Inputs[i].Type.Dims.AsSpan());
            bindings[$"in{i}"] = new Variable(c.Inputs[i]);
        }

        builder.Output("out", builder.Apply(c.Op, c.Attributes, inputs)[0]);
        var graph = GraphCodec.Decode(GraphCodec.Encode(builder.Build()));
        Assert.True(OpChecks.SameBits(c.Run(c.Inputs), GraphRunner.Run(graph, bindings)["out"].Data), name);
        TensorType[] types = [.. c.Inputs.Select(t => t.Type)];
        var cost = c.Op.Cost(c.Attributes, types, c.Op.Infer(c.Attributes, types), 1);
        Assert.True(cost is { Flops: >= 0, Bytes: >= 0 }, name);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void WrongInputs_AreRefusedByName(int index, string name)
    {
        var c = OpSamples.All[index];
        TensorType[] types = [.. c.Inputs.Select(t => t.Type)];
        TensorType[] more = [.. types, .. Enumerable.Repeat(new TensorType(DType.UInt8, 2), 4)];
        var refused = Assert.Throws<ShapeException>(() => c.Op.Infer(c.Attributes, more));
        Assert.Contains(c.Op.Name, refused.Message, StringComparison.Ordinal);
        if (types.Length == 0) return;
        types[0] = new TensorType(DType.UInt8, types[0].Dims.AsSpan());
        Op[] movers =
        [
            OpTable.Reshape, OpTable.Transpose, OpTable.BroadcastTo, OpTable.Slice, OpTable.Squeeze, OpTable.Unsqueeze,
            OpTable.Split, OpTable.Tile, OpTable.Meshgrid, OpTable.Permute,
        ];
        if (movers.Contains(c.Op)) Assert.NotNull(name);
        else Assert.Throws<ShapeException>(() => c.Op.Infer(c.Attributes, types));
    }

    private static TheoryData<int, string> Where(Func<OpSample, bool> wanted)
    {
        var data = new TheoryData<int, string>();
        for (var i = 0; i < OpSamples.All.Count; i++)
            if (wanted(OpSamples.All[i])) data.Add(i, OpSamples.All[i].Name);
        return data;
    }
}
