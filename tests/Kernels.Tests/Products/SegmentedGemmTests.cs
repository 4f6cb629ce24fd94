using Convoy.Kernels.Cpu.Products;
using Convoy.Kernels.Reference;
using Convoy.Shared.Tensors;

namespace Convoy.Kernels.Tests.Products;

// K-3 and K-4 for weight gradients.
public sealed unsafe class SegmentedGemmTests
{
    private sealed record Case(int M, int N, int Slices, int From, int End, int RowsMax, uint Seed, bool Odd)
        : IWidthCheck
    {
        public void Run<V>(string width) where V : unmanaged, ILanes<V>
        {
            var numbers = new Numbers(Seed);
            var starts = numbers.RowStarts(End - From, RowsMax);
            var nodes = new SliceTree(Slices).Cover(From, End);
            var segments = new Segments(starts, From, Slices, nodes);
            float[] Operand(int count) => Odd ? numbers.Odd(count) : numbers.Floats(count);
            var (a, b) = (Operand((starts[^1] * (M + 1)) + 1), Operand((starts[^1] * (N + 2)) + 2));
            var stride = (M * N) + 5;
            var (expected, actual) = (numbers.Floats(nodes.Length * stride), new float[nodes.Length * stride]);
            expected.CopyTo(actual, 0);
            SegmentedReference.Gemm<float>(M, N, a, M + 1, b, N + 2, expected, stride, segments);
            fixed (float* pa = a, pb = b, pc = actual)
                FloatSegmentedGemm.Run<V>(M, N, pa, M + 1, pb, N + 2, pc, stride, segments);
            Bits.Equal(expected, actual, $"{this}, {width}");
        }
    }

    [Theory]
    [InlineData(6, 16, 8, 0, 8, 16)]
    [InlineData(7, 17, 8, 0, 8, 32)]
    [InlineData(13, 5, 8, 3, 7, 40)]
    [InlineData(9, 40, 5, 0, 5, 300)]
    [InlineData(4, 9, 3, 1, 3, 700)]
    [InlineData(150, 20, 16, 2, 15, 12)]
    [InlineData(2, 3, 64, 5, 64, 2)]
    [InlineData(1, 1, 300, 0, 300, 1)]
    [InlineData(1, 1, 1, 0, 1, 3)]
    public void K4_segmented_product_has_the_bits_of_the_reference(
        int m, int n, int slices, int from, int end, int rowsMax)
    {
        for (uint seed = 1; seed < 6; seed++)
        {
            Widths.Check(new Case(m, n, slices, from, end, rowsMax, seed, Odd: false));
            Widths.Check(new Case(m, n, slices, from, end, rowsMax, seed, Odd: true));
        }
    }

    [Fact]
    public void K3_any_deal_of_slices_gives_the_same_bits()
    {
        var numbers = new Numbers(11);
        foreach (var slices in (int[])[1, 2, 3, 5, 8, 13, 16])
        {
            var starts = numbers.RowStarts(slices, 40);
            var (a, b) = (numbers.Floats((starts[^1] + 1) * 9), numbers.Floats((starts[^1] + 1) * 21));
            var deal = new Deal(slices, starts, 9 * 21, (c, stride, firstRow, in s) =>
                SegmentedGemm.Run<float>(9, 21, a.AsSpan(firstRow * 9), b.AsSpan(firstRow * 21), c, stride, s));
            deal.Check(numbers);
        }
    }
}
