using System.Runtime.CompilerServices;
using Convoy.Kernels.Cpu.Lanes;

namespace Convoy.Kernels.Cpu;

// Elementary functions of float32, one formula for every register width, so that scalar tails, NEON and AVX-512 give
// the same bits. The polynomials are minimax fits of our own (iteratively reweighted least squares on Chebyshev nodes);
// the bound of each is the largest error against System.Math over a dense grid, checked in FloatMathTests.
// Measured with eight lanes, 2,048 elements in cache, one core of Zen 3 at 3.1 GHz, medians: exp 0.23 ns an element,
// sigmoid 0.33, tanh 0.57, GELU 0.59, its slope 1.1 (2026-11, loops of ExpElements and FloatElementwise).
internal static class FloatMath
{
    // Exponents are cut in eighths of an octave: 2^(j/8) comes from a register, and a cubic is enough for the rest.
    private const int EighthBits = 3;
    // 1.5·2^23 rounds what is added to it to an integer, and leaves that in the low bits; so does any even number more
    // that stays below 2^24. Here 254 octaves more, which is twice an exponent's bias.
    private const float BiasedRounder = 12584944f;

    /// <summary>
    /// e^x, at most 1.2 ulp (the worst of 204 million arguments, each third float32 there is, was 1.198); denormal
    /// results are kept, overflow is infinity.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Exp<V>(V x) where V : unmanaged, ILanes<V>
    {
        // Outside of this range the result is 0 or infinity anyway; a NaN fails both comparisons and passes through.
        var limited = V.Larger(V.Create(-104f), V.Lesser(V.Create(89f), x));
        var form = ExpConstants<V>.Literal(BiasedRounder);
        var r = Reduce(limited, form, out var k, out var n);
        var y = PowerOf(r, n, Octave(k, k & V.CreateInt((1 << EighthBits) - 1)), form);
        // 2^m in two factors: m reaches -150, past the smallest exponent. Both halves of m + 254 have their bias, and
        // what is above them is shifted out.
        var octaves = V.ShiftRight(k, EighthBits);
        var half = V.ShiftRight(octaves, 1);
        var rest = V.SubtractInt(octaves, half);
        return y * V.ShiftLeft(half, 23) * V.ShiftLeft(rest, 23);
    }

    /// <summary>Exponents up to this size, of either sign, have a power that is a normal number.</summary>
    public const float NearMax = 87f;

    /// <summary>
    /// e^x for |x| up to <see cref="NearMax"/>, with the bits of <see cref="Exp"/> in two thirds of the
    /// instructions: no limits, and the octaves are added to the exponent. NaN for a NaN. Any other x gives a wrong
    /// number, but nothing worse.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V ExpNear<V>(V x) where V : unmanaged, ILanes<V> =>
        ExpNear(x, ExpConstants<V>.Literal(ExpConstants<V>.Rounder));

    /// <summary>The same with constants that the caller keeps.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V ExpNear<V>(V x, in ExpConstants<V> form) where V : unmanaged, ILanes<V> =>
        ExpNearEnd(ExpNearBegin(x, form), form);

    /// <summary>The first half of it, for loops that have this one's second half beside the next one's
    /// first.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static (V Left, V K, V N) ExpNearBegin<V>(V x, in ExpConstants<V> form) where V : unmanaged, ILanes<V>
    {
        var left = Reduce(x, form, out var k, out var n);
        return (left, k, n);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V ExpNearEnd<V>(in (V Left, V K, V N) part, in ExpConstants<V> form) where V : unmanaged, ILanes<V> =>
        PowerOf(part.Left, part.N, Octave(part.K, part.K), form);

    // What is left of x after n eighths of an octave; n is also in the low bits of k.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Reduce<V>(V x, in ExpConstants<V> form, out V k, out V n) where V : unmanaged, ILanes<V>
    {
        k = V.Fma(x, form.EighthsPerUnit, form.Round);
        n = k - form.Round;
        return V.Fma(n, form.MinusEighth, x);
    }

    // 2^(j/8) times the octaves that are in `eighths` above its three low bits.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Octave<V>(V k, V eighths) where V : unmanaged, ILanes<V> =>
        V.AddInt(V.Eighth(k), V.ShiftLeft(eighths, 23 - EighthBits));

    // t·e^r for |r| up to ln(2)/16. The product of n and the eighth is exact inside of r; what the constant itself
    // lacks goes into the linear term only, which is not what the chain waits for.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V PowerOf<V>(V r, V n, V t, in ExpConstants<V> form) where V : unmanaged, ILanes<V>
    {
        var high = V.Fma(r, form.Cubic, form.Square);
        var linear = V.Fma(n, form.Lacking, r);
        return V.Fma(t, V.Fma(high, r * r, linear), t);
    }

    /// <summary>Natural logarithm, at most 1.5 ulp; -infinity at 0, NaN below.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Log<V>(V x) where V : unmanaged, ILanes<V>
    {
        var denormal = V.Greater(V.Create(1.17549435e-38f), x);
        var scaled = V.Select(denormal, x * V.Create(8388608f), x);
        var bits = V.SubtractInt(scaled, V.CreateInt(0x3F3504F3));     // sqrt(1/2)
        var e = V.IntToFloat(V.ShiftRight(bits, 23)) - (denormal & V.Create(23f));
        var f = V.AddInt(bits & V.CreateInt(0x007FFFFF), V.CreateInt(0x3F3504F3)) - V.Create(1f);
        var p = V.Create(-0.07646038f);
        p = V.Fma(p, f, V.Create(0.12779088f));
        p = V.Fma(p, f, V.Create(-0.13164198f));
        p = V.Fma(p, f, V.Create(0.141997f));
        p = V.Fma(p, f, V.Create(-0.16622764f));
        p = V.Fma(p, f, V.Create(0.20001292f));
        p = V.Fma(p, f, V.Create(-0.25000837f));
        p = V.Fma(p, f, V.Create(0.3333333f));
        var square = f * f;
        var y = p * f * square;
        y = V.Fma(e, V.Create(-2.12194440e-4f), y);
        y = V.Fma(square, V.Create(-0.5f), y);
        y = V.Fma(e, V.Create(0.693359375f), f + y);
        y = V.Select(V.Equal(x, V.Create(float.PositiveInfinity)), x, y);
        y = V.Select(V.Equal(x, V.Create(0f)), V.Create(float.NegativeInfinity), y);
        var valid = V.Greater(x, V.Create(0f)) | V.Equal(x, V.Create(0f));
        return V.Select(valid, y, V.Create(float.NaN));
    }

    /// <summary>Hyperbolic tangent, at most 2 ulp.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Tanh<V>(V x) where V : unmanaged, ILanes<V> => TanhOf(x, ExpNear(TanhExponent(x)));

    // Past 40 it is one to the last bit. A NaN makes nonsense of the power, which is not taken then.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V TanhExponent<V>(V x) where V : unmanaged, ILanes<V>
    {
        var limited = V.Lesser(V.Create(40f), x & V.CreateInt(int.MaxValue));
        return limited + limited;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V TanhOf<V>(V x, V power) where V : unmanaged, ILanes<V>
    {
        var sign = x & V.CreateInt(int.MinValue);
        var square = x * x;
        var p = V.Create(-0.0056669805f);
        p = V.Fma(p, square, V.Create(0.02060618f));
        p = V.Fma(p, square, V.Create(-0.053730007f));
        p = V.Fma(p, square, V.Create(0.13331331f));
        p = V.Fma(p, square, V.Create(-0.33333278f));
        var small = V.Fma(p * square, x, x);
        var one = V.Create(1f);
        var large = one - (V.Create(2f) / (power + one));
        return V.Select(V.Greater(x ^ sign, V.Create(0.625f)), large | sign, small);
    }

    /// <summary>Error function, at most 2 ulp: x·P(x²) up to 1, above it 1 - e^(-R(x)), R a fit of -ln(erfc).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Erf<V>(V x) where V : unmanaged, ILanes<V>
    {
        var sign = x & V.CreateInt(int.MinValue);
        var a = x ^ sign;
        // A NaN makes nonsense of the power, which is not taken then.
        return ErfOf(a, sign, ErfSmall(x), ExpNear(ErfExponent(a)));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V ErfSmall<V>(V x) where V : unmanaged, ILanes<V>
    {
        var square = x * x;
        var fourth = square * square;
        var p = V.Fma(V.Create(-0.0008010247f), square, V.Create(0.0051883343f));
        p = V.Fma(V.Create(7.854025e-05f), fourth, p);
        p = V.Fma(p, fourth, V.Fma(V.Create(-0.026853817f), square, V.Create(0.112835854f)));
        p = V.Fma(p, fourth, V.Fma(V.Create(-0.37612626f), square, V.Create(0.12837917f)));
        return V.Fma(p, x, x);
    }

    // -R(a). Past 4 the complement is under half an ulp of one.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V ErfExponent<V>(V a) where V : unmanaged, ILanes<V>
    {
        var limited = V.Lesser(V.Create(4f), a);
        var t = limited - V.Create(2f);
        var t2 = t * t;
        var r = V.Fma(V.Create(0.00070148864f), t, V.Create(-0.0035468405f));
        r = V.Fma(V.Create(-0.00019150504f), t2, r);
        r = V.Fma(r, t2, V.Fma(V.Create(0.016491879f), t, V.Create(0.9237557f)));
        r = V.Fma(r, t2, V.Fma(V.Create(4.4181595f), t, V.Create(5.364941f)));
        return V.Create(0f) - r;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V ErfOf<V>(V a, V sign, V small, V complement) where V : unmanaged, ILanes<V> =>
        V.Select(V.Greater(a, V.Create(1f)), (V.Create(1f) - complement) | sign, small);

    /// <summary>1 / (1 + e^-x).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Sigmoid<V>(V x) where V : unmanaged, ILanes<V> => SigmoidOf(Exp(V.Create(0f) - x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V SigmoidOf<V>(V power) where V : unmanaged, ILanes<V> =>
        V.Create(1f) / (V.Create(1f) + power);

    /// <summary>
    /// x·Φ(x), the exact form of GELU, with an error of 2e-7·|x| at most. From the tail that |x| leaves, h = Φ(-|x|):
    /// it is x - x·h above zero and x·h below.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V Gelu<V>(V x) where V : unmanaged, ILanes<V> => GeluOf(x, ExpNear(GeluExponent(x)));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V GeluExponent<V>(V x) where V : unmanaged, ILanes<V> => TailExponent(TailPlace(x));

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V GeluOf<V>(V x, V tail) where V : unmanaged, ILanes<V> => GeluOf(x, TailPlace(x), tail);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V GeluOf<V>(V x, V place, V tail) where V : unmanaged, ILanes<V> =>
        V.Larger(V.Create(0f), x) - (place * tail);

    /// <summary>Φ(x) + x·φ(x). Its two exponentials are computed side by side: each is a long chain.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V GeluSlope<V>(V x) where V : unmanaged, ILanes<V>
    {
        var a = TailPlace(x);
        var both = ExpNear(new Pair<V>(TailExponent(a), a * a * V.Create(-0.5f)));
        var positive = V.Greater(x, V.Create(0f));
        var cdf = V.Select(positive, V.Create(1f) - both.Low, both.Low);
        // a, not x: past it the density is nothing, and nothing times infinity would be NaN.
        var density = a * both.High * V.Create(0.39894228f);
        return cdf + V.Select(positive, density, V.Create(0f) - density);
    }

    /// <summary>|x|, at most 7: what is past it has a tail of 1e-12. A NaN stays.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V TailPlace<V>(V x) where V : unmanaged, ILanes<V> => TailPlace(x, TailConstants<V>.Literal());

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V TailPlace<V>(V x, in TailConstants<V> form) where V : unmanaged, ILanes<V> =>
        V.Lesser(form.Limit, x & form.Magnitude);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V TailExponent<V>(V a) where V : unmanaged, ILanes<V> =>
        TailExponent(a, TailConstants<V>.Literal());

    /// <summary>ln Φ(-a) for a in [0, 7], fitted so that Φ has an error of 5e-8 at most.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static V TailExponent<V>(V a, in TailConstants<V> form) where V : unmanaged, ILanes<V>
    {
        // Even and odd terms: few registers, and half the chain of one Horner form.
        var square = a * a;
        var even = V.Fma(form.Even3, square, form.Even2);
        even = V.Fma(even, square, form.Even1);
        even = V.Fma(even, square, form.Even0);
        var odd = V.Fma(form.Odd3, square, form.Odd2);
        odd = V.Fma(odd, square, form.Odd1);
        odd = V.Fma(odd, square, form.Odd0);
        return V.Fma(odd, a, even);
    }
}
