using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes;
using Convoy.Autodiff.Tensors;
using Convoy.Kernels;
using Convoy.Shared.Random;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Execution;

/// <summary>PAR-01, PAR-04: branches of a graph at the same time, in any schedule, forward and backward.</summary>
public sealed class GraphExecutorTests
{
    private const int Rows = 64;

    public static TheoryData<ExecutionSchedule, int> Runs()
    {
        var runs = new TheoryData<ExecutionSchedule, int>();
        foreach (var schedule in Enum.GetValues<ExecutionSchedule>())
            foreach (var threads in (int[])[1, 2, 4]) runs.Add(schedule, threads);
        return runs;
    }

    [Theory]
    [MemberData(nameof(Runs))]
    public void EverySchedule_HasTheSameBits_ForwardAndBackward(ExecutionSchedule schedule, int threads)
    {
        var graph = PassPipeline.Training(Branches(5));
        Assert.Contains(graph.Outputs, o => o.Name.StartsWith(GradientGraph.Prefix, StringComparison.Ordinal));
        var bindings = Bindings(graph);
        var expected = Bits(new GraphExecutor(
            graph, Rows, new ExecutorOptions { Schedule = ExecutionSchedule.Sequential }).Run(bindings));
        using var team = new ThreadTeam(threads);
        using var together = team.Enter();
        var executor = new GraphExecutor(graph, Rows, new ExecutorOptions { Schedule = schedule });
        for (var run = 0; run < 5; run++) Assert.Equal(expected, Bits(executor.Run(bindings)));

        var isParallel = schedule is ExecutionSchedule.Parallel or ExecutionSchedule.CostBased
            or ExecutionSchedule.WorkStealing;
        Assert.Equal(isParallel && threads > 1, executor.Statistics.ParallelNodes > 0);
        var computed = graph.Nodes.Count(n => n.Op != OpTable.Input && n.Op != OpTable.Parameter);
        Assert.Equal(5 * computed, executor.Statistics.ParallelNodes + executor.Statistics.SequentialNodes);
    }

    // PAR-02: whoever steals from whom, every bit is the same, and the balance counts every node once.
    [Theory]
    [InlineData(VictimSelection.Random)]
    [InlineData(VictimSelection.MostLoaded)]
    [InlineData(VictimSelection.LeastRecentlyUsed)]
    [InlineData(VictimSelection.RoundRobin)]
    public void EveryVictim_HasTheSameBits(VictimSelection victims)
    {
        var graph = PassPipeline.Training(Branches(6));
        var bindings = Bindings(graph);
        var expected = Bits(new GraphExecutor(
            graph, Rows, new ExecutorOptions { Schedule = ExecutionSchedule.Sequential }).Run(bindings));
        using var team = new ThreadTeam(3);
        using var together = team.Enter();
        var executor = new GraphExecutor(graph, Rows, new ExecutorOptions
        {
            Schedule = ExecutionSchedule.WorkStealing, Victims = victims, Seed = 5,
            Priorities = new Dictionary<string, long> { [graph.Nodes[^1].Name] = 1L << 40 },
        });
        for (var run = 0; run < 4; run++) Assert.Equal(expected, Bits(executor.Run(bindings)));

        var balance = executor.Balance;
        Assert.Equal(3, balance.Workers.Count);
        Assert.Equal(executor.Statistics.ParallelNodes, balance.Workers.Sum(w => w.Tasks));
        Assert.InRange(balance.Imbalance, 1, 3);
    }

    [Fact]
    public void SmallLevels_RunOneAfterTheOther()
    {
        var graph = Branches(3);
        using var team = new ThreadTeam(2);
        using var together = team.Enter();
        long Parallel(ExecutorOptions options)
        {
            var executor = new GraphExecutor(graph, Rows, options);
            executor.Run(Bindings(graph));
            return executor.Statistics.ParallelNodes;
        }

        Assert.True(Parallel(new ExecutorOptions()) > 0);
        Assert.Equal(0, Parallel(new ExecutorOptions { ParallelNodesMin = 100 }));
        Assert.Equal(0, Parallel(new ExecutorOptions { ParallelFlopsMin = long.MaxValue }));
    }

    [Fact]
    public void TheFrugalOrder_KeepsFewBytesAlive()
    {
        // All wide values first, then their sums: in this order all of them live at once.
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float32, Dim.Batch, 256);
        Value[] wide = [.. Enumerable.Range(0, 8).Select(i => x * (i + 1.0))];
        Value[] sums = [.. wide.Select(w => w.Sum([1]))];
        b.Output("y", sums.Aggregate((p, q) => p + q));
        var graph = b.Build();
        var bindings = Bindings(graph);
        (long Peak, int[] Bits) Of(ExecutionSchedule schedule)
        {
            var executor = new GraphExecutor(graph, Rows, new ExecutorOptions { Schedule = schedule });
            var bits = Bits(executor.Run(bindings));
            return (executor.Statistics.PeakBytes, bits);
        }

        var (frugal, plain) = (Of(ExecutionSchedule.MemoryFrugal), Of(ExecutionSchedule.Sequential));
        Assert.Equal(plain.Bits, frugal.Bits);
        Assert.True(frugal.Peak < plain.Peak / 4, $"{frugal.Peak} of {plain.Peak} bytes");
    }

    [Fact]
    public void WhatIsNotBound_OrHasAnotherShape_IsOneLine()
    {
        var graph = Branches(2);
        var executor = new GraphExecutor(graph, Rows);
        var bindings = Bindings(graph);
        Assert.Contains("input x is", Assert.Throws<GraphException>(() => Misfit(executor, bindings)).Message,
            StringComparison.Ordinal);
        bindings.Remove("w0");
        Assert.Contains("w0 is not bound", Assert.Throws<GraphException>(() => executor.Run(bindings)).Message,
            StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(ExecutionSchedule.CostBased)]
    [InlineData(ExecutionSchedule.WorkStealing)]
    public void AFailure_EndsTheOthers_AndReachesTheCaller(ExecutionSchedule schedule)
    {
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float32, Dim.Batch, 16);
        var y = b.Parameter("table", ParameterInit.Normal(1), 4, 16).Embedding(b.Input("ids", DType.Int32, Dim.Batch));
        for (var i = 0; i < 3; i++) y += x.MatMul(b.Parameter($"w{i}", ParameterInit.Normal(1), 16, 16));
        b.Output("y", y);
        var graph = b.Build();
        var bindings = Bindings(graph);
        // No row of the table has this number.
        bindings["ids"] = Tensor.Of(Enumerable.Repeat(99, Rows).ToArray(), Rows);
        using var team = new ThreadTeam(3);
        using var together = team.Enter();
        var executor = new GraphExecutor(
            graph, Rows, new ExecutorOptions { Schedule = schedule, ParallelFlopsMin = 0 });
        Assert.Throws<AggregateException>(() => executor.Run(bindings));
    }

    private static void Misfit(GraphExecutor executor, Dictionary<string, Tensor> bindings) =>
        executor.Run(new Dictionary<string, Tensor>(bindings, StringComparer.Ordinal)
        {
            ["x"] = Tensor.Ones(DType.Float32, 3, 16),
        });

    // Branches of different work that meet, as in a network of several towers.
    private static Graph Branches(int count)
    {
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float32, Dim.Batch, 16);
        Value? sum = null;
        for (var i = 0; i < count; i++)
        {
            var h = x.MatMul(b.Parameter($"w{i}", ParameterInit.Normal(1), 16, 32 * (i + 1))).Tanh();
            var y = h.MatMul(b.Parameter($"v{i}", ParameterInit.Normal(1), 32 * (i + 1), 8)).Sigmoid();
            sum = sum is null ? y : sum + y;
        }

        b.Output("loss_sum", sum!.Square().Sum());
        return b.Build();
    }

    private static Dictionary<string, Tensor> Bindings(Graph graph)
    {
        var bindings = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var node in graph.Inputs.Concat(graph.Parameters).Where(n => n.Type.DType == DType.Float32))
        {
            var values = new float[node.Type.CountAt(Rows)];
            new RandomStream(3, RandomPurpose.Mask, (ulong)node.Id).FillUniform(values, 0, -1, 1);
            bindings[node.Name] = Tensor.Of<float>(values, node.Type.At(Rows));
        }

        return bindings;
    }

    private static int[] Bits(IReadOnlyDictionary<string, Tensor> outputs) =>
        [.. outputs.OrderBy(o => o.Key, StringComparer.Ordinal)
            .SelectMany(o => o.Value.ToArray<float>()).Select(BitConverter.SingleToInt32Bits)];
}
