using System.Numerics;
using System.Runtime.CompilerServices;

namespace Convoy.Shared.Numerics;

public static partial class PortableMath
{
    // π/2 in three parts: the first two have 33 bits, so that their products with 20 more are exact.
    private const double Quarter1 = 1.5707963267341256;
    private const double Quarter2 = 6.077100506303966e-11;
    private const double Quarter3 = 2.0222662487959506e-21;
    private const double QuarterTurnsMax = 1 << 20;
    private const double HalfPi = Math.PI / 2;
    private const double HalfPiRest = 6.123233995736766e-17;

    // 2/π in binary places, enough for the largest number and 64 places more than it shifts out.
    private const int PlacesOfTwoOverPi = 1_280;
    private static readonly BigInteger TwoOverPi = TwoOverPiOf(PlacesOfTwoOverPi);

    // atan(i / 8), and what its rounding left.
    private static ReadOnlySpan<double> Atans =>
    [
        0, 0.12435499454676144, 0.24497866312686414, 0.35877067027057225, 0.4636476090008061, 0.5585993153435624,
        0.6435011087932844, 0.7188299996216245, 0.7853981633974483,
    ];

    private static ReadOnlySpan<double> AtanRests =>
    [
        0, -3.1253241424539383e-18, 1.0698755618734451e-17, -2.4623815582638635e-17, 2.2698777452961687e-17,
        -5.4556305485916264e-18, 1.5834785051444286e-17, -2.1478388444456983e-17, 3.061616997868383e-17,
    ];

    /// <summary>Sine of an angle in radians, of any size.</summary>
    public static double Sin(double x)
    {
        if (x == 0) return x;
        var quadrant = Reduce(x, out var y, out var rest);
        return InQuadrant(quadrant, Sine(y, rest), Cosine(y, rest));
    }

    /// <summary>Cosine of an angle in radians, of any size.</summary>
    public static double Cos(double x)
    {
        var quadrant = Reduce(x, out var y, out var rest);
        return InQuadrant(quadrant + 1, Sine(y, rest), Cosine(y, rest));
    }

    /// <summary>Tangent of an angle in radians, of any size.</summary>
    public static double Tan(double x)
    {
        if (x == 0) return x;
        var quadrant = Reduce(x, out var y, out var rest);
        var (sine, cosine) = (Sine(y, rest), Cosine(y, rest));
        return InQuadrant(quadrant, sine, cosine) / InQuadrant(quadrant + 1, sine, cosine);
    }

    /// <summary>Arc sine in radians; NaN beyond 1.</summary>
    public static double Asin(double x) => x == 0 ? x : Atan2(x, Math.Sqrt((1 - x) * (1 + x)));

    /// <summary>Arc cosine in radians; NaN beyond 1.</summary>
    public static double Acos(double x) => Atan2(Math.Sqrt((1 - x) * (1 + x)), x);

    /// <summary>Arc tangent in radians.</summary>
    public static double Atan(double x)
    {
        if (x == 0 || double.IsNaN(x)) return x;
        var size = Math.Abs(x);
        // Beyond 1 it is that of the inverse, from a quarter turn back.
        var angle = size <= 1 ? AtanUpTo1(size) : HalfPi - (AtanUpTo1(1 / size) - HalfPiRest);
        return x < 0 ? -angle : angle;
    }

    /// <summary>Angle in radians between the x axis and the point (x, y).</summary>
    public static double Atan2(double y, double x)
    {
        if (double.IsNaN(x) || double.IsNaN(y)) return double.NaN;
        var (height, width) = (Math.Abs(y), Math.Abs(x));
        if (double.IsInfinity(height) && double.IsInfinity(width)) (height, width) = (1, 1);
        var angle = height == 0 ? 0
            : height <= width ? AtanUpTo1(height / width)
            : HalfPi - (AtanUpTo1(width / height) - HalfPiRest);
        if (double.IsNegative(x)) angle = Math.PI - (angle - (2 * HalfPiRest));
        return double.IsNegative(y) ? -angle : angle;
    }

    /// <summary>Sine and cosine of 2 pi v / 2^32. Eighths of a turn are exact in integers.</summary>
    internal static (double Sine, double Cosine) SinCosOfTurn(uint v)
    {
        var octant = (int)(v >> 29);
        var rest = v & 0x1FFFFFFF;
        // Odd octants run backwards, so the angle stays within an eighth of a turn.
        if ((octant & 1) != 0) rest = 0x20000000 - rest;
        var angle = rest * (Math.PI / 4 / 0x20000000);
        var (sine, cosine) = (Sine(angle, 0), Cosine(angle, 0));
        return octant switch
        {
            0 => (sine, cosine),
            1 => (cosine, sine),
            2 => (cosine, -sine),
            3 => (sine, -cosine),
            4 => (-sine, -cosine),
            5 => (-cosine, -sine),
            6 => (-cosine, sine),
            _ => (-sine, cosine),
        };
    }

    // x = quadrant · π/2 + y + rest, |y| <= π/4; y is NaN where x is no number.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static int Reduce(double x, out double y, out double rest)
    {
        var turns = Math.Round(x * (2 / Math.PI));
        if (!(Math.Abs(turns) < QuarterTurnsMax)) return ReduceLarge(x, out y, out rest);
        // Both products are exact, and so is the first difference: the numbers are close.
        var (high, low) = Sum(x - (turns * Quarter1), -(turns * Quarter2));
        (y, rest) = Sum(high, low - (turns * Quarter3));
        return (int)turns & 3;
    }

    // The digits of 2x/π that count: those of its last two whole bits and its fraction (Payne and Hanek 1983).
    [MethodImpl(MethodImplOptions.NoInlining)]
    private static int ReduceLarge(double x, out double y, out double rest)
    {
        (y, rest) = (double.NaN, 0);
        if (!double.IsFinite(x)) return 0;
        var bits = BitConverter.DoubleToInt64Bits(Math.Abs(x));
        var exponent = (int)(bits >> 52) - 1_075;
        var product = ((bits & 0xFFFFFFFFFFFFF) | (1L << 52)) * TwoOverPi;
        // product = 2|x|/π · 2^point. A quarter turn has 128 places here, those that are kept.
        var point = PlacesOfTwoOverPi - exponent;
        var kept = (product >> (point - 128)) & ((BigInteger.One << 130) - 1);
        var quadrant = (int)(kept >> 128);
        var fraction = kept & ((BigInteger.One << 128) - 1);
        if (fraction >> 127 != 0) (quadrant, fraction) = (quadrant + 1, fraction - (BigInteger.One << 128));
        var high = (double)fraction;
        var low = (double)(fraction - new BigInteger(high));
        (high, low) = (Math.ScaleB(high, -128), Math.ScaleB(low, -128));
        (y, rest) = Product(high, HalfPi);
        rest += (high * HalfPiRest) + (low * HalfPi);
        (y, rest) = Sum(y, rest);
        if (x < 0) (quadrant, y, rest) = (-quadrant, -y, -rest);
        return quadrant & 3;
    }

    // Machin: π/4 = 4 atan(1/5) - atan(1/239), in whole numbers.
    private static BigInteger TwoOverPiOf(int places)
    {
        const int Guard = 64;
        var one = BigInteger.One << (places + Guard);
        var quarter = (4 * AtanOfInverse(5, one)) - AtanOfInverse(239, one);
        return (one * one / (2 * quarter)) >> Guard;
    }

    private static BigInteger AtanOfInverse(int n, BigInteger one)
    {
        var power = one / n;
        var sum = power;
        for (var k = 3; !power.IsZero; k += 2)
        {
            power /= -n * n;
            sum += power / k;
        }

        return sum;
    }

    // The sine of an angle in a quadrant, from sine and cosine of what it is beyond it; without a branch, because
    // nobody can predict quadrants.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double InQuadrant(int quadrant, double sine, double cosine)
    {
        var takesCosine = -(long)(quadrant & 1);
        var bits = (BitConverter.DoubleToInt64Bits(sine) & ~takesCosine)
            | (BitConverter.DoubleToInt64Bits(cosine) & takesCosine);
        return BitConverter.Int64BitsToDouble(bits ^ ((long)(quadrant & 2) << 62));
    }

    // Taylor series; the first term left out is below 1e-19 on [0, π/4].
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Sine(double x, double rest)
    {
        var z = x * x;
        var z2 = z * z;
        var first = (-1.0 / 6) + (z * (1.0 / 120)) + (z2 * ((-1.0 / 5_040) + (z * (1.0 / 362_880))));
        var second = (-1.0 / 39_916_800) + (z * (1.0 / 6_227_020_800))
            + (z2 * ((-1.0 / 1_307_674_368_000) + (z * (1.0 / 355_687_428_096_000))));
        return x + ((x * z * (first + (z2 * z2 * second))) + (rest * (1 - (0.5 * z))));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double Cosine(double x, double rest)
    {
        var z = x * x;
        var z2 = z * z;
        var first = (1.0 / 24) + (z * (-1.0 / 720)) + (z2 * ((1.0 / 40_320) + (z * (-1.0 / 3_628_800))));
        var second = (1.0 / 479_001_600) + (z * (-1.0 / 87_178_291_200))
            + (z2 * ((1.0 / 20_922_789_888_000) + (z * (-1.0 / 6_402_373_705_728_000))));
        var half = 0.5 * z;
        var most = 1 - half;
        // What the subtraction rounded away comes back with the small terms.
        return most + (1 - most - half + ((z2 * (first + (z2 * z2 * second))) - (x * rest)));
    }

    // 0 <= x <= 1: atan x = atan c + atan((x - c) / (1 + c x)), c the nearest eighth.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double AtanUpTo1(double x)
    {
        var eighth = (int)((x * 8) + 0.5);
        var near = eighth * 0.125;
        var t = (x - near) / (1 + (near * x));
        var z = t * t;
        var z2 = z * z;
        var first = (1.0 / 3) - (z * (1.0 / 5)) + (z2 * ((1.0 / 7) - (z * (1.0 / 9))));
        var second = (1.0 / 11) - (z * (1.0 / 13)) + (z2 * (1.0 / 15));
        return Atans[eighth] + (t + (AtanRests[eighth] - (t * z * (first + (z2 * z2 * second)))));
    }
}
