using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using Convoy.Kernels.Cpu.Lanes;

namespace Convoy.Kernels.Cpu.Rows;

/// <summary>Where the exponents of a row come from and where the powers go.</summary>
internal interface IExpTerm
{
    /// <summary>Calls from memory what a later turn needs; once for each group that begins at i.</summary>
    void Ahead(nint i);

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

// Rows of exponentials, two registers in a turn. What was tried, eight lanes, in cache, one core of Zen 3, 2026-11:
// four abreast, and stages (the exponent of the register after the next, the octaves of the next, the power of this
// one), both slower for want of registers: what counts is that the constants stay in them.
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
        nint i = 0, end = count / Order.Lanes * Order.Lanes;
        for (; i < end; i += Order.Lanes)
        {
            term.Ahead(i);
            var x = term.Exponent<V>(i);
            var next = term.Exponent<V>(i + V.Count);
            reach = term.Reach(term.Reach(reach, x), next);
            low = term.Take(FloatMath.ExpNear(x, form), low, i);
            high = term.Take(FloatMath.ExpNear(next, form), high, i + V.Count);
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
        nint i = 0, end = count / Order.Lanes * Order.Lanes;
        for (; i < end; i += Order.Lanes)
        {
            term.Ahead(i);
            var x = term.Exponent<V>(i);
            reach = term.Reach(reach, x);
            sum = term.Take(FloatMath.ExpNear(x, form), sum, i);
        }

        V.Store(sum, lanes);
        V.Store(reach, lanes + Order.Lanes);
        return i;
    }

    /// <summary>None of the reaches of all virtual lanes is far. One that is NaN is not.</summary>
    internal static bool AllNear(float* reach)
    {
        var far = Vector128.Create(FloatMath.NearMax);
        var any = Vector128<int>.Zero;
        for (var lane = 0; lane < Order.Lanes; lane += 4)
            any |= Vector128.GreaterThanOrEqual(Vector128.Abs(Vector128.Load(reach + lane)), far).AsInt32();
        return any == Vector128<int>.Zero;
    }

    /// <summary>Of exponents that are no larger than zero.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V ReachBelowZero<V>(V reach, V exponent) where V : unmanaged, ILanes<V> => V.Lesser(reach, exponent);

    /// <summary>Of any exponents.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Reach<V>(V reach, V exponent) where V : unmanaged, ILanes<V> =>
        V.Larger(reach, exponent & V.CreateInt(int.MaxValue));
}
