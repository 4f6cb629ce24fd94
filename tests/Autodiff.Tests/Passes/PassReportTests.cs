using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Passes;

/// <summary>OPT-01..08, GV-01: identities keep bits, passes report, an illegal result names its pass.</summary>
public sealed class PassReportTests
{
    [Fact]
    public void Identities_LeaveNothing_AndKeepBits()
    {
        var builder = new GraphBuilder();
        var x = builder.Input("x", DType.Float64, 2, 3);
        var y = -(-((x - 0) / 1 * 1)).Transpose().Transpose().Reshape(3, 2).Reshape(2, 3).Flip(1).Flip(1);
        builder.Output("y", -y);
        var graph = builder.Build();
        var (small, reports) =
            PassPipeline.Run(graph,
                [.. PassPipeline.Simplifying, .. PassPipeline.Simplifying, .. PassPipeline.Simplifying]);
        Assert.True(small.Nodes.Length <= 2, GraphPrinter.Text(small));
        Assert.True(reports[^1].NodesAfter < reports[0].NodesBefore);
        var bindings = new Dictionary<string,
            Variable>
        { ["x"] = new(Tensor.Of([-0.0, 1, 2, -3, double.NaN, 5], 2, 3)) };
        Assert.Equal(Bits(GraphRunner.Run(graph, bindings)["y"]), Bits(GraphRunner.Run(small, bindings)["y"]));
    }

    [Fact]
    public void IllegalResult_NamesThePass()
    {
        var builder = new GraphBuilder();
        builder.Output("y", builder.Input("x", DType.Float64, 2).Exp());
        var broken = new GraphPass("break it", g => new Graph([.. g.Nodes.Reverse()], g.Outputs));
        var fault = Assert.Throws<GraphException>(() => PassPipeline.Run(builder.Build(), [broken]));
        Assert.Contains("break it", fault.Message, StringComparison.Ordinal);
    }

    private static long[] Bits(Variable v) => [.. v.Data.ToArray<double>().Select(BitConverter.DoubleToInt64Bits)];
}
