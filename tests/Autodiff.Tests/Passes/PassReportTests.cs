using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Passes;

/// <summary>
/// OPT-01, OPT-05, OPT-15, GV-01: identities keep bits, passes report, an illegal result names its pass.
/// </summary>
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

    // OPT-01: verbose, and no more rounds than were asked for.
    [Fact]
    public void EachPass_IsToldAsItEnds()
    {
        var builder = new GraphBuilder();
        var x = builder.Input("x", DType.Float64, 2);
        builder.Output("y", -(-(x - 0)) * 1);
        var told = new List<PassReport>();
        var (small, reports) = PassPipeline.Settle(builder.Build(), PassPipeline.Simplifying, told: told.Add);
        Assert.Equal(reports, told);
        Assert.Equal((2 * PassPipeline.Simplifying.Count, 1), (told.Count, small.Nodes.Length));
        told.Clear();
        PassPipeline.Settle(builder.Build(), PassPipeline.Simplifying, roundsMax: 1, told.Add);
        Assert.Equal(PassPipeline.Simplifying.Count, told.Count);
    }

    // OPT-15: of each pass the bytes that it saves; OPT-01: what was fused.
    [Fact]
    public void EachPass_SaysWhatItSaves()
    {
        var builder = new GraphBuilder();
        var x = builder.Input("x", DType.Float32, 4, 8);
        _ = x.Tanh(); // nobody reads it
        var twice = x.Exp() + x.Exp();
        var bias = builder.Input("b", DType.Float32, 8);
        builder.Output("y", (twice.Linear(builder.Input("w", DType.Float32, 8, 8)) + bias).Relu());
        var reports = PassPipeline.Run(builder.Build(), PassPipeline.Preparing).Reports;
        PassReport Of(string pass) => reports.Single(r => r.Pass == pass);
        const int Value = 4 * 8 * sizeof(float);
        Assert.Equal(2 * Value, Of("common subexpressions").BytesSaved); // an exp reads x and writes itself
        Assert.Equal(2 * Value, Of("dead code").BytesSaved);
        Assert.Equal((1, 1), (Of("fuse bias").OperatorsFused, Of("fuse activations").OperatorsFused));
        Assert.Equal(2 * Value, Of("fuse activations").BytesSaved); // written once, not written, read and written
        Assert.Equal(0, Of("dead code").OperatorsFused);
    }

    [Fact]
    public void PassesAreChosenByName_AndRunUntilNothingIsLeft()
    {
        var builder = new GraphBuilder();
        var x = builder.Input("x", DType.Float64, 2, 3);
        // Equal operands of a maximum are one value only after common subexpressions, which then is an identity.
        builder.Output("y", (x.Exp() - 0).Maximum(x.Exp()).Tanh());
        var passes = PassPipeline.Named("identities", "common subexpressions", "dead code");
        var (graph, reports) = PassPipeline.Settle(builder.Build(), passes);
        Assert.Equal(["x", "exp", "tanh"], graph.Nodes.Select(n => n.Op == OpTable.Input ? "x" : n.Op.Name));
        Assert.Equal(9, reports.Count);
        Assert.Equal((2.0 / 7, 1.0 / 5), (reports[0].Reduction, reports[1].Reduction));
        Assert.All(reports.Skip(6), r => Assert.Equal(0, r.Reduction));
        Assert.Equal(3, PassPipeline.Settle(builder.Build(), passes, 1).Reports.Count);
        var unknown = Assert.Throws<GraphException>(() => PassPipeline.Named("identity"));
        Assert.Equal("there is no pass \"identity\"; there are fuse bias, fuse activations, fold constants, identities, "
            + "reorder operators, common subexpressions, dead code", unknown.Message);
    }

    private static long[] Bits(Variable v) => [.. v.Data.ToArray<double>().Select(BitConverter.DoubleToInt64Bits)];
}
