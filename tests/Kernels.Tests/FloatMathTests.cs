using Convoy.Kernels.Cpu;
using Convoy.Kernels.Cpu.Lanes;
using Convoy.Kernels.Operators;

namespace Convoy.Kernels.Tests;

public sealed unsafe class FloatMathTests
{
    // Errors in units of the last place of the exact result, over a dense grid.
    private static double WorstUlps(float from, float to, Func<float, float> f, Func<double, double> exact)
    {
        var worst = 0.0;
        for (var i = 0; i <= 100_000; i++)
        {
            var x = from + (float)((double)(to - from) * i / 100_000);
            var truth = exact(x);
            var ulp = Math.Max(MathF.BitIncrement(Math.Abs((float)truth)) - Math.Abs((float)truth), 1.5e-45f);
            worst = Math.Max(worst, Math.Abs(f(x) - truth) / ulp);
        }

        return worst;
    }

    private static float Of<TOp>(float x) where TOp : struct, IUnaryOperator => TOp.Lanes(new Lane1(x)).V;

    [Theory]
    [InlineData(-87f, 88.7f)]
    [InlineData(-1f, 1f)]
    [InlineData(-103.9f, -87f)]
    public void Exp_is_within_1_5_ulp(float from, float to) =>
        Assert.InRange(WorstUlps(from, to, Of<Exp>, Math.Exp), 0, 1.5);

    // Each of the eight powers in the table, over the whole range of what is left of an exponent beside it.
    [Fact]
    public void Exp_is_within_1_2_ulp_around_each_eighth_of_an_octave()
    {
        for (var eighth = -40; eighth <= 40; eighth++)
        {
            var (from, to) = ((eighth - 0.5) * Math.Log(2) / 8, (eighth + 0.5) * Math.Log(2) / 8);
            Assert.InRange(WorstUlps((float)from, (float)to, Of<Exp>, Math.Exp), 0, 1.2);
        }
    }

    [Theory]
    [InlineData(1e-3f, 2f)]
    [InlineData(0.9f, 1.1f)]
    [InlineData(2f, 1e6f)]
    [InlineData(1e-42f, 1e-38f)]
    public void Log_is_within_1_5_ulp(float from, float to) =>
        Assert.InRange(WorstUlps(from, to, Of<Log>, Math.Log), 0, 1.5);

    [Theory]
    [InlineData(-10f, 10f)]
    [InlineData(-0.7f, 0.7f)]
    public void Tanh_is_within_2_ulp(float from, float to) =>
        Assert.InRange(WorstUlps(from, to, Of<Tanh>, Math.Tanh), 0, 2);

    [Theory]
    [InlineData(-5f, 5f)]
    [InlineData(-1.1f, 1.1f)]
    public void Erf_is_within_2_ulp(float from, float to) =>
        Assert.InRange(WorstUlps(from, to, Of<Erf>, DoubleMath.Erf), 0, 2);

    [Fact]
    public void Gelu_sigmoid_and_slope_are_close()
    {
        for (var i = -1000; i <= 1000; i++)
        {
            var x = i / 100f;
            Assert.Equal(DoubleMath.Gelu(x), Of<Gelu>(x), 1e-6);
            Assert.Equal(DoubleMath.GeluSlope(x), Of<GeluSlope>(x), 1e-6);
            Assert.Equal(1 / (1 + Math.Exp(-x)), Of<Sigmoid>(x), 1e-6);
        }
    }

    [Fact]
    public void Gelu_has_an_error_of_2e_7_times_its_argument()
    {
        for (var i = -120_000; i <= 120_000; i++)
        {
            var x = i / 10_000f;
            Assert.InRange(Math.Abs(Of<Gelu>(x) - DoubleMath.Gelu(x)), 0, 2e-7 * Math.Abs(x));
            Assert.InRange(Math.Abs(Of<GeluSlope>(x) - DoubleMath.GeluSlope(x)), 0, 2.5e-7);
        }
    }

    [Theory]
    [InlineData(0f, 0f, 0.5f)]
    [InlineData(float.PositiveInfinity, float.PositiveInfinity, 1f)]
    [InlineData(1e30f, 1e30f, 1f)]
    [InlineData(float.NaN, float.NaN, float.NaN)]
    public void Gelu_at_the_ends(float x, float value, float slope)
    {
        Assert.Equal(value, Of<Gelu>(x));
        Assert.Equal(slope, Of<GeluSlope>(x));
    }

    [Theory]
    [InlineData(-8f)]
    [InlineData(-1e30f)]
    [InlineData(float.NegativeInfinity)]
    public void Gelu_is_nothing_far_below_zero(float x)
    {
        Assert.InRange(Of<Gelu>(x), -1e-10f, 0f);
        Assert.InRange(Of<GeluSlope>(x), -1e-10f, 0f);
    }

    [Fact]
    public void Double_erf_has_known_values()
    {
        Assert.Equal(0.8427007929497149, DoubleMath.Erf(1), 1e-15);
        Assert.Equal(0.9953222650189527, DoubleMath.Erf(2), 1e-15);
        Assert.Equal(0.9999779095030014, DoubleMath.Erf(3), 1e-15);
        Assert.Equal(-0.5204998778130465, DoubleMath.Erf(-0.5), 1e-15);
    }

    [Fact]
    public void Special_values()
    {
        Assert.Equal(float.PositiveInfinity, Of<Exp>(float.PositiveInfinity));
        Assert.Equal(0f, Of<Exp>(float.NegativeInfinity));
        Assert.Equal(float.PositiveInfinity, Of<Exp>(89f));
        Assert.True(float.IsNaN(Of<Exp>(float.NaN)));
        Assert.Equal(1f, Of<Exp>(-0f));
        Assert.Equal(float.NegativeInfinity, Of<Log>(0f));
        Assert.True(float.IsNaN(Of<Log>(-1f)));
        Assert.Equal(float.PositiveInfinity, Of<Log>(float.PositiveInfinity));
        Assert.Equal(0f, Of<Log>(1f));
        Assert.Equal(-1f, Of<Tanh>(float.NegativeInfinity));
        Assert.Equal(1f, Of<Erf>(float.PositiveInfinity));
        Assert.True(float.IsNaN(Of<Relu>(float.NaN)));
    }

    private sealed class Case(float[] x, float[] y) : IWidthCheck
    {
        public void Run<V>(string width) where V : unmanaged, ILanes<V>
        {
            One<V, Negate>(width);
            One<V, Abs>(width);
            One<V, Square>(width);
            One<V, Sqrt>(width);
            One<V, Reciprocal>(width);
            One<V, Exp>(width);
            One<V, Log>(width);
            One<V, Tanh>(width);
            One<V, Erf>(width);
            One<V, Sigmoid>(width);
            One<V, Gelu>(width);
            One<V, GeluSlope>(width);
            One<V, Relu>(width);
            One<V, Silu>(width);
            Two<V, Add>(width);
            Two<V, Subtract>(width);
            Two<V, Multiply>(width);
            Two<V, Divide>(width);
            Two<V, Maximum>(width);
            Two<V, Minimum>(width);
            Two<V, ReluGrad>(width);
            Two<V, GeluGrad>(width);
            Two<V, TanhGrad>(width);
            Two<V, SigmoidGrad>(width);
            Two<V, GreaterMask>(width);
            Two<V, EqualMask>(width);
        }

        private void One<V, TOp>(string width) where V : unmanaged, ILanes<V> where TOp : struct, IUnaryOperator
        {
            var (expected, actual) = (new float[x.Length], new float[x.Length]);
            for (var i = 0; i < x.Length; i++) expected[i] = Scalar<float>.Apply<TOp>(x[i]);
            fixed (float* px = x, pa = actual) FloatElementwise.Unary<V, TOp>(px, pa, x.Length);
            Bits.Equal(expected, actual, $"{typeof(TOp).Name}, {width}");
        }

        private void Two<V, TOp>(string width) where V : unmanaged, ILanes<V> where TOp : struct, IBinaryOperator
        {
            var (expected, actual) = (new float[x.Length], new float[x.Length]);
            for (var i = 0; i < x.Length; i++) expected[i] = Scalar<float>.Apply<TOp>(x[i], y[i]);
            fixed (float* px = x, py = y, pa = actual) FloatElementwise.Binary<V, TOp>(px, py, pa, x.Length);
            Bits.Equal(expected, actual, $"{typeof(TOp).Name}, {width}");
        }
    }

    [Fact]
    public void K4_every_width_gives_the_bits_of_one_lane()
    {
        var numbers = new Numbers(9);
        var x = numbers.Odd(3_003);
        for (var i = 0; i < x.Length; i++) x[i] *= (i % 5) switch { 0 => 1f, 1 => 100f, 2 => 10f, 3 => 1e-3f, _ => 5f };
        Widths.Check(new Case(x, numbers.Odd(3_003)));
    }

    // Blocks whose exponents all are near take the short way; one that has a far one does not. A NaN stays one on both.
    private sealed class Powers(float[] x) : IWidthCheck
    {
        public void Run<V>(string width) where V : unmanaged, ILanes<V>
        {
            One<V, Exp>(width);
            One<V, Gelu>(width);
            One<V, Tanh>(width);
            One<V, Sigmoid>(width);
            One<V, Silu>(width);
        }

        private void One<V, TOp>(string width) where V : unmanaged, ILanes<V> where TOp : struct, IUnaryOperator
        {
            var (expected, stored, streamed) = (new float[x.Length], new float[x.Length], new float[x.Length]);
            for (var i = 0; i < x.Length; i++) expected[i] = Of<TOp>(x[i]);
            fixed (float* px = x, ps = stored, pt = streamed)
            {
                FloatElementwise.Unary<V, TOp>(px, ps, x.Length);
                FloatElementwise.Unary<V, TOp>(px, pt, x.Length, stream: true);
            }

            Bits.Equal(expected, stored, $"{typeof(TOp).Name}, {width}");
            Bits.Equal(expected, streamed, $"{typeof(TOp).Name}, {width}, past the caches");
        }
    }

    [Theory]
    [InlineData(87f, 0f)]
    [InlineData(1f, 0f)]
    [InlineData(87f, -104.5f)]
    [InlineData(87f, 88.9f)]
    [InlineData(87f, float.NaN)]
    [InlineData(87f, float.NegativeInfinity)]
    public void K4_near_exponents_have_the_bits_of_any(float range, float one)
    {
        var x = new float[9_000];
        for (var i = 0; i < x.Length; i++) x[i] = range * ((2f * i / (x.Length - 1)) - 1f);
        if (one != 0f) x[7_000] = one;
        Widths.Check(new Powers(x));
    }
}
