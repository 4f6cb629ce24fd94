using Convoy.Autodiff.Checking.Samples;
using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Tests.Errors;

/// <summary>ERR-01: an attribute that an operator does not have is not passed over.</summary>
public sealed class AttributeErrorTests
{
    private static Attributes Slipped(OpSample sample) => sample.Attributes.With("axess", 1);

    private static string Rule(Op op) => $"{op.Name}: there is no attribute \"axess\": it has "
        + (op.Settings.Length == 0 ? "none" : op.Settings.Replace(" ", ", ", StringComparison.Ordinal));

    [Fact]
    public void EveryOperator_RefusesAnAttributeThatItDoesNotHave_ByName()
    {
        foreach (var sample in OpSamples.All)
        {
            Value[] inputs = [.. sample.Inputs.Select(t => new Variable(t))];
            var refused = Assert.Throws<ShapeException>(
                () => EagerBuilder.Instance.Apply(sample.Op, Slipped(sample), inputs));
            Assert.StartsWith(Rule(sample.Op), refused.Message, StringComparison.Ordinal);
        }

        // What has no samples: leaves of graphs.
        foreach (var op in (Op[])[OpTable.Input, OpTable.Parameter])
            Assert.Throws<ShapeException>(() => op.RequireKnown(Attributes.Of("axess", 1)));
    }

    [Fact]
    public void AGraphWithAnUnknownAttribute_IsRefused_WithItsNode()
    {
        var b = new GraphBuilder();
        b.Output("y", b.Input("x", Convoy.Shared.Tensors.DType.Float64, 2, 3).Sum([1]));
        var graph = b.Build();
        GraphNode[] nodes = [.. graph.Nodes];
        nodes[1] = nodes[1] with { Attributes = nodes[1].Attributes.With("axess", 1) };
        Assert.Equal($"GV-3 {nodes[1].Name}: {Rule(OpTable.Sum)}",
            GraphVerifier.FirstFault(new Graph([.. nodes], graph.Outputs)));
    }

    [Fact]
    public void AnUnknownAttribute_InPlace_WritesNothing()
    {
        var (x, executor) = (Tensor.Of([1.0, -2], 2), new InPlaceExecutor());
        var refused = Assert.Throws<ShapeException>(
            () => executor.Run(OpTable.LeakyRelu, Attributes.Of("negative_slope", 0.5), x));
        Assert.Equal(
            "leaky-relu: there is no attribute \"negative_slope\": it has slope, kink", refused.Message);
        executor.Run(OpTable.LeakyRelu, Attributes.Of("slope", 0.5), x);
        Assert.Equal([1, -1], x.ToArray<double>());
    }
}
