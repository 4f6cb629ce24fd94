using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Kernels;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Tensors;

/// <summary>MEM-02: five strategies behind one pool, for eager tensors and for the executor of graphs.</summary>
public sealed class BufferStrategyTests
{
    public static TheoryData<BufferStrategy> All() => [.. Enum.GetValues<BufferStrategy>()];

    [Theory]
    [MemberData(nameof(All))]
    public void EveryStrategy_TrainsTheSame_AndGivesEverythingBack(BufferStrategy strategy)
    {
        float[] Train(BufferPool? pool)
        {
            var w = new Variable(Tensor.Of([0.5f, -1, 2, 0.25f], 2, 2), requiresGradient: true);
            for (var step = 0; step < 6; step++)
            {
                using var scope = pool?.Enter();
                ((Variable)new Variable(Tensor.Ones(DType.Float32, 30, 2)).MatMul(w).Tanh().Sum()).Backward();
            }

            return w.Gradient!.ToArray<float>();
        }

        // Hybrid with both kinds: products of 30 x 2 are large here.
        var pool = New(strategy) with { DirectFromBytes = 100 };
        var buffers = new BufferPool(pool);
        Assert.Equal(Train(null), Train(buffers));
        var statistics = buffers.Statistics;
        Assert.Equal(0, statistics.RentedBytes);
        Assert.True(statistics.HighWaterBytes > 240, $"{statistics}");
        Assert.Equal(strategy is BufferStrategy.Pooled or BufferStrategy.Hybrid or BufferStrategy.Stack,
            statistics.Reuses > 0);
        Assert.Equal(strategy is BufferStrategy.Pooled or BufferStrategy.Hybrid or BufferStrategy.Stack,
            statistics.HeldBytes > 0);
        buffers.Trim();
        Assert.Equal(0, buffers.Statistics.HeldBytes);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void ABuffer_IsZeroAndAligned_AndGoneAfterItsScope(BufferStrategy strategy)
    {
        var pool = new BufferPool(New(strategy) with { AlignmentBytes = 256, DirectFromBytes = 1_000 });
        Tensor lost = null!, kept = null!;
        for (var round = 0; round < 3; round++)
        {
            using var scope = pool.Enter();
            foreach (var size in (int[])[7, 300])
            {
                var tensor = Tensor.Zeros(DType.Float32, size);
                Assert.All(tensor.ToArray<float>(), v => Assert.Equal(0, v));
                Assert.Equal(0, AddressOf(tensor) % 256);
                tensor.Raw<float>().Fill(9);
                (lost, kept) = (tensor, size == 7 && round == 0 ? BufferScope.Keep(tensor) : kept);
            }
        }

        Assert.Throws<InvalidOperationException>(() => lost.ToArray<float>());
        Assert.All(kept.ToArray<float>(), v => Assert.Equal(9, v));
        Assert.Equal(0, pool.Statistics.RentedBytes);
        Assert.Equal(1, pool.Analyze().Kept);
    }

    [Theory]
    [MemberData(nameof(All))]
    public void TheExecutor_TakesResultsFromThePool_WithTheSameBits(BufferStrategy strategy)
    {
        var graph = PassPipeline.Training(TwoTowers());
        var bindings = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var node in graph.Inputs.Concat(graph.Parameters))
            bindings[node.Name] = Tensor.Full(node.Type.DType, 0.25, node.Type.At(16));
        using var team = new ThreadTeam(2);
        using var together = team.Enter();
        foreach (var schedule in Enum.GetValues<ExecutionSchedule>())
        {
            var options = new ExecutorOptions { Schedule = schedule, ParallelFlopsMin = 0 };
            var pool = new BufferPool(New(strategy));
            var expected = new GraphExecutor(graph, 16, options).Run(bindings);
            var executor = new GraphExecutor(graph, 16, options with { Buffers = pool });
            for (var run = 0; run < 3; run++)
            {
                var outputs = executor.Run(bindings);
                foreach (var (name, tensor) in expected)
                    Assert.Equal(tensor.ToArray<float>(), outputs[name].ToArray<float>());
            }

            var statistics = pool.Statistics;
            Assert.True(statistics.Allocations + statistics.Reuses >= 3 * 8, $"{statistics}");
            Assert.Equal(0, statistics.RentedBytes);
            Assert.Equal(3, pool.Analyze().Scopes);
        }
    }

    [Fact]
    public void TheExecutor_GivesBackWhatNobodyReads_WhileItRuns()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float32, Dim.Batch, 1_000);
        var y = x.Exp();
        for (var i = 0; i < 10; i++) y = y.Tanh();
        b.Output("y", y);
        var pool = new BufferPool(new BufferOptions { Strategy = BufferStrategy.Direct });
        new GraphExecutor(b.Build(), 4, new ExecutorOptions
        {
            Schedule = ExecutionSchedule.Sequential, Buffers = pool,
        }).Run(new Dictionary<string, Tensor> { ["x"] = Tensor.Ones(DType.Float32, 4, 1_000) });
        Assert.Equal(11, pool.Statistics.Allocations);
        Assert.Equal(2 * 16_000, pool.Statistics.HighWaterBytes);
    }

    [Fact]
    public void AStack_TakesAScopeBackAtOnce_AndGrowsNowhere()
    {
        var pool = new BufferPool(new BufferOptions { Strategy = BufferStrategy.Stack, StackBytes = 1_024 });
        using (pool.Enter())
        {
            var outer = Filled(100, 1);
            using (pool.Enter()) Filled(100, 2);
            // Where the inner scope was; and what is too large for the rest.
            var (again, large) = (Tensor.Zeros(DType.Float32, 100), Tensor.Zeros(DType.Float32, 1_000));
            Assert.Equal(AddressOf(outer) + 400, AddressOf(again));
            Assert.Equal(1_000, large.ToArray<float>().Length);
            Assert.All(outer.ToArray<float>(), v => Assert.Equal(1, v));
        }

        Assert.Equal(1_024, pool.Statistics.HeldBytes);
    }

    [Fact]
    public void AStack_ServesOneThreadAtATime()
    {
        var pool = new BufferPool(new BufferOptions { Strategy = BufferStrategy.Stack });
        using var scope = pool.Enter();
        Exception? refused = null;
        var other = new Thread(() => refused = Record.Exception(() => pool.Enter().Dispose()));
        other.Start();
        other.Join();
        Assert.Contains("another thread", Assert.IsType<InvalidOperationException>(refused).Message);
    }

    [Fact]
    public void AMappedFile_IsDeletedWithItsBuffer()
    {
        var folder = Directory.CreateTempSubdirectory("convoy-buffers-").FullName;
        try
        {
            var pool = new BufferPool(new BufferOptions { Strategy = BufferStrategy.MemoryMapped, Folder = folder });
            using (pool.Enter())
            {
                var tensor = Filled(5_000, 3);
                Assert.Equal(15_000, tensor.ToArray<float>().Sum());
                Assert.Single(Directory.GetFiles(folder));
            }

            Assert.Empty(Directory.GetFiles(folder));
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    [Fact]
    public void ThePattern_SaysWhatSuits()
    {
        var same = new BufferPool();
        for (var step = 0; step < 5; step++)
            using (same.Enter()) Tensor.Zeros(DType.Float32, 64);
        var pattern = same.Analyze();
        Assert.Equal((5, 0.8, 256, 256, 5), (pattern.Rents, pattern.RepeatedShare, pattern.LargestBytes,
            pattern.ScopeBytesMax, pattern.Scopes));
        Assert.Equal([new BufferSizeClass(256, 5, 1)], pattern.Classes);
        Assert.Equal(BufferStrategy.Stack, pattern.Advice);

        var kept = new BufferPool();
        for (var step = 0; step < 5; step++)
            using (kept.Enter()) BufferScope.Keep(Tensor.Zeros(DType.Float32, 64));
        Assert.Equal(BufferStrategy.Pooled, kept.Analyze().Advice);

        var wild = new BufferPool(new BufferOptions { StackBytes = 4_096, DirectFromBytes = 4_096 });
        for (var step = 1; step < 9; step++)
            using (wild.Enter()) Tensor.Zeros(DType.Float32, 1_000 * step);
        Assert.Equal(BufferStrategy.Direct, wild.Analyze().Advice);
    }

    [Theory]
    [InlineData(7)]
    [InlineData(48)]
    [InlineData(8_192)]
    public void AnAlignmentThatIsNone_IsRefused(int alignment) =>
        Assert.Throws<ArgumentException>(() => new BufferPool(new BufferOptions { AlignmentBytes = alignment }));

    private static BufferOptions New(BufferStrategy strategy) => new() { Strategy = strategy, StackBytes = 1 << 20 };

    private static unsafe long AddressOf(Tensor tensor)
    {
        fixed (float* at = tensor.Raw<float>()) return (long)at;
    }

    private static Tensor Filled(int count, float value)
    {
        var tensor = Tensor.Zeros(DType.Float32, count);
        tensor.Raw<float>().Fill(value);
        return tensor;
    }

    private static Graph TwoTowers()
    {
        var b = new GraphBuilder();
        var x = b.Input("x", DType.Float32, Dim.Batch, 8);
        var left = x.MatMul(b.Parameter("v", ParameterInit.Normal(1), 8, 8)).Tanh().Reshape(Dim.Batch, 4, 2);
        var right = x.MatMul(b.Parameter("w", ParameterInit.Normal(1), 8, 8)).Sigmoid().Reshape(Dim.Batch, 4, 2);
        b.Output("loss_sum", (left * right).Square().Sum());
        return b.Build();
    }
}
