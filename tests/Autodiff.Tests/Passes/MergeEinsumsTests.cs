using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Random;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Passes;

/// <summary>OPT-09: consecutive contractions become one, in the order that costs least.</summary>
public sealed class MergeEinsumsTests
{
    [Fact]
    public void AChainIsTakenInTheCheapestOrder()
    {
        var b = new GraphBuilder();
        var (x, y, z) = (b.Input("x", DType.Float64, 50, 40), b.Input("y", DType.Float64, 40, 50),
            b.Input("z", DType.Float64, 50, 2));
        b.Output("out", x.MatMul(y).MatMul(z));
        var graph = b.Build();

        var (merged, report) = MergeEinsums.Run(graph, 1);

        // (50·40·50 + 50·50·2) multiply-adds before; 40·50·2 + 50·40·2 when the small side comes first.
        Assert.Equal(new MergeReport(1, 2, 2 * (100_000 + 5_000), 2 * (4_000 + 4_000)), report);
        AssertSame(graph, merged, 1);
    }

    [Fact]
    public void WhatIsCheapAlready_OrIsReadTwice_StaysAsItIs()
    {
        var b = new GraphBuilder();
        var (x, y, z) = (b.Input("x", DType.Float64, 2, 40), b.Input("y", DType.Float64, 40, 50),
            b.Input("z", DType.Float64, 50, 40));
        b.Output("cheap", x.MatMul(y).MatMul(z));
        var shared = z.MatMul(y);
        b.Output("shared", shared);
        b.Output("late", shared.MatMul(b.Input("v", DType.Float64, 50, 1)));

        var (merged, report) = MergeEinsums.Run(b.Build(), 1);

        Assert.Equal(0, report.Chains);
        Assert.Equal(4, merged.Nodes.Count(n => n.Op == OpTable.MatMul));
    }

    [Fact]
    public void RowsOfABatchDecideToo()
    {
        var b = new GraphBuilder();
        var (x, u, v) = (b.Input("x", DType.Float32, Dim.Batch, 64), b.Parameter("u", ParameterInit.Normal(1), 64, 60),
            b.Parameter("v", ParameterInit.Normal(1), 60, 64));
        b.Output("out", Functions.Einsum("ni,ij->nj", x, Functions.Einsum("ik,kj->ij", u, v)));
        var graph = b.Build();

        // Few rows go through u and v one after the other; for many it pays to make u v once.
        Assert.Equal(1, MergeEinsums.Run(graph, 4).Report.Chains);
        Assert.Equal(0, MergeEinsums.Run(graph, 1_000).Report.Chains);
    }

    public static TheoryData<ulong> Seeds() => [.. Enumerable.Range(1, 40).Select(s => (ulong)s)];

    // Random trees of contractions: the value stays, the work does not grow.
    [Theory]
    [MemberData(nameof(Seeds))]
    public void RandomChains_KeepTheirValue(ulong seed)
    {
        var random = new RandomStream(seed, RandomPurpose.Mask, 3);
        var next = 0L;
        int Below(int limit) => (int)(random.Word(next++) % (uint)limit);
        var sizes = Enumerable.Range(0, 6).Select(_ => 1 + Below(5)).ToArray();
        var b = new GraphBuilder();
        var inputs = 0;
        (Value Value, string Letters) Leaf()
        {
            var letters = string.Concat("abcdef".OrderBy(_ => Below(1000)).Take(1 + Below(3)));
            return (b.Input($"x{inputs++}", DType.Float64, [.. letters.Select(c => new Dim(sizes[c - 'a']))]), letters);
        }

        (Value Value, string Letters) Tree(int depth)
        {
            if (depth == 0) return Leaf();
            var (l, r) = (Tree(depth - 1), Below(3) == 0 ? Leaf() : Tree(depth - 1));
            var kept = string.Concat((l.Letters + r.Letters).Distinct().Where(c => Below(3) > 0).Take(4));
            return (Functions.Einsum($"{l.Letters},{r.Letters}->{kept}", l.Value, r.Value), kept);
        }

        b.Output("out", Tree(3).Value);
        var graph = b.Build();

        var (merged, report) = MergeEinsums.Run(graph, 1);

        Assert.True(report.FlopsAfter <= report.FlopsBefore, $"{report}");
        AssertSame(graph, merged, seed);
    }

    private static void AssertSame(Graph graph, Graph merged, ulong seed)
    {
        GraphVerifier.Check(merged);
        var (before, after) = (Run(graph, seed), Run(merged, seed));
        Assert.Equal(before.Length, after.Length);
        for (var i = 0; i < before.Length; i++)
            Assert.Equal(before[i], after[i], 1e-10 * Math.Max(1, Math.Abs(before[i])));
    }

    private static double[] Run(Graph graph, ulong seed)
    {
        var bindings = new Dictionary<string, Variable>();
        foreach (var input in graph.Inputs)
        {
            var shape = input.Type.At(1);
            var values = new double[shape.Count];
            var stream = new RandomStream(seed, RandomPurpose.Mask, (ulong)input.Name[^1]);
            for (var i = 0; i < values.Length; i++) values[i] = stream.UniformDouble(i) - 0.5;
            bindings[input.Name] = new Variable(Tensor.Of<double>(values, shape));
        }

        return GraphRunner.Run(graph, bindings)["out"].Data.ToArray<double>();
    }
}
