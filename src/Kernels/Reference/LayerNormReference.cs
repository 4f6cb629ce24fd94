using System.Numerics;

namespace Convoy.Kernels.Reference;

internal static class LayerNormReference
{
    public static void Forward<T>(
        ReadOnlySpan<T> x, int rows, ReadOnlySpan<T> gain, ReadOnlySpan<T> bias, T epsilon, Span<T> y, Span<T> mean,
        Span<T> rstd) where T : unmanaged, IFloatingPointIeee754<T>
    {
        Span<T> lanes = stackalloc T[Order.Lanes];
        var n = gain.Length;
        var count = T.CreateTruncating(n);
        for (var r = 0; r < rows; r++)
        {
            var row = x.Slice(r * n, n);
            var sum = new LongSum<T>(lanes);
            foreach (var value in row) sum.Add(value);
            var m = sum.Total() / count;
            var squares = new LongSum<T>(lanes);
            foreach (var value in row) squares.AddProduct(value - m, value - m);
            var s = T.One / T.Sqrt((squares.Total() / count) + epsilon);
            (mean[r], rstd[r]) = (m, s);
            for (var i = 0; i < n; i++) y[(r * n) + i] = T.FusedMultiplyAdd((row[i] - m) * s, gain[i], bias[i]);
        }
    }

    public static void GradInput<T>(
        ReadOnlySpan<T> dy, ReadOnlySpan<T> x, int rows, ReadOnlySpan<T> gain, ReadOnlySpan<T> mean,
        ReadOnlySpan<T> rstd, Span<T> dx) where T : unmanaged, IFloatingPointIeee754<T>
    {
        Span<T> lanes = stackalloc T[Order.Lanes];
        Span<T> moreLanes = stackalloc T[Order.Lanes];
        var n = gain.Length;
        var count = T.CreateTruncating(n);
        for (var r = 0; r < rows; r++)
        {
            var (m, s) = (mean[r], rstd[r]);
            var sum = new LongSum<T>(lanes);
            var dot = new LongSum<T>(moreLanes);
            for (var i = 0; i < n; i++)
            {
                var g = dy[(r * n) + i] * gain[i];
                sum.Add(g);
                dot.AddProduct(g, (x[(r * n) + i] - m) * s);
            }

            var (meanG, meanDot) = (sum.Total() / count, dot.Total() / count);
            for (var i = 0; i < n; i++)
            {
                var h = (x[(r * n) + i] - m) * s;
                var g = dy[(r * n) + i] * gain[i];
                dx[(r * n) + i] = s * T.FusedMultiplyAdd(-h, meanDot, g - meanG);
            }
        }
    }

    public static void SegmentedGradGain<T>(
        ReadOnlySpan<T> dy, ReadOnlySpan<T> x, int n, ReadOnlySpan<T> mean, ReadOnlySpan<T> rstd, Span<T> dGain,
        int nodeStride, in Segments s) where T : unmanaged, IFloatingPointIeee754<T>
    {
        var sum = new GainSum<T>(dy, x, n, mean, rstd);
        SegmentedTree.Run(ref sum, n, dGain, nodeStride, s);
    }

    private readonly ref struct GainSum<T>(
        ReadOnlySpan<T> dy, ReadOnlySpan<T> x, int n, ReadOnlySpan<T> mean, ReadOnlySpan<T> rstd) : ISliceSum<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<T> _dy = dy;
        private readonly ReadOnlySpan<T> _x = x;
        private readonly ReadOnlySpan<T> _mean = mean;
        private readonly ReadOnlySpan<T> _rstd = rstd;

        public void Sum(int firstRow, int endRow, Span<T> destination)
        {
            for (var j = 0; j < n; j++)
            {
                var blocks = new BlockSum<T>();
                for (var r = firstRow; r < endRow; r++)
                    blocks.Add(_dy[(r * n) + j], (_x[(r * n) + j] - _mean[r]) * _rstd[r]);
                destination[j] = blocks.Total;
            }
        }
    }
}
