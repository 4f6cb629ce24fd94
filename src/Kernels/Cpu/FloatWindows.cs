using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Convoy.Kernels.Reference;

namespace Convoy.Kernels.Cpu;

// Pooling with windows of any size: eight outputs of a row at a time where all columns of their windows lie inside the
// image, one by one at its edges. A window is walked in the order of the reference. Cut among the team by planes.
internal static unsafe class FloatWindows
{
    private const int ElementsPerPart = 65_536;

    public static void MaxForward(float* x, float* y, int* indices, in Pool2dShape s)
    {
        var work = new Parts(x, y, indices, s);
        ThreadTeam.Run(ref work, PartsOf(s));
    }

    public static void AvgForward(float* x, float* y, in Pool2dShape s)
    {
        var work = new Parts(x, y, null, s);
        ThreadTeam.Run(ref work, PartsOf(s));
    }

    public static void MaxBackward(float* dy, int* indices, float* dx, in Pool2dShape s)
    {
        var work = new BackwardParts(dy, indices, dx, s);
        ThreadTeam.Run(ref work, PartsOf(s));
    }

    public static void AvgBackward(float* dy, float* dx, in Pool2dShape s)
    {
        var work = new BackwardParts(dy, null, dx, s);
        ThreadTeam.Run(ref work, PartsOf(s));
    }

    private static int PartsOf(in Pool2dShape s) =>
        (int)Math.Clamp(s.Planes, 1, ThreadTeam.ElementParts(s.InputSize, ElementsPerPart));

    // Without indices, the mean.
    private readonly struct Parts(float* x, float* y, int* indices, Pool2dShape s) : ITeamWork
    {
        public void Run(int part, int parts)
        {
            var (first, count) = ThreadTeam.Range(s.Planes, part, parts);
            for (var plane = first; plane < first + count; plane++)
            {
                var image = x + ((nint)plane * s.H * s.W);
                for (var oh = 0; oh < s.OutH; oh++)
                {
                    var at = (((nint)plane * s.OutH) + oh) * s.OutW;
                    if (indices is null) MeanRow(image, oh, y + at, s);
                    else MaxRow(image, oh, y + at, indices + at, s);
                }
            }
        }
    }

    private readonly struct BackwardParts(float* dy, int* indices, float* dx, Pool2dShape s) : ITeamWork
    {
        public void Run(int part, int parts)
        {
            var (first, count) = ThreadTeam.Range(s.Planes, part, parts);
            var own = s with { N = 1, C = count };
            var at = (nint)first * s.OutH * s.OutW;
            var gradient = new ReadOnlySpan<float>(dy + at, own.OutputSize);
            var result = new Span<float>(dx + ((nint)first * s.H * s.W), own.InputSize);
            if (indices is null) PoolingReference.AvgBackward(gradient, result, own);
            else
                PoolingReference.MaxBackward(gradient,
                    new ReadOnlySpan<int>(indices + at, own.OutputSize), result, own);
        }
    }

    // Outputs [From, End) of a row have whole windows, as far as columns go.
    private static (int From, int End) Inside(in Pool2dShape s) =>
        (Math.Min((s.Padding + s.Stride - 1) / s.Stride, s.OutW),
            Math.Clamp(((s.W - s.Kw + s.Padding) / s.Stride) + 1, 0, s.OutW));

    private static (int From, int End) Rows(in Pool2dShape s, int oh) =>
        (Math.Max((oh * s.Stride) - s.Padding, 0), Math.Min((oh * s.Stride) - s.Padding + s.Kh, s.H));

    private static void MaxRow(float* image, int oh, float* y, int* indices, in Pool2dShape s)
    {
        var (from, end) = Inside(s);
        var plane = new ReadOnlySpan<float>(image, s.H * s.W);
        for (var ow = 0; ow < s.OutW; ow++)
        {
            if (ow >= from && ow <= end - 8)
            {
                MaxEight(image, Rows(s, oh), (ow * s.Stride) - s.Padding, y + ow, indices + ow, s);
                ow += 7;
                continue;
            }

            indices[ow] = PoolingReference.Largest(plane, oh, ow, s);
            y[ow] = plane[indices[ow]];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MaxEight(
        float* image, (int From, int End) rows, int left, float* y, int* indices, in Pool2dShape s)
    {
        var step = Vector256.Create(0, 1, 2, 3, 4, 5, 6, 7) * s.Stride;
        var place = step + Vector256.Create((rows.From * s.W) + left);
        var best = Load(image, (rows.From * s.W) + left, s);
        for (var h = rows.From; h < rows.End; h++)
        {
            for (var k = 0; k < s.Kw; k++)
            {
                var at = (h * s.W) + left + k;
                (best, place) = FloatPooling.Choose(best, Load(image, at, s), place, step + Vector256.Create(at));
            }
        }

        Vector256.Store(best, y);
        Vector256.Store(place, indices);
    }

    private static void MeanRow(float* image, int oh, float* y, in Pool2dShape s)
    {
        var (from, end) = Inside(s);
        var rows = Rows(s, oh);
        for (var ow = 0; ow < s.OutW; ow++)
        {
            var left = (ow * s.Stride) - s.Padding;
            if (ow >= from && ow <= end - 8)
            {
                MeanEight(image, rows, left, y + ow, s);
                ow += 7;
                continue;
            }

            var sum = 0f;
            for (var h = rows.From; h < rows.End; h++)
                for (var w = Math.Max(left, 0); w < Math.Min(left + s.Kw, s.W); w++) sum += image[(h * s.W) + w];
            y[ow] = sum / (s.Kh * s.Kw);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void MeanEight(float* image, (int From, int End) rows, int left, float* y, in Pool2dShape s)
    {
        var sum = Vector256<float>.Zero;
        for (var h = rows.From; h < rows.End; h++)
            for (var k = 0; k < s.Kw; k++) sum += Load(image, (h * s.W) + left + k, s);
        Vector256.Store(sum / Vector256.Create((float)(s.Kh * s.Kw)), y);
    }

    // Eight elements, a stride apart. Two registers are read for a stride of two, where the plane is long enough.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<float> Load(float* image, int at, in Pool2dShape s)
    {
        var p = image + at;
        var n = s.Stride;
        if (n == 1) return Vector256.Load(p);
        if (n == 2 && Avx2.IsSupported && at + 16 <= s.H * s.W)
        {
            var even = Avx.Shuffle(Vector256.Load(p), Vector256.Load(p + 8), 0x88);
            return Avx2.Permute4x64(even.AsDouble(), 0xD8).AsSingle();
        }

        return Vector256.Create(p[0], p[n], p[2 * n], p[3 * n], p[4 * n], p[5 * n], p[6 * n], p[7 * n]);
    }
}
