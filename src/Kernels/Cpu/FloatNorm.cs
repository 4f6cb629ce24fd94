using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;
using Convoy.Shared;

namespace Convoy.Kernels.Cpu;

// Squares of float32 are exact in float64, so a product and an addition round like one fused operation.
internal static unsafe class FloatNorm
{
    private const int ElementsPerPart = 65_536;

    // Elements between the one that is squared and the one that is called from memory: a page of 4 KB, where the
    // processor's own prefetcher stops.
    private const int Ahead = 1_024;

    public static void Blocks(float* x, int count, Span<double> blocks)
    {
        fixed (double* to = blocks)
        {
            var work = new Parts(x, count, to);
            ThreadTeam.Run(ref work, ThreadTeam.ElementParts(count, ElementsPerPart));
        }
    }

    private readonly struct Parts(float* x, int length, double* blocks) : ITeamWork
    {
        public void Run(int part, int parts)
        {
            var (first, count) = ThreadTeam.Range(SquaredNorm.BlockCount(length), part, parts);
            for (var b = first; b < first + count; b++)
            {
                var from = b * Limits.NormBlock;
                blocks[b] = Block(x + from, Math.Min(Limits.NormBlock, length - from));
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static double Block(float* x, int count)
    {
        var lanes = stackalloc double[Order.Lanes];
        Vector256<double> a = default, b = default, c = default, d = default;
        var i = 0;
        for (; i <= count - 16; i += 16)
        {
            Memory.Fetch(x + i + Ahead);
            a += Square(x + i);
            b += Square(x + i + 4);
            c += Square(x + i + 8);
            d += Square(x + i + 12);
        }

        Vector256.Store(a, lanes);
        Vector256.Store(b, lanes + 4);
        Vector256.Store(c, lanes + 8);
        Vector256.Store(d, lanes + 12);
        for (; i < count; i++) lanes[i & 15] += (double)x[i] * x[i];
        for (var half = Order.Lanes / 2; half > 0; half /= 2)
            for (var lane = 0; lane < half; lane++) lanes[lane] += lanes[lane + half];
        return lanes[0];
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<double> Square(float* x)
    {
        var wide = Avx.IsSupported ? Avx.ConvertToVector256Double(Vector128.Load(x)) : Widen(Vector128.Load(x));
        return wide * wide;
    }

    private static Vector256<double> Widen(Vector128<float> x)
    {
        var (low, high) = Vector128.Widen(x);
        return Vector256.Create(low, high);
    }
}
