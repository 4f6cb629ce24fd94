using System.Numerics;

namespace Convoy.Kernels.Reference;

internal static class SegmentedReference
{
    public static void Gemm<T>(
        int m, int n, ReadOnlySpan<T> a, int lda, ReadOnlySpan<T> b, int ldb, Span<T> c, int nodeStride,
        in Segments s) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var sum = new GemmSum<T>(m, n, a, lda, b, ldb);
        SegmentedTree.Run(ref sum, m * n, c, nodeStride, s);
    }

    public static void Rows<T>(ReadOnlySpan<T> x, int n, Span<T> c, int nodeStride, in Segments s)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var sum = new RowSum<T>(x, n);
        SegmentedTree.Run(ref sum, n, c, nodeStride, s);
    }

    private readonly ref struct GemmSum<T>(int m, int n, ReadOnlySpan<T> a, int lda, ReadOnlySpan<T> b, int ldb)
        : ISliceSum<T> where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _a = a;
        private readonly ReadOnlySpan<T> _b = b;

        public void Sum(int firstRow, int endRow, Span<T> destination)
        {
            for (var i = 0; i < m; i++)
            {
                for (var j = 0; j < n; j++)
                {
                    destination[(i * n) + j] = GemmReference.Contract(
                        endRow - firstRow, _a, (firstRow * lda) + i, lda, _b, (firstRow * ldb) + j, ldb);
                }
            }
        }
    }

    private readonly ref struct RowSum<T>(ReadOnlySpan<T> x, int n) : ISliceSum<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _x = x;

        public void Sum(int firstRow, int endRow, Span<T> destination)
        {
            for (var j = 0; j < n; j++)
            {
                var blocks = new BlockSum<T>();
                for (var r = firstRow; r < endRow; r++) blocks.Add(_x[(r * n) + j], T.One);
                destination[j] = blocks.Total;
            }
        }
    }
}
