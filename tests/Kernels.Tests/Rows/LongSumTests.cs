using Convoy.Kernels.Cpu.Rows;
using Convoy.Kernels.Reference;

namespace Convoy.Kernels.Tests.Rows;

// OPS-04, K-4: sums of more terms than one block of lanes takes have the bits of the reference, and do not drift.
public sealed unsafe class LongSumTests
{
    private sealed record Rows(int Count, int N, bool Odd) : IWidthCheck
    {
        public void Run<V>(string width) where V : unmanaged, ILanes<V>
        {
            var numbers = new Numbers(41);
            var a = Odd ? numbers.Odd(Count * N) : numbers.Floats(Count * N);
            var b = numbers.Floats(Count * N);
            var (expected, actual) = (new float[Count], new float[Count]);
            fixed (float* pa = a, pb = b, py = actual)
            {
                ReduceReference.SumRows<float>(a, Count, N, expected);
                FloatRows.Sum<V>(pa, Count, N, py);
                Bits.Equal(expected, actual, $"sum {this}, {width}");
                ReduceReference.DotRows<float>(a, b, Count, N, expected);
                FloatRows.Dot<V>(pa, pb, Count, N, py);
                Bits.Equal(expected, actual, $"dot {this}, {width}");
            }
        }
    }

    [Theory]
    [InlineData(4_095)]
    [InlineData(4_096)]
    [InlineData(4_097)]
    [InlineData(8_192)]
    [InlineData(12_301)]
    public void K4_long_rows(int n)
    {
        Widths.Check(new Rows(2, n, false));
        Widths.Check(new Rows(2, n, true));
    }

    [Theory]
    [InlineData(0b01, 9_001, 5)]
    [InlineData(0b01, 8_192, 300)]
    [InlineData(0b10, 3, 9_000)]
    [InlineData(0b010, 3, 5_000, 7)]
    [InlineData(0b101, 70, 9, 80)]
    [InlineData(0b101, 3, 4, 5_001)]
    [InlineData(0b111, 20, 21, 22)]
    public void K4_long_sums_over_axes(int axes, params int[] dims)
    {
        var count = dims.Aggregate(1, (product, size) => product * size);
        var outputs = dims.Where((_, d) => (axes >> d & 1) == 0).Aggregate(1, (product, size) => product * size);
        float[] nothing = [.. Enumerable.Repeat(-0f, count)];
        foreach (var x in (float[][])[new Numbers(43).Floats(count), new Numbers(44).Odd(count), nothing])
        {
            var (expected, actual) = (new float[outputs], new float[outputs]);
            ReduceReference.Sum<float>(dims, (uint)axes, x, expected);
            Reduce.Sum<float>(dims, (uint)axes, x, actual);
            Bits.Equal(expected, actual, $"axes {axes} of [{string.Join(", ", dims)}]");
        }
    }

    [Fact]
    public void A_sum_of_millions_is_right_to_the_last_digits()
    {
        const int Count = 3_000_000;
        var x = new float[Count];
        x.AsSpan().Fill(0.1f);
        var (y, columns) = (new float[1], new float[2]);
        Reduce.Sum<float>([Count], 1, x, y);
        Reduce.Sum<float>([Count / 2, 2], 1, x, columns);

        const double Exact = (double)0.1f * Count;
        Assert.Equal(Exact, Reduce.Sum<float>(x), Exact * 5e-6);
        Assert.Equal(Exact, y[0], Exact * 5e-6);
        Assert.All(columns, sum => Assert.Equal(Exact / 2, sum, Exact * 2.5e-6));
    }

    // OPS-11: the mean of a long row was off by a part in 10,000 of its spread.
    [Fact]
    public void A_long_row_is_normalized_as_a_short_one()
    {
        const int Count = 1_000_000;
        var x = new Numbers(45).Floats(Count);
        for (var i = 0; i < Count; i++) x[i] += 1_000;
        var (ones, zeros, y) = (new float[Count], new float[Count], new float[Count]);
        ones.AsSpan().Fill(1);
        var (mean, rstd) = (new float[1], new float[1]);
        LayerNorm.Forward<float>(x, ones, zeros, 1e-5f, y, mean, rstd);

        var exact = x.Sum(v => (double)v) / Count;
        var deviation = Math.Sqrt((x.Sum(v => (v - exact) * (v - exact)) / Count) + 1e-5);
        Assert.Equal(exact, mean[0], exact * 6e-8);
        Assert.Equal(1 / deviation, rstd[0], 1e-6 / deviation);
    }

    [Fact]
    public void The_gradient_of_a_long_row_does_not_drift()
    {
        const int Count = 1_000_000;
        var (x, dy) = (new Numbers(46).Floats(Count), new Numbers(47).Floats(Count));
        var (gain, found) = (new float[Count], new float[Count]);
        gain.AsSpan().Fill(1);
        double[] wide = [.. x.Select(v => (double)v)];
        double[] wideGain = [.. gain.Select(v => (double)v)];
        var (expected, mean, rstd) = (new double[Count], new double[1], new double[1]);
        LayerNorm.Forward<double>(wide, wideGain, new double[Count], 1e-5, expected, mean, rstd);
        LayerNorm.GradInput<double>(
            dy.Select(v => (double)v).ToArray(), wide, wideGain, mean, rstd, expected);
        LayerNorm.GradInput<float>(dy, x, gain, [(float)mean[0]], [(float)rstd[0]], found);
        Assert.True(expected.Zip(found).Max(p => Math.Abs(p.First - p.Second)) < 1e-6);
    }
}
