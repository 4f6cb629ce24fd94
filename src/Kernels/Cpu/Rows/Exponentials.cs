using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Convoy.Kernels.Cpu.Lanes;

namespace Convoy.Kernels.Cpu.Rows;

/// <summary>Where the exponents of a row come from and where the powers go.</summary>
internal interface IExpTerm
{
    /// <summary>The exponents that start at element i.</summary>
    V Exponent<V>(nint i) where V : unmanaged, ILanes<V>;

    /// <summary>All ones where <see cref="FloatMath.ExpNear"/> is right for the exponent; a NaN is never
    /// near.</summary>
    V IsNear<V>(V exponent) where V : unmanaged, ILanes<V>;

    /// <summary>Takes the powers that start at element i; returns the sum, with them where there is one.</summary>
    V Take<V>(V power, V sum, nint i) where V : unmanaged, ILanes<V>;
}

// Rows of exponentials. The chain of one is 40 cycles long and a core's scheduler holds three or four of them, so the
// first half of the next register is written beside the second half of this one: 0.26 ns an element in place of 0.39
// (eight lanes, 4,096 elements in cache, one core of Zen 3, 2026-11). Two or four registers abreast were slower, for
// want of registers; so was a softmax whose powers stay in cache and are streamed, divided, beside the next row's.
internal static unsafe class Exponentials
{
    /// <summary>
    /// Whole groups of <see cref="Order.Lanes"/> elements, then the rest one at a time; the sum over the virtual lanes.
    /// False: some exponent was not near, what was taken is wrong, and the caller does it again, the long way.
    /// </summary>
    public static bool Near<V, TTerm>(in TTerm term, int count, out float sum)
        where V : unmanaged, ILanes<V> where TTerm : struct, IExpTerm
    {
        sum = 0;
        // Nothing to gain with one lane.
        if (V.Count == 1) return false;
        var lanes = stackalloc float[2 * Order.Lanes];
        var i = V.Count == 4 ? Groups<Pair<V>, TTerm>(term, count, lanes) : Groups<V, TTerm>(term, count, lanes);
        for (; i < count; i++)
        {
            var lane = lanes + (i & (Order.Lanes - 1));
            var power = FloatMath.Exp(term.Exponent<Lane1>(i));
            Lane1.Store(term.Take(power, Lane1.Load(lane), i), lane);
        }

        sum = LaneSums.Fold(lanes);
        return All((int*)(lanes + Order.Lanes));
    }

    /// <summary>The same by way of <see cref="FloatMath.Exp"/>, for exponents of any size.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static float Any<V, TTerm>(in TTerm term, int count)
        where V : unmanaged, ILanes<V> where TTerm : struct, IExpTerm =>
        LaneSums.Run<V, Long<TTerm>>(new Long<TTerm>(term), count);

    private readonly struct Long<TTerm>(TTerm term) : ILaneTerm where TTerm : struct, IExpTerm
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public V Add<V>(V sum, nint i) where V : unmanaged, ILanes<V> =>
            term.Take(FloatMath.Exp(term.Exponent<V>(i)), sum, i);
    }

    // V holds 8 or 16 lanes, and so two registers or one hold the sums. A method of its own, and the term by value:
    // what the compiler has in hand decides here what it keeps in registers.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static nint Groups<V, TTerm>(TTerm term, int count, float* lanes)
        where V : unmanaged, ILanes<V> where TTerm : struct, IExpTerm
    {
        V low = default, high = default;
        var near = V.CreateInt(-1);
        nint i = 0, end = count / Order.Lanes * Order.Lanes;
        if (end > 0)
        {
            var x = term.Exponent<V>(0);
            near = term.IsNear(x);
            var r = FloatMath.ReduceNear(x, out var k, out var n);
            while (true)
            {
                if (V.Count < Order.Lanes)
                {
                    x = term.Exponent<V>(i + V.Count);
                    near &= term.IsNear(x);
                    var odd = FloatMath.ReduceNear(x, out var oddK, out var oddN);
                    low = term.Take(FloatMath.PowerNear(r, n, k), low, i);
                    i += V.Count;
                    (r, n, k) = (odd, oddN, oddK);
                }

                if (i + V.Count >= end) break;
                x = term.Exponent<V>(i + V.Count);
                near &= term.IsNear(x);
                var next = FloatMath.ReduceNear(x, out var nextK, out var nextN);
                high = term.Take(FloatMath.PowerNear(r, n, k), high, i);
                i += V.Count;
                (r, n, k) = (next, nextN, nextK);
            }

            high = term.Take(FloatMath.PowerNear(r, n, k), high, i);
            i += V.Count;
        }

        V.Store(V.Count < Order.Lanes ? low : high, lanes);
        if (V.Count < Order.Lanes) V.Store(high, lanes + V.Count);
        V.Store(near, lanes + Order.Lanes);
        if (V.Count < Order.Lanes) V.Store(near, lanes + Order.Lanes + V.Count);
        return i;
    }

    private static bool All(int* mask) =>
        (Vector128.Load(mask) & Vector128.Load(mask + 4) & Vector128.Load(mask + 8) & Vector128.Load(mask + 12))
        == Vector128<int>.AllBitsSet;

    /// <summary>Of exponents that are no larger than zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V IsNearBelowZero<V>(V exponent) where V : unmanaged, ILanes<V> =>
        V.Greater(exponent, V.Create(-FloatMath.NearMax));

    /// <summary>Of any exponents.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V IsNear<V>(V exponent) where V : unmanaged, ILanes<V> =>
        V.Greater(V.Create(FloatMath.NearMax), exponent & V.CreateInt(int.MaxValue));
}
