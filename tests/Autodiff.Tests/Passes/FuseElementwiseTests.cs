using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Models;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes;
using Convoy.Autodiff.Tensors;
using Convoy.Kernels;
using Convoy.Shared.Random;
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
    public void WhatIsReadElsewhere_OrIsAnOutput_StaysOutside()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float32, Dim.Batch, 6);
        var h = x.Tanh();
        b.Output("shown", h);
        b.Output("y", h.Square().Exp().MatMul(b.Parameter("w", ParameterInit.Normal(1), 6, 6)) + h);
        var (graph, report) = FuseElementwise.Run(b.Build(), 10);
        Assert.Equal((1, 2), (report.Groups, report.Operators));
        Assert.Contains(graph.Nodes, n => n.Op == OpTable.Tanh);
    }

    public static TheoryData<ulong> Seeds() => [.. Enumerable.Range(1, 40).Select(s => (ulong)s)];

    // Random trees with operands of every form, larger than several blocks, alone and by a team of threads.
    [Theory]
    [MemberData(nameof(Seeds))]
    public void RandomGraphs_KeepTheBits(ulong seed)
    {
        var rows = seed % 3 == 0 ? 700 : 5;
        var graph = RandomGraph(seed);
        var (plain, none) = Train(graph, rows, fuse: false, threads: 1);
        var (fused, report) = Train(graph, rows, fuse: true, threads: 1);
        Assert.Equal(0, none.Groups);
        Assert.True(report.Groups > 0, $"seed {seed}");
        Assert.Equal(plain, fused);
        Assert.Equal(plain, Train(graph, rows, fuse: true, threads: 3).Bits);
    }

    private static Graph RandomGraph(ulong seed)
    {
        var random = new RandomStream(seed, RandomPurpose.Mask, 0);
        var at = 0L;
        int Draw(int below) => (int)(random.Word(at++) % (uint)below);
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float32, Dim.Batch, 3, 8);
        var values = new List<Value> { x };
        Value Small(int i) => Draw(4) switch
        {
            0 => b.Parameter($"scalar{i}", ParameterInit.Normal(1), 1),
            1 => b.Parameter($"row{i}", ParameterInit.Normal(1), 8),
            2 => b.Parameter($"plane{i}", ParameterInit.Normal(1), 3, 8),
            _ => x.Slice(2, Draw(8), 1).Sum([1], keep: true),
        };
        for (var i = 0; i < 14; i++)
        {
            var a = values[^(1 + Draw(Math.Min(3, values.Count)))];
            var c = Draw(3) == 0 ? Small(i) : values[Draw(values.Count)];
            values.Add(Draw(9) switch
            {
                0 => a + c,
                1 => c - a,
                2 => a * c,
                3 => a.Tanh(),
                4 => a.Gelu(),
                5 => a.Sigmoid() * 1.5,
                6 => a.Maximum(c),
                7 => (a.Square() + 1).Sqrt(),
                _ => a / (c.Abs() + 1),
            });
        }

        var logits = values[^1].Reshape(new Dim(1, true), 24)
            .Linear(b.Parameter("head", ParameterInit.Normal(0.2), 5, 24));
        b.Classify(logits);
        return b.Build();
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
