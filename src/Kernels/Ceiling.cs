using System.Runtime.CompilerServices;
using Convoy.Kernels.Cpu;
using Convoy.Kernels.Cpu.Lanes;

namespace Convoy.Kernels;

/// <summary>Loops that do nothing useful as fast as the machine can: what a kernel is measured against.</summary>
public static unsafe class Ceiling
{
    private const int Chains = 12;

    /// <summary>
    /// Independent fused multiply-adds in registers; the number of float32 operations that were done.
    /// </summary>
    public static long FusedMultiplyAdds(int rounds)
    {
        if (SimdInfo.Lanes == 16) return Fmas<Lane16>(rounds);
        if (SimdInfo.Lanes == 8) return Fmas<Lane8>(rounds);
        return SimdInfo.Lanes == 4 ? Fmas<Lane4>(rounds) : Fmas<Lane1>(rounds);
    }

    /// <summary>
    /// a = b + s·c (the triad of McCalpin's STREAM), cut among the thread team; three passes over memory.
    /// </summary>
    public static void Triad(Span<float> a, ReadOnlySpan<float> b, ReadOnlySpan<float> c, float s)
    {
        Sizes.AtLeast(b.Length, a.Length);
        Sizes.AtLeast(c.Length, a.Length);
        fixed (float* pa = a, pb = b, pc = c)
        {
            var work = new TriadParts(pa, pb, pc, s, a.Length);
            ThreadTeam.Run(ref work, ThreadTeam.Parts(a.Length, 65_536));
        }
    }

    /// <summary>
    /// Adds up a, cut among the thread team: one pass over memory that only reads. What a core can read is less than
    /// what it moves both ways.
    /// </summary>
    public static void Read(ReadOnlySpan<float> a)
    {
        fixed (float* pa = a)
        {
            var work = new ReadParts(pa, a.Length);
            ThreadTeam.Run(ref work, ThreadTeam.Parts(a.Length, 65_536));
        }
    }

    private readonly struct ReadParts(float* a, int length) : ITeamWork
    {
        public void Run(int part, int parts)
        {
            var (i, count) = ThreadTeam.Range(length, part, parts, Order.Lanes);
            if (SimdInfo.Lanes == 16) Reads<Lane16>(a + i, count);
            else if (SimdInfo.Lanes == 8) Reads<Lane8>(a + i, count);
            else if (SimdInfo.Lanes == 4) Reads<Lane4>(a + i, count);
            else Reads<Lane1>(a + i, count);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Reads<V>(float* a, int count) where V : unmanaged, ILanes<V>
    {
        V s = default, t = default, u = default, v = default;
        for (var i = 0; i <= count - (4 * V.Count); i += 4 * V.Count)
        {
            s += V.Load(a + i);
            t += V.Load(a + i + V.Count);
            u += V.Load(a + i + (2 * V.Count));
            v += V.Load(a + i + (3 * V.Count));
        }

        // The sum is stored, so that the loop is not removed.
        var first = stackalloc float[16];
        V.Store(s + t + u + v, first);
    }

    private readonly struct TriadParts(float* a, float* b, float* c, float s, int length) : ITeamWork
    {
        public void Run(int part, int parts)
        {
            var (i, count) = ThreadTeam.Range(length, part, parts, Order.Lanes);
            var stream = Memory.Streams(length);
            if (SimdInfo.Lanes == 16) Triads<Lane16>(a + i, b + i, c + i, s, count, stream);
            else if (SimdInfo.Lanes == 8) Triads<Lane8>(a + i, b + i, c + i, s, count, stream);
            else if (SimdInfo.Lanes == 4) Triads<Lane4>(a + i, b + i, c + i, s, count, stream);
            else Triads<Lane1>(a + i, b + i, c + i, s, count, stream);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Triads<V>(float* a, float* b, float* c, float s, int count, bool stream)
        where V : unmanaged, ILanes<V>
    {
        var i = 0;
        var wide = V.Create(s);
        if (stream)
        {
            for (var line = Memory.ToLine(a); i < line; i++)
                Lane1.Store(Lane1.Fma(Lane1.Create(s), Lane1.Load(c + i), Lane1.Load(b + i)), a + i);
            for (; i <= count - V.Count; i += V.Count) V.Stream(V.Fma(wide, V.Load(c + i), V.Load(b + i)), a + i);
            Memory.Fence();
        }

        for (; i <= count - V.Count; i += V.Count) V.Store(V.Fma(wide, V.Load(c + i), V.Load(b + i)), a + i);
        for (; i < count; i++) Lane1.Store(Lane1.Fma(Lane1.Create(s), Lane1.Load(c + i), Lane1.Load(b + i)), a + i);
    }

    // As many chains as hide the latency of the instruction on every processor of today, and fit its registers.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long Fmas<V>(int rounds) where V : unmanaged, ILanes<V>
    {
        var (x, y) = (V.Create(0.999f), V.Create(1e-3f));
        V a = y, b = y, c = y, d = y, e = y, f = y, g = y, h = y, i = y, j = y, k = y, l = y;
        for (var round = 0; round < rounds; round++)
        {
            a = V.Fma(a, x, y);
            b = V.Fma(b, x, y);
            c = V.Fma(c, x, y);
            d = V.Fma(d, x, y);
            e = V.Fma(e, x, y);
            f = V.Fma(f, x, y);
            g = V.Fma(g, x, y);
            h = V.Fma(h, x, y);
            i = V.Fma(i, x, y);
            j = V.Fma(j, x, y);
            k = V.Fma(k, x, y);
            l = V.Fma(l, x, y);
        }

        // The results are used, so that the loop is not removed.
        var sum = a + b + c + d + e + f + g + h + i + j + k + l;
        var first = stackalloc float[16];
        V.Store(sum, first);
        return float.IsNaN(first[0]) ? 0 : 2L * Chains * V.Count * rounds;
    }
}
