using Convoy.Autodiff.Checking;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Conformance.Tests;

/// <summary>OPS-01 to OPS-13, GV-01, TEST-01. Generated from the table of operators: each has all of these tests, or the first one fails.</summary>
public sealed class ConformanceTests
{
    public static TheoryData<int, string> Cases() => Where(_ => true);
    public static TheoryData<int, string> SmoothCases() => Where(c => c.IsSmooth && c.Inputs.Length > 0);
    public static TheoryData<int, string> TwiceSmoothCases() =>
        Where(c => c.IsSmooth && c.HasSecondDerivative && c.Inputs.Length > 0);
    public static TheoryData<int, string> ReferenceCases() => Where(c => c.Reference is not null);

    [Fact]
    public void EveryOperatorHasACase()
    {
        foreach (var op in OpTable.All)
        {
            if (op == OpTable.Input || op == OpTable.Parameter) continue;
            var cases = OpCases.All.Where(c => c.Op == op).ToList();
            Assert.True(cases.Count > 0, $"{op.Name} has no case in OpCases");
            var isGolden = GoldenOps.All.Values.Any(g => g.Op == op);
            var isProven = cases.Any(c => c.Reference is not null || c.GradientOf is not null);
            Assert.True(isGolden || isProven, $"{op.Name} is compared with no figure and no reference");
            Assert.True(op.Sharding.Length > 0, $"{op.Name} has no sharding rule");
        }
    }

    [Fact]
    public void NamesAreUniqueAndFound()
    {
        Assert.Equal(OpTable.All.Length, OpTable.All.Select(o => o.Name).Distinct().Count());
        foreach (var op in OpTable.All) Assert.Same(op, OpTable.Find(op.Name));
        Assert.Null(OpTable.Find("no-such-operator"));
    }

    [Theory]
    [MemberData(nameof(ReferenceCases))]
    public void Forward_IsTheReference(int index, string name)
    {
        var c = OpCases.All[index];
        Assert.True(c.Reference!().AsSpan().SequenceEqual(c.Run(c.Inputs).ToArray<double>()), name);
    }

    [Theory]
    [MemberData(nameof(SmoothCases))]
    public void Gradient_IsTheFiniteDifference(int index, string name)
    {
        var c = OpCases.All[index];
        foreach (var result in GradCheck.Run(c.Apply, c.Inputs))
            Assert.True(GradCheck.Passes(result), $"{name}: {result}");
    }

    [Theory]
    [MemberData(nameof(TwiceSmoothCases))]
    public void SecondGradient_IsTheFiniteDifference(int index, string name)
    {
        var c = OpCases.All[index];
        Variable First(Variable[] inputs)
        {
            Variable[] free = [.. inputs.Select(v => v.Data.DType == DType.Float64 && !v.RequiresGradient ? Tracked(v) : v)];
            var output = c.Apply(free);
            Variable[] wanted = [.. free.Where(v => v.RequiresGradient)];
            var gradients = Differentiate.Gradient([output], wanted, [Seed(output)], createGraph: true);
            Value[] flat = [.. gradients.Select(g => g.Reshape((int)g.Data.Count))];
            return (Variable)(flat.Length == 1 ? flat[0] : Functions.Concat(0, flat));
        }

        foreach (var result in GradCheck.Run(First, c.Inputs, new GradCheckOptions(RelativeTolerance: 5e-6)))
            Assert.True(GradCheck.Passes(result, new GradCheckOptions(RelativeTolerance: 5e-6)), $"{name}: {result}");
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void Float32_IsNearFloat64(int index, string name)
    {
        var c = OpCases.All[index];
        var exact = c.Run(c.Inputs).Cast(DType.Float64).ToArray<double>();
        var narrow = c.InFloat32();
        var values = narrow.Run(narrow.Inputs).Cast(DType.Float64).ToArray<double>();
        for (var i = 0; i < exact.Length; i++)
        {
            var limit = c.FloatTolerance * Math.Max(1, Math.Abs(exact[i]));
            Assert.True(Math.Abs(exact[i] - values[i]) <= limit, $"{name}[{i}]: {values[i]}, in float64 {exact[i]}");
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void StridedViews_GiveTheBitsOfContiguousTensors(int index, string name)
    {
        foreach (var c in new[] { OpCases.All[index], OpCases.All[index].InFloat32() })
        {
            Tensor[] views = [.. c.Inputs.Select(Strided)];
            Assert.True(SameBits(c.Run(c.Inputs), c.Run(views)), name);
        }
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void GraphNode_IsVerifiedSentAndRunWithTheSameBits(int index, string name)
    {
        var c = OpCases.All[index];
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
        Assert.True(SameBits(c.Run(c.Inputs), GraphRunner.Run(graph, bindings)["out"].Data), name);
        var node = graph.Nodes[^1];
        var cost = c.Op.Cost(node.Attributes, [.. node.Inputs.Select(graph.TypeOf)], [.. node.Types], 1);
        Assert.True(cost is { Flops: >= 0, Bytes: >= 0 }, name);
    }

    [Theory]
    [MemberData(nameof(Cases))]
    public void WrongInputs_AreRefusedByName(int index, string name)
    {
        var c = OpCases.All[index];
        TensorType[] types = [.. c.Inputs.Select(t => t.Type)];
        TensorType[] more = [.. types, .. Enumerable.Repeat(new TensorType(DType.UInt8, 2), 4)];
        var refused = Assert.Throws<ShapeException>(() => c.Op.Infer(c.Attributes, more));
        Assert.Contains(c.Op.Name, refused.Message, StringComparison.Ordinal);
        if (types.Length == 0) return;
        types[0] = new TensorType(DType.UInt8, types[0].Dims.AsSpan());
        var moves = c.Op == OpTable.Reshape || c.Op == OpTable.Transpose || c.Op == OpTable.BroadcastTo || c.Op == OpTable.Slice;
        if (moves) Assert.NotNull(name);
        else Assert.Throws<ShapeException>(() => c.Op.Infer(c.Attributes, types));
    }

    internal static bool SameBits(Tensor a, Tensor b)
    {
        if (a.Shape != b.Shape || a.DType != b.DType) return false;
        return a.DType switch
        {
            DType.Float32 => a.ToArray<float>().Select(BitConverter.SingleToInt32Bits)
                .SequenceEqual(b.ToArray<float>().Select(BitConverter.SingleToInt32Bits)),
            DType.Float64 => a.ToArray<double>().Select(BitConverter.DoubleToInt64Bits)
                .SequenceEqual(b.ToArray<double>().Select(BitConverter.DoubleToInt64Bits)),
            _ => a.ToArray<int>().AsSpan().SequenceEqual(b.ToArray<int>()),
        };
    }

    // The same elements in memory that is turned around and has gaps.
    private static Tensor Strided(Tensor tensor)
    {
        if (tensor.Rank == 0) return tensor;
        int[] reversed = [.. Enumerable.Range(0, tensor.Rank).Reverse()];
        int[] dims = [.. tensor.Transpose(reversed).Shape.Dims.ToArray()];
        dims[^1] = (dims[^1] * 2) + 1;
        var roomy = Tensor.Full(tensor.DType, 77, new Shape(dims));
        var specs = new SliceSpec[dims.Length];
        Array.Fill(specs, SliceSpec.All);
        specs[^1] = SliceSpec.Range(1, ^0, 2);
        var view = roomy.Slice(specs).Transpose(reversed);
        view.CopyFrom(tensor);
        return view;
    }

    private static Variable Tracked(Variable variable) => new(variable.Data, requiresGradient: true);

    private static Variable Seed(Variable output)
    {
        var seed = Tensor.Empty(DType.Float64, output.Data.Shape);
        var values = seed.Writable<double>();
        for (var i = 0; i < values.Length; i++) values[i] = 0.7 - (0.3 * (i % 4));
        return new Variable(seed);
    }

    private static TheoryData<int, string> Where(Func<OpCase, bool> wanted)
    {
        var data = new TheoryData<int, string>();
        for (var i = 0; i < OpCases.All.Count; i++)
            if (wanted(OpCases.All[i])) data.Add(i, OpCases.All[i].Name);
        return data;
    }
}
