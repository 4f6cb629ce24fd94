using Convoy.Kernels.Cpu;
using Convoy.Kernels.Reference;

namespace Convoy.Kernels.Tests;

public sealed unsafe class OptimizerTests
{
    private sealed class Case(int count, bool odd) : IWidthCheck
    {
        public void Run<V>(string width) where V : unmanaged, ILanes<V>
        {
            foreach (var step in (SgdStep[])[new(0.1, 0, 0.01, 0.5), new(0.1, 0.9, 0, 1)])
            {
                var (a, b) = (new State(count, odd), new State(count, odd));
                OptimizerReference.Sgd<float>(a.W, a.G, a.M, step);
                fixed (float* w = b.W, g = b.G, m = b.M) FloatOptimizers.Sgd<V>(w, g, m, count, step);
                a.Same(b, $"{step}, {width}");
            }

            foreach (var decoupled in (bool[])[false, true])
            {
                var step = new AdamStep(0.01, 0.9, 0.999, 1e-8, 0.1, 3, 0.25);
                var (a, b) = (new State(count, odd), new State(count, odd));
                OptimizerReference.Adam<float>(a.W, a.G, a.M, a.V, step, decoupled);
                fixed (float* w = b.W, g = b.G, m = b.M, v = b.V)
                    FloatOptimizers.Adam<V>(w, g, m, v, count, new AdamConstants<float>(step, decoupled));
                a.Same(b, $"{step}, {width}");
            }
        }
    }

    private sealed class State
    {
        public readonly float[] W, G, M, V;

        public State(int count, bool odd)
        {
            var numbers = new Numbers(6);
            float[] New() => odd ? numbers.Odd(count) : numbers.Floats(count);
            (W, G, M, V) = (New(), New(), New(), New());
            for (var i = 0; i < count; i++) V[i] *= V[i];
        }

        public void Same(State other, string what)
        {
            Bits.Equal(W, other.W, $"weights, {what}");
            Bits.Equal(M, other.M, $"first state, {what}");
            Bits.Equal(V, other.V, $"second state, {what}");
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(77)]
    [InlineData(256)]
    public void K4_optimizers_have_the_bits_of_the_reference(int count)
    {
        Widths.Check(new Case(count, odd: false));
        Widths.Check(new Case(count, odd: true));
    }

    // First step of Adam from zero state: w - rate·sign(g) up to ε, whatever the size of the gradient.
    [Fact]
    public void First_Adam_step_has_the_size_of_the_rate()
    {
        double[] w = [1, 1], g = [0.001, -500], m = [0, 0], v = [0, 0];
        Optimizers.Adam<double>(w, g, m, v, new AdamStep(0.01, 0.9, 0.999, 1e-8, 0, 1));
        Assert.Equal(0.99, w[0], 1e-6);
        Assert.Equal(1.01, w[1], 1e-9);
    }

    [Fact]
    public void AdamW_decays_without_gradient_and_Adam_does_not_move()
    {
        double[] w = [2], zero = [0], m = [0], v = [0];
        Optimizers.AdamW<double>(w, zero, m, v, new AdamStep(0.1, 0.9, 0.999, 1e-8, 0.5, 1));
        Assert.Equal(2 * (1 - (0.1 * 0.5)), w[0], 1e-12);
        double[] still = [2];
        Optimizers.Adam<double>(still, zero, m, v, new AdamStep(0.1, 0.9, 0.999, 1e-8, 0, 1));
        Assert.Equal(2, still[0], 1e-12);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(5_000)]
    [InlineData(16_384)]
    public void Squared_norm_has_the_bits_of_the_reference_and_joins_at_block_borders(int count)
    {
        var x = new Numbers(8).Floats(count);
        var (expected, actual) = (new double[SquaredNorm.BlockCount(count)], new double[SquaredNorm.BlockCount(count)]);
        NormReference.Blocks<float>(x, expected);
        SquaredNorm.Blocks<float>(x, actual);
        Assert.Equal(expected, actual);
        var cut = Math.Min(count, 4_096);
        var parts = new double[actual.Length];
        SquaredNorm.Blocks<float>(x.AsSpan(0, cut), parts);
        if (count > cut) SquaredNorm.Blocks<float>(x.AsSpan(cut), parts.AsSpan(1));
        Assert.Equal(actual, parts);
        var exact = 0.0;
        foreach (var value in x) exact += (double)value * value;
        Assert.Equal(exact, SquaredNorm.Tree(actual), exact * 1e-12);
    }
}
