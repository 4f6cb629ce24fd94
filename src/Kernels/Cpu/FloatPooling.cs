namespace Convoy.Kernels.Cpu;

/// <summary>The common pooling, windows of 2 x 2 side by side; every other size runs the reference loops.</summary>
internal static unsafe class FloatPooling
{
    public static bool Fits(in Pool2dShape s) => s is { Kh: 2, Kw: 2, Stride: 2, Padding: 0 };

    public static void MaxForward(float* x, float* y, int* indices, in Pool2dShape s)
    {
        for (var plane = 0; plane < s.Planes; plane++, x += s.H * s.W)
        {
            for (var oh = 0; oh < s.OutH; oh++)
            {
                var at = 2 * oh * s.W;
                var top = x + at;
                var bottom = top + s.W;
                for (var ow = 0; ow < s.OutW; ow++, at += 2, top += 2, bottom += 2)
                {
                    var (best, place) = (top[0], at);
                    if (Wins(top[1], best)) (best, place) = (top[1], at + 1);
                    if (Wins(bottom[0], best)) (best, place) = (bottom[0], at + s.W);
                    if (Wins(bottom[1], best)) (best, place) = (bottom[1], at + s.W + 1);
                    *y++ = best;
                    *indices++ = place;
                }
            }
        }
    }

    // Larger, or the first NaN.
    private static bool Wins(float candidate, float best) => !(candidate <= best) && !float.IsNaN(best);
}
