using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tests.Tensors;

/// <summary>
/// MEM-01, MEM-13: eager tensors of a scope share a pool, and what leaves a scope is not used by accident.
/// </summary>
public sealed class BufferPoolTests
{
    [Fact]
    public void StepsOfOneForm_AllocateOnce()
    {
        var pool = new BufferPool();
        var w = new Variable(Tensor.Of([0.5f, -1, 2, 0.25f], 2, 2), requiresGradient: true);
        for (var step = 0; step < 10; step++)
        {
            using var scope = pool.Enter();
            ((Variable)new Variable(Tensor.Ones(DType.Float32, 3, 2)).MatMul(w).Tanh().Sum()).Backward();
        }

        var statistics = pool.Statistics;
        Assert.True(statistics.ReuseRate > 0.7, $"{statistics}");
        Assert.Equal(0, statistics.RentedBytes);
        Assert.True(statistics.HeldBytes > 0 && statistics.HighWaterBytes >= statistics.HeldBytes, $"{statistics}");
        // The gradient outlives the scopes: ten times the gradient of one step.
        using var alone = pool.Enter();
        var once = new Variable(w.Data.Copy(), requiresGradient: true);
        ((Variable)new Variable(Tensor.Ones(DType.Float32, 3, 2)).MatMul(once).Tanh().Sum()).Backward();
        for (var i = 0; i < 4; i++)
            Assert.Equal(10 * once.Gradient!.Values<float>()[i], w.Gradient!.Values<float>()[i], 1e-5f);
    }

    [Fact]
    public void AReusedBuffer_IsZero()
    {
        var pool = new BufferPool();
        using (pool.Enter()) Tensor.Full(DType.Float32, 7, new Shape(5));
        using (pool.Enter()) Assert.All(Tensor.Zeros(DType.Float32, 5).ToArray<float>(), x => Assert.Equal(0, x));
        Assert.Equal(1, pool.Statistics.Reuses);
    }

    [Fact]
    public void ATensorAfterItsScope_IsAnErrorUnlessItIsKept()
    {
        var pool = new BufferPool();
        Tensor lost, kept;
        using (pool.Enter())
        {
            lost = Tensor.Of([2f, 2, 2], 3);
            kept = BufferScope.Keep(Tensor.Of([1f, 1, 1], 3));
        }

        using (pool.Enter()) Tensor.Of([9f, 9, 9], 3);
        Assert.Equal([1, 1, 1], kept.ToArray<float>());
        Assert.Contains(
            "scope", Assert.Throws<InvalidOperationException>(() => lost.ToArray<float>()).Message,
            StringComparison.Ordinal);
        Assert.Equal(12, pool.Statistics.HeldBytes);
    }

    [Fact]
    public void InnerScopes_EndFirst()
    {
        var pool = new BufferPool();
        var outer = pool.Enter();
        var before = Tensor.Of([1f, 2], 2);
        using (pool.Enter()) Tensor.Of([3f, 4], 2);
        Assert.Equal([1, 2], before.ToArray<float>());
        var inner = pool.Enter();
        Assert.Throws<InvalidOperationException>(outer.Dispose);
        inner.Dispose();
        outer.Dispose();
        Assert.Equal((0L, 16L), (pool.Statistics.RentedBytes, pool.Statistics.HeldBytes));
    }

    // MEM-13: a link that is computed again has its memory for as long as that takes.
    [Theory]
    [InlineData(BufferStrategy.Pooled)]
    [InlineData(BufferStrategy.Stack)]
    public void RegionsOfRecompute_GiveTheirMemoryBackAsTheyEnd(BufferStrategy strategy)
    {
        const int Links = 12;
        const long Value = 1_000 * sizeof(double);
        var chain = new FunctionChain(
            [.. Enumerable.Repeat<Func<Value, Value>>(x => x.Tanh().Sin().Exp().Sigmoid(), Links)]);
        var (x, u) = (Tensor.Ones(DType.Float64, 1_000), Tensor.Full(DType.Float64, 0.5, new Shape(1_000)));
        (long HighWater, double[] Gradient) Run(VjpStrategy way)
        {
            var pool = new BufferPool(new BufferOptions { Strategy = strategy });
            double[] gradient;
            using (pool.Enter()) gradient = way.Run(chain, x, u).Gradients[0].ToArray<double>();
            Assert.Equal(0, pool.Statistics.RentedBytes);
            return (pool.Statistics.HighWaterBytes, gradient);
        }

        var (whole, again) = (Run(VjpStrategy.Standard), Run(VjpStrategy.Checkpointed));
        Assert.Equal(whole.Gradient, again.Gradient);
        // Four values of each link or more on the tape; else what enters and leaves a link, and what one takes.
        Assert.True(whole.HighWater > Links * 4 * Value, $"{whole.HighWater}");
        Assert.True(again.HighWater < ((2 * Links) + 12) * Value, $"{again.HighWater}");
    }

    [Fact]
    public void TrimAndBoundAndSwitch()
    {
        var pool = new BufferPool(heldBytesMax: 100);
        using (pool.Enter())
        {
            Tensor.Zeros(DType.Float32, 20);
            Tensor.Zeros(DType.Float32, 4);
            Tensor.Zeros(DType.Float32, 30);
        }

        Assert.Equal(96, pool.Statistics.HeldBytes);
        pool.Trim(50);
        Assert.Equal(16, pool.Statistics.HeldBytes);
        pool.IsOn = false;
        using (pool.Enter()) Tensor.Zeros(DType.Float32, 4);
        Assert.Equal(0, pool.Statistics.Reuses);
    }
}
