using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Convoy.Kernels.Cpu.Lanes;

namespace Convoy.Kernels.Cpu.Rows;

/// <summary>One term of a horizontal sum: adds the lanes that start at element i. It may also store
/// something.</summary>
internal interface ILaneTerm
{
    V Add<V>(V sum, nint i) where V : unmanaged, ILanes<V>;
}

// Horizontal sums over 16 virtual lanes (Order.Lanes), whatever the width of a register: 16 / V.Count registers hold
// them.
internal static unsafe class LaneSums
{
    /// <summary>Terms [from, end) of one block: `from` is a multiple of the lanes.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Run<V, TTerm>(in TTerm term, nint end, nint from = 0)
        where V : unmanaged, ILanes<V> where TTerm : struct, ILaneTerm
    {
        var lanes = stackalloc float[Order.Lanes];
        var i = from;
        if (V.Count == 16) i = One<V, TTerm>(term, from, end, lanes);
        else if (V.Count == 8) i = One<Pair<V>, TTerm>(term, from, end, lanes);
        else if (V.Count == 4) i = One<Pair<Pair<V>>, TTerm>(term, from, end, lanes);
        else for (var lane = 0; lane < Order.Lanes; lane++) lanes[lane] = 0f;
        for (; i < end; i++) Lane1.Store(term.Add(Lane1.Load(lanes + (i & 15)), i), lanes + (i & 15));
        return Fold(lanes);
    }

    /// <summary>Any number of terms, in blocks of <see cref="Order.LaneBlock"/>.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Long<V, TTerm>(in TTerm term, nint count)
        where V : unmanaged, ILanes<V> where TTerm : struct, ILaneTerm
    {
        var first = Run<V, TTerm>(term, Math.Min(count, Order.LaneBlock));
        if (count <= Order.LaneBlock) return first;
        double blocks = first;
        for (nint from = Order.LaneBlock; from < count; from += Order.LaneBlock)
            blocks += Run<V, TTerm>(term, Math.Min(count, from + Order.LaneBlock), from);
        return (float)blocks;
    }

    /// <summary>Lane l takes l + 8, then l + 4, l + 2, l + 1.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float Fold(float* lanes)
    {
        var low = Vector128.Load(lanes) + Vector128.Load(lanes + 8);
        var high = Vector128.Load(lanes + 4) + Vector128.Load(lanes + 12);
        var four = low + high;
        return (four[0] + four[2]) + (four[1] + four[3]);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static nint One<V, TTerm>(in TTerm term, nint from, nint end, float* lanes)
        where V : unmanaged, ILanes<V> where TTerm : struct, ILaneTerm
    {
        V a = default;
        var i = from;
        for (; i <= end - 16; i += 16) a = term.Add(a, i);
        V.Store(a, lanes);
        return i;
    }

    /// <summary>The largest element; comparisons with NaN are false.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static float Max<V>(float* x, int count) where V : unmanaged, ILanes<V>
    {
        var max = V.Create(float.NegativeInfinity);
        nint i = 0;
        for (; i <= count - V.Count; i += V.Count)
        {
            var value = V.Load(x + i);
            max = V.Larger(value, max);
        }

        var best = Largest(max);
        for (; i < count; i++)
            if (x[i] > best) best = x[i];
        return best;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float Largest<V>(V max) where V : unmanaged, ILanes<V>
    {
        var lanes = stackalloc float[Order.Lanes];
        V.Store(max, lanes);
        return V.Count == 1 ? lanes[0] : Largest(lanes, V.Count);
    }

    // Without a branch: which lane is the largest, no core can guess. The count is a multiple of four.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static float Largest(float* lanes, int count)
    {
        var four = Vector128.Load(lanes);
        for (var lane = 4; lane < count; lane += 4) four = Vector128.Max(four, Vector128.Load(lanes + lane));
        return MathF.Max(MathF.Max(four[0], four[1]), MathF.Max(four[2], four[3]));
    }

    /// <summary>0, 1, 2 … in as many places as two of the widest registers have.</summary>
    internal static ReadOnlySpan<float> Places =>
    [
        0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15,
        16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31,
    ];
}

internal readonly unsafe struct SumTerm(float* x) : ILaneTerm
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Add<V>(V sum, nint i) where V : unmanaged, ILanes<V> => sum + V.Load(x + i);
}

internal readonly unsafe struct DotTerm(float* a, float* b) : ILaneTerm
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Add<V>(V sum, nint i) where V : unmanaged, ILanes<V> => V.Fma(V.Load(a + i), V.Load(b + i), sum);
}

/// <summary>Adds (x - mean)². Calls what lies `ahead` from memory: the next row.</summary>
internal readonly unsafe struct SpreadTerm(float* x, float mean, nint ahead) : ILaneTerm
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Add<V>(V sum, nint i) where V : unmanaged, ILanes<V>
    {
        Memory.Fetch(x + i + ahead);
        var d = V.Load(x + i) - V.Create(mean);
        return V.Fma(d, d, sum);
    }
}
