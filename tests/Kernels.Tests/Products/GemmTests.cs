using Convoy.Kernels.Cpu.Products;
using Convoy.Kernels.Reference;

namespace Convoy.Kernels.Tests.Products;

// DEV-11, DEV-12, K-4: the packed product has the bits of the reference, with every register width.
public sealed unsafe class GemmTests
{
    private sealed record Case(
        bool Ta, bool Tb, int M, int N, int K, int Pad, bool Bias, Activation Activation, bool Accumulate, bool Odd)
        : IWidthCheck
    {
        public uint Seed { get; init; } = 1;

        public void Run<V>(string width) where V : unmanaged, ILanes<V>
        {
            var numbers = new Numbers(Seed);
            var (lda, ldb, ldc) = ((Ta ? M : K) + Pad, (Tb ? K : N) + Pad, N + Pad);
            var (sizeA, sizeB) = ((Ta ? K : M) * lda, (Tb ? N : K) * ldb);
            var a = Odd ? numbers.Odd(sizeA) : numbers.Floats(sizeA);
            var b = Odd ? numbers.Odd(sizeB) : numbers.Floats(sizeB);
            var c = numbers.Floats(M * ldc);
            var bias = Bias ? numbers.Floats(N) : [];
            var expected = c.ToArray();
            GemmReference.Run<float>(Ta, Tb, M, N, K, a, lda, b, ldb, expected, ldc, bias, Activation, Accumulate);
            fixed (float* pa = a, pb = b, pc = c, pbias = bias)
            {
                FloatGemm.Run<V>(new GemmCall
                {
                    TransA = Ta, TransB = Tb, M = M, N = N, K = K, A = pa, Lda = lda, B = pb, Ldb = ldb, C = pc,
                    Ldc = ldc, Bias = pbias, Activation = Activation, Accumulate = Accumulate,
                });
            }

            // Also the padding between rows: nothing outside of the result is written.
            Bits.Equal(expected, c, $"{this}, {width}");
        }
    }

    [Theory]
    [InlineData(1, 1, 1)]
    [InlineData(6, 16, 256)]
    [InlineData(7, 17, 257)]
    [InlineData(5, 15, 0)]
    [InlineData(13, 33, 600)]
    [InlineData(150, 10, 31)]
    [InlineData(150, 200, 40)]
    [InlineData(3, 2_060, 5)]
    [InlineData(0, 5, 4)]
    [InlineData(5, 0, 4)]
    public void K4_product_has_the_bits_of_the_reference(int m, int n, int k)
    {
        foreach (var (ta, tb) in ((bool, bool)[])[(false, false), (false, true), (true, false), (true, true)])
        {
            Widths.Check(new Case(ta, tb, m, n, k, 0, false, Activation.None, false, false));
            Widths.Check(new Case(ta, tb, m, n, k, 3, true, Activation.Gelu, true, false));
        }
    }

    [Fact]
    public void K4_random_products_with_odd_numbers()
    {
        var numbers = new Numbers(7);
        for (var i = 0; i < 60; i++)
        {
            Widths.Check(new Case(
                numbers.Int(0, 2) == 1, numbers.Int(0, 2) == 1, numbers.Int(1, 40), numbers.Int(1, 70),
                numbers.Int(0, 300), numbers.Int(0, 4), numbers.Int(0, 2) == 1, (Activation)numbers.Int(0, 5),
                numbers.Int(0, 2) == 1, true)
            { Seed = (uint)i + 1 });
        }
    }

    [Fact]
    public void K1_part_of_a_product_is_the_product_of_the_part()
    {
        var numbers = new Numbers(3);
        var (m, n, k) = (61, 83, 300);
        var (a, b, whole) = (numbers.Floats(m * k), numbers.Floats(k * n), new float[m * n]);
        Gemm.Run<float>(false, false, m, n, k, a, k, b, n, whole, n);
        for (var i = 0; i < 30; i++)
        {
            var (row, column) = (numbers.Int(0, m), numbers.Int(0, n));
            var (rows, columns) = (numbers.Int(1, m - row + 1), numbers.Int(1, n - column + 1));
            var part = new float[rows * columns];
            Gemm.Run<float>(
                false, false, rows, columns, k, a.AsSpan(row * k), k, b.AsSpan(column), n, part, columns);
            for (var r = 0; r < rows; r++)
            {
                Bits.Equal(
                    whole.AsSpan(((row + r) * n) + column, columns), part.AsSpan(r * columns, columns), "K-1 part");
            }
        }
    }

    [Theory]
    [InlineData(1_000, 1_000, 2, 2, 1)]
    [InlineData(1_000, 1_000, 16, 8, 2)]
    [InlineData(4, 1_000, 4, 1, 4)]
    [InlineData(1_000, 10, 4, 4, 1)]
    [InlineData(1_000, 1_000, 7, 7, 1)]
    public void AD14_a_team_cuts_a_product_in_a_grid_that_fits_its_shape(
        int m, int n, int parts, int rows, int columns)
    {
        var call = new GemmCall
        {
            TransA = false, TransB = false, M = m, N = n, K = 1, A = null, Lda = 0, B = null, Ldb = 0,
            C = null, Ldc = 0,
        };
        Assert.Equal((rows, columns), FloatGemm.Grid(call, parts, 16));
    }

    [Fact]
    public void Batched_products_are_single_products()
    {
        var numbers = new Numbers(4);
        var (a, b) = (numbers.Floats(3 * 5 * 7), numbers.Floats(3 * 7 * 9));
        var (batched, single) = (new float[3 * 5 * 9], new float[3 * 5 * 9]);
        Gemm.Batched<float>(false, false, 3, 5, 9, 7, a, 7, 35, b, 9, 63, batched, 9, 45);
        for (var i = 0; i < 3; i++)
        {
            Gemm.Run<float>(
                false, false, 5, 9, 7, a.AsSpan(i * 35, 35), 7, b.AsSpan(i * 63, 63), 9, single.AsSpan(i * 45), 9);
        }

        Bits.Equal(single, batched, "batched");
    }

    [Fact]
    public void Double_product_is_exact_on_small_integers()
    {
        double[] a = [1, 2, 3, 4, 5, 6], b = [1, 0, 2, 1, 0, 3];
        var c = new double[4];
        Gemm.Run<double>(false, false, 2, 2, 3, a, 3, b, 2, c, 2, bias: [10, 20]);
        Assert.Equal([1 + 4 + 0 + 10.0, 0 + 2 + 9 + 20.0, 4 + 10 + 0 + 10.0, 0 + 5 + 18 + 20.0], c);
    }

    [Fact]
    public void A_buffer_that_is_too_short_is_refused() =>
        Assert.Throws<ArgumentException>(() =>
            Gemm.Run<float>(false, false, 2, 2, 2, new float[4], 2, new float[3], 2, new float[4], 2));
}
