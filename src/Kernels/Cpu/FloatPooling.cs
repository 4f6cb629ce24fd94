using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Convoy.Kernels.Cpu;

// The common pooling, windows of 2 x 2 side by side; every other size is FloatWindows. Which element wins is a
// coin toss for the branch predictor, so the choice is made by masks.
internal static unsafe class FloatPooling
{
    public static bool Fits(in Pool2dShape s) => s is { Kh: 2, Kw: 2, Stride: 2, Padding: 0 };

    private const int ElementsPerPart = 65_536;

    /// <summary>Outputs that this processor chooses at once.</summary>
    internal static int Lanes => Avx2.IsSupported ? 8 : Sse41.IsSupported ? 4 : 1;

    public static void MaxForward(float* x, float* y, int* indices, in Pool2dShape s)
    {
        var work = new Parts(x, y, indices, s);
        ThreadTeam.Run(ref work, (int)Math.Clamp(s.N, 1, ThreadTeam.ElementParts(s.InputSize, ElementsPerPart)));
    }

    private readonly struct Parts(float* x, float* y, int* indices, Pool2dShape s) : ITeamWork
    {
        public void Run(int part, int parts)
        {
            var (n, count) = ThreadTeam.Range(s.N, part, parts);
            var (input, output) = ((nint)n * s.C * s.H * s.W, (nint)n * s.C * s.OutH * s.OutW);
            Whole(x + input, y + output, indices + output, s with { N = count });
        }
    }

    private static void Whole(float* x, float* y, int* indices, in Pool2dShape s)
    {
        for (var plane = 0; plane < s.Planes; plane++, x += s.H * s.W)
        {
            for (var oh = 0; oh < s.OutH; oh++, y += s.OutW, indices += s.OutW)
            {
                Row(x, 2 * oh * s.W, s.W, y, indices, s.OutW, Lanes);
            }
        }
    }

    // Whole registers; the last one may overlap the one before, which writes the same values again.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Row(float* x, int at, int width, float* y, int* indices, int count, int lanes)
    {
        var ow = 0;
        if (lanes >= 8 && count >= 8)
        {
            for (; ow <= count - 8; ow += 8) Eight(x, at + (2 * ow), width, y + ow, indices + ow);
            if (ow < count) Eight(x, at + (2 * (count - 8)), width, y + count - 8, indices + count - 8);
            return;
        }

        if (lanes >= 4 && count >= 4)
        {
            for (; ow <= count - 4; ow += 4) Four(x, at + (2 * ow), width, y + ow, indices + ow);
            if (ow < count) Four(x, at + (2 * (count - 4)), width, y + count - 4, indices + count - 4);
            return;
        }

        for (; ow < count; ow++) One(x, at + (2 * ow), width, y + ow, indices + ow);
    }

    private static void One(float* x, int at, int width, float* y, int* index)
    {
        var place = at;
        if (Wins(x[at + 1], x[place])) place = at + 1;
        if (Wins(x[at + width], x[place])) place = at + width;
        if (Wins(x[at + width + 1], x[place])) place = at + width + 1;
        (*y, *index) = (x[place], place);
    }

    // Larger, or the first NaN.
    private static bool Wins(float candidate, float best) => !(candidate <= best) && !float.IsNaN(best);

    private static void Eight(float* x, int at, int width, float* y, int* indices)
    {
        var (best, right) = Split(x + at);
        var (below, corner) = Split(x + at + width);
        var place = Vector256.Create(0, 2, 4, 6, 8, 10, 12, 14) + Vector256.Create(at);
        (best, var chosen) = Choose(best, right, place, place + Vector256.Create(1));
        (best, chosen) = Choose(best, below, chosen, place + Vector256.Create(width));
        (best, chosen) = Choose(best, corner, chosen, place + Vector256.Create(width + 1));
        Vector256.Store(best, y);
        Vector256.Store(chosen, indices);
    }

    private static void Four(float* x, int at, int width, float* y, int* indices)
    {
        var (a, b) = (Vector128.Load(x + at), Vector128.Load(x + at + 4));
        var (c, d) = (Vector128.Load(x + at + width), Vector128.Load(x + at + width + 4));
        var place = Vector128.Create(0, 2, 4, 6) + Vector128.Create(at);
        var best = Sse.Shuffle(a, b, 0x88);
        (best, var chosen) = Choose(best, Sse.Shuffle(a, b, 0xDD), place, place + Vector128.Create(1));
        (best, chosen) = Choose(best, Sse.Shuffle(c, d, 0x88), chosen, place + Vector128.Create(width));
        (best, chosen) = Choose(best, Sse.Shuffle(c, d, 0xDD), chosen, place + Vector128.Create(width + 1));
        Vector128.Store(best, y);
        Vector128.Store(chosen, indices);
    }

    // Even and odd columns of sixteen.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector256<float> Even, Vector256<float> Odd) Split(float* x)
    {
        var (a, b) = (Vector256.Load(x), Vector256.Load(x + 8));
        var even = Avx2.Permute4x64(Avx.Shuffle(a, b, 0x88).AsDouble(), 0xD8).AsSingle();
        var odd = Avx2.Permute4x64(Avx.Shuffle(a, b, 0xDD).AsDouble(), 0xD8).AsSingle();
        return (even, odd);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static (Vector256<float> Best, Vector256<int> Place) Choose(
        Vector256<float> best, Vector256<float> candidate, Vector256<int> place, Vector256<int> candidatePlace)
    {
        var wins = ~Vector256.LessThanOrEqual(candidate, best) & Vector256.Equals(best, best);
        return (Vector256.ConditionalSelect(wins, candidate, best),
            Vector256.ConditionalSelect(wins.AsInt32(), candidatePlace, place));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (Vector128<float> Best, Vector128<int> Place) Choose(
        Vector128<float> best, Vector128<float> candidate, Vector128<int> place, Vector128<int> candidatePlace)
    {
        var wins = ~Vector128.LessThanOrEqual(candidate, best) & Vector128.Equals(best, best);
        return (Vector128.ConditionalSelect(wins, candidate, best),
            Vector128.ConditionalSelect(wins.AsInt32(), candidatePlace, place));
    }
}
