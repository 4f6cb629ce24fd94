using System.Numerics;

namespace Convoy.Kernels.Reference;

internal static class PoolingReference
{
    public static void MaxForward<T>(ReadOnlySpan<T> x, Span<T> y, Span<int> indices, in Pool2dShape s)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var at = 0;
        for (var plane = 0; plane < s.Planes; plane++)
        {
            var image = x.Slice(plane * s.H * s.W, s.H * s.W);
            for (var oh = 0; oh < s.OutH; oh++)
                for (var ow = 0; ow < s.OutW; ow++)
                {
                    indices[at] = Largest(image, oh, ow, s);
                    y[at] = image[indices[at]];
                    at++;
                }
        }
    }

    internal static int Largest<T>(ReadOnlySpan<T> image, int oh, int ow, in Pool2dShape s)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (top, left) = ((oh * s.Stride) - s.Padding, (ow * s.Stride) - s.Padding);
        var best = -1;
        for (var h = Math.Max(top, 0); h < Math.Min(top + s.Kh, s.H); h++)
            for (var w = Math.Max(left, 0); w < Math.Min(left + s.Kw, s.W); w++)
            {
                var at = (h * s.W) + w;
                if (best < 0 || image[at] > image[best] || (T.IsNaN(image[at]) && !T.IsNaN(image[best]))) best = at;
            }

        return best;
    }

    public static void MaxBackward<T>(ReadOnlySpan<T> dy, ReadOnlySpan<int> indices, Span<T> dx, in Pool2dShape s)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        dx[..s.InputSize].Clear();
        var outputs = s.OutH * s.OutW;
        for (var plane = 0; plane < s.Planes; plane++)
        {
            var image = dx.Slice(plane * s.H * s.W, s.H * s.W);
            for (var o = plane * outputs; o < (plane + 1) * outputs; o++) image[indices[o]] += dy[o];
        }
    }

    public static void AvgForward<T>(ReadOnlySpan<T> x, Span<T> y, in Pool2dShape s)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var (at, area) = (0, T.CreateTruncating(s.Kh * s.Kw));
        for (var plane = 0; plane < s.Planes; plane++)
            for (var oh = 0; oh < s.OutH; oh++)
                for (var ow = 0; ow < s.OutW; ow++)
                {
                    var (top, left) = ((oh * s.Stride) - s.Padding, (ow * s.Stride) - s.Padding);
                    var sum = T.Zero;
                    for (var h = Math.Max(top, 0); h < Math.Min(top + s.Kh, s.H); h++)
                        for (var w = Math.Max(left, 0); w < Math.Min(left + s.Kw, s.W); w++)
                            sum += x[(((plane * s.H) + h) * s.W) + w];
                    y[at++] = sum / area;
                }
    }

    public static void AvgBackward<T>(ReadOnlySpan<T> dy, Span<T> dx, in Pool2dShape s)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        dx[..s.InputSize].Clear();
        var (at, area) = (0, T.CreateTruncating(s.Kh * s.Kw));
        for (var plane = 0; plane < s.Planes; plane++)
            for (var oh = 0; oh < s.OutH; oh++)
                for (var ow = 0; ow < s.OutW; ow++)
                {
                    var (top, left) = ((oh * s.Stride) - s.Padding, (ow * s.Stride) - s.Padding);
                    var share = dy[at++] / area;
                    for (var h = Math.Max(top, 0); h < Math.Min(top + s.Kh, s.H); h++)
                        for (var w = Math.Max(left, 0); w < Math.Min(left + s.Kw, s.W); w++)
                            dx[(((plane * s.H) + h) * s.W) + w] += share;
                }
    }
}
