using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes;
using Convoy.Autodiff.Tensors;
using Convoy.Autodiff.Tests.Laws;
using Convoy.Kernels;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Passes;

/// <summary>OPT-07..10: trees of element-wise operators run as one, with the bits of the single operators.</summary>
public sealed class FuseElementwiseTests
{
    [Fact]
    public void ATree_BecomesOneOperator()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float32, Dim.Batch, 6);
        var row = b.Parameter("row", ParameterInit.Normal(1), 6);
        var h = (x * row) + 0.5;
        b.Output("y", (h.Tanh() * h) - (x / (x.Abs() + 1)).Sigmoid());
        var (graph, report) = FuseElementwise.Run(b.Build(), 10);
        var node = Assert.Single(graph.Nodes, n => n.Op is FusedOp);
        Assert.DoesNotContain(graph.Nodes, n => n.Op is IBlockwise);
        Assert.Equal(new FusionReport(1, 9, 10 * 6 * 4 * 17), report);
        Assert.Equal("multiply", ((FusedOp)node.Op).Program.Text.Split('+')[0]);
    }

    [Fact]
    public void WhatIsReadAfterTheGroup_IsAFurtherResult()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float32, Dim.Batch, 6);
        var h = x.Tanh();
        b.Output("shown", h);
        b.Output("y", h.Square().Exp().MatMul(b.Parameter("w", ParameterInit.Normal(1), 6, 6)) + h);
        var (graph, report) = FuseElementwise.Run(b.Build(), 10);
        // tanh is written and its one reader inside finds it in cache; square is neither written nor read.
        Assert.Equal(new FusionReport(1, 3, 10 * 6 * 4 * 3), report);
        var node = Assert.Single(graph.Nodes, n => n.Op is FusedOp);
        Assert.Equal(2, node.Types.Length);
        Assert.Equal(new ValueRef(node.Id, 1), graph.Output("shown"));
        Assert.Equal(new ValueRef(node.Id, 1), graph.Nodes[^1].Inputs[1]);
    }

    [Fact]
    public void WhatIsReadBeforeTheGroupEnds_StaysOutside()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float32, Dim.Batch, 6);
        var h = x.Tanh();
        // The sum reads h and is an operand of the group: together they would need themselves.
        b.Output("y", h.Exp() * h.Sum([1], keep: true));
        var (graph, report) = FuseElementwise.Run(b.Build(), 10);
        Assert.Equal((1, 2), (report.Groups, report.Operators));
        Assert.Contains(graph.Nodes, n => n.Op == OpTable.Tanh);
    }

    [Fact]
    public void ChoicesAndBounds_AreSteps()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float32, Dim.Batch, 6);
        var y = b.Input("y", DType.Float32, Dim.Batch, 6);
        b.Output("z", x.Less(y).Where(x.Clamp(-1, 1), b.Parameter("row", ParameterInit.Normal(1), 6)) * y);
        var (graph, report) = FuseElementwise.Run(b.Build(), 10);
        Assert.Equal((1, 4), (report.Groups, report.Operators));
        Assert.Equal(4, graph.Nodes.Length);
    }

    // Operands of every form, more elements than several blocks, alone and by a team of threads.
    [Fact]
    public void RandomModels_KeepTheBits()
    {
        var groups = 0;
        Generators.Holds(Recipe.All, recipe =>
        {
            var rows = recipe.Steps.Length % 3 == 0 ? 700 : 5;
            var graph = recipe.Model(DType.Float32);
            var (plain, none) = Train(graph, rows, fuse: false, threads: 1);
            var (fused, report) = Train(graph, rows, fuse: true, threads: 1);
            groups += report.Groups;
            return none.Groups == 0 && plain.AsSpan().SequenceEqual(fused)
                && plain.AsSpan().SequenceEqual(Train(graph, rows, fuse: true, threads: 3).Bits);
        }, 40);
        Assert.True(groups > 40, $"{groups} groups");
    }

    private static (int[] Bits, FusionReport Fusion) Train(Graph graph, int rows, bool fuse, int threads)
    {
        using var team = new ThreadTeam(threads);
        using var together = team.Enter();
        using var program = TrainProgram.Compile(graph, rows, new CompileOptions { FuseElementwise = fuse });
        var batch = program.CreateBatch(rows);
        SmallModels.Fill(batch, 0, rows, 5);
        var weights = new float[program.Layout.TotalLength];
        program.Initialize(4, weights);
        Memory<float>[] gradient = [new float[weights.Length]];
        var loss = new double[1];
        program.Run(batch, StepSlices.Single(rows), 1, weights, gradient, loss, null);
        int[] bits =
        [
            BitConverter.SingleToInt32Bits((float)loss[0]),
            .. gradient[0].ToArray().Select(BitConverter.SingleToInt32Bits),
        ];
        return (bits, program.Report.Fusion);
    }
}
