using System.Runtime.CompilerServices;
using Convoy.Kernels.Cpu.Lanes;

namespace Convoy.Kernels.Cpu.Rows;

/// <summary>Where the exponents of a row come from and where the powers go.</summary>
internal interface IExpTerm
{
    /// <summary>The exponents that start at element i.</summary>
    V Exponent<V>(nint i) where V : unmanaged, ILanes<V>;

    /// <summary>
    /// How far from zero exponents were, of either sign, with these ones: past <see cref="FloatMath.NearMax"/> the
    /// powers are wrong. NaN may be left out.
    /// </summary>
    V Reach<V>(V reach, V exponent) where V : unmanaged, ILanes<V>;

    /// <summary>Takes the powers that start at element i; returns the sum, with them where there is one.</summary>
    V Take<V>(V power, V sum, nint i) where V : unmanaged, ILanes<V>;
}

// Rows of exponentials. The chain of one is 35 cycles long and longer than what a core's scheduler holds, so a loop has
// three stages: the exponent of the register after the next, the octaves of the next, and the power of this one. What
// was tried, eight lanes, in cache, one core of Zen 3, 2026-11: one register after the other, two or four abreast (for
// want of registers), and a softmax whose powers stay in cache and are streamed, divided, beside the next row's.
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
        var constants = ExpConstants<V>.Address;
        var i = V.Count == 16 ? Sixteens<V, TTerm>(term, count, constants, lanes)
            : V.Count == 8 ? Eights<V, TTerm>(term, count, constants, lanes)
            : Eights<Pair<V>, TTerm>(term, count, constants, lanes);
        for (; i < count; i++)
        {
            var lane = lanes + (i & (Order.Lanes - 1));
            var power = FloatMath.Exp(term.Exponent<Lane1>(i));
            Lane1.Store(term.Take(power, Lane1.Load(lane), i), lane);
        }

        sum = LaneSums.Fold(lanes);
        return AllNear(lanes + Order.Lanes);
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

    // V holds 8 lanes, two registers for the virtual ones. A method of its own, and the term by value: what the
    // compiler has in hand decides here what it keeps in registers.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static nint Eights<V, TTerm>(TTerm term, int count, float* constants, float* lanes)
        where V : unmanaged, ILanes<V> where TTerm : struct, IExpTerm
    {
        var form = ExpConstants<V>.Load(constants);
        V low = default, high = default, reach = default;
        nint i = 0, last = (count / Order.Lanes * Order.Lanes) - Order.Lanes;
        if (last >= 0)
        {
            var x = term.Exponent<V>(0);
            reach = term.Reach(reach, x);
            var r = FloatMath.Reduce(x, form, out var k, out var n);
            x = term.Exponent<V>(V.Count);
            for (; i < last; i += Order.Lanes)
            {
                reach = term.Reach(reach, x);
                var odd = FloatMath.Reduce(x, form, out var oddK, out var oddN);
                x = term.Exponent<V>(i + Order.Lanes);
                low = term.Take(FloatMath.PowerNear(r, n, k, form), low, i);
                reach = term.Reach(reach, x);
                r = FloatMath.Reduce(x, form, out k, out n);
                x = term.Exponent<V>(i + Order.Lanes + V.Count);
                high = term.Take(FloatMath.PowerNear(odd, oddN, oddK, form), high, i + V.Count);
            }

            reach = term.Reach(reach, x);
            low = term.Take(FloatMath.PowerNear(r, n, k, form), low, i);
            r = FloatMath.Reduce(x, form, out k, out n);
            high = term.Take(FloatMath.PowerNear(r, n, k, form), high, i + V.Count);
            i += Order.Lanes;
        }

        V.Store(low, lanes);
        V.Store(high, lanes + V.Count);
        V.Store(reach, lanes + Order.Lanes);
        V.Store(reach, lanes + Order.Lanes + V.Count);
        return i;
    }

    // V holds all virtual lanes.
    [MethodImpl(MethodImplOptions.AggressiveOptimization | MethodImplOptions.NoInlining)]
    private static nint Sixteens<V, TTerm>(TTerm term, int count, float* constants, float* lanes)
        where V : unmanaged, ILanes<V> where TTerm : struct, IExpTerm
    {
        var form = ExpConstants<V>.Load(constants);
        V sum = default, reach = default;
        nint i = 0, last = (count / Order.Lanes * Order.Lanes) - Order.Lanes;
        if (last >= 0)
        {
            var x = term.Exponent<V>(0);
            reach = term.Reach(reach, x);
            var r = FloatMath.Reduce(x, form, out var k, out var n);
            for (; i < last; i += Order.Lanes)
            {
                x = term.Exponent<V>(i + Order.Lanes);
                reach = term.Reach(reach, x);
                var next = FloatMath.Reduce(x, form, out var nextK, out var nextN);
                sum = term.Take(FloatMath.PowerNear(r, n, k, form), sum, i);
                (r, n, k) = (next, nextN, nextK);
            }

            sum = term.Take(FloatMath.PowerNear(r, n, k, form), sum, i);
            i += Order.Lanes;
        }

        V.Store(sum, lanes);
        V.Store(reach, lanes + Order.Lanes);
        return i;
    }

    private static bool AllNear(float* reach)
    {
        for (var lane = 0; lane < Order.Lanes; lane++)
            if (MathF.Abs(reach[lane]) >= FloatMath.NearMax) return false;
        return true;
    }

    /// <summary>Of exponents that are no larger than zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V ReachBelowZero<V>(V reach, V exponent) where V : unmanaged, ILanes<V> => V.Lesser(reach, exponent);

    /// <summary>Of any exponents.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Reach<V>(V reach, V exponent) where V : unmanaged, ILanes<V> =>
        V.Larger(reach, exponent & V.CreateInt(int.MaxValue));
}
