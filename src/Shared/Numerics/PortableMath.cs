using System.Runtime.CompilerServices;

namespace Convoy.Shared.Numerics;

/// <summary>
/// Elementary functions of float64 from additions, multiplications, divisions, square roots and fused multiply-adds
/// alone, which IEEE 754 fixes to the bit. Those of a platform's library differ in the last bit between platforms,
/// versions of the library and even processors (glibc has other code where there is FMA); members of a job whose
/// learning rates differ by a bit have other weights. What has such a function and shows in weights takes it here.
/// Errors are below 1 unit in the last place for <see cref="Exp"/>, <see cref="Log"/>, <see cref="Pow"/>,
/// <see cref="Sin"/>, <see cref="Cos"/> and <see cref="Cbrt"/>, below 4 for the others; infinities, NaN and signs of
/// zeros are those of <see cref="Math"/>.
/// </summary>
public static partial class PortableMath
{
    // ln 2 in two parts: the first has 21 zero bits at its end, so that exponent x High is exact.
    private const double Ln2High = 0.6931471803691238;
    private const double Ln2Low = 1.9082149292705877e-10;
    private const double Ln2 = 0.6931471805599453;

    // 1 / ln 2, and what its rounding left.
    private const double InverseLn2 = 1.4426950408889634;
    private const double InverseLn2Rest = 2.0355273740931033e-17;

    private const double ExpMax = 709.782712893384;
    private const double ExpMin = -745.1332191019412;

    private static readonly double TwoTo54 = Math.ScaleB(1, 54);

    /// <summary>e^x.</summary>
    public static double Exp(double x) => Exp(x, 0);

    /// <summary>e^x - 1, with all digits of a small x.</summary>
    public static double ExpMinusOne(double x)
    {
        if (Math.Abs(x) >= 0.35) return Exp(x) - 1;
        return x == 0 ? x : x + (x * x * ExpTail(x));
    }

    /// <summary>Natural logarithm.</summary>
    public static double Log(double x)
    {
        if (!(x > 0) || double.IsPositiveInfinity(x)) return LogOfNone(x);
        var (mantissa, exponent) = Split(x);
        var s = (mantissa - 1) / (mantissa + 1);
        return (exponent * Ln2High) + ((exponent * Ln2Low) + (2 * (s + (s * AtanhTail(s * s)))));
    }

    /// <summary>
    /// ln(1 + x), with all digits of a small x: the rounding error of 1 + x is divided out again (Goldberg 1991,
    /// theorem 4).
    /// </summary>
    public static double LogOnePlus(double x)
    {
        var u = 1 + x;
        if (u == 1) return x;
        return double.IsPositiveInfinity(u) ? u : Log(u) * (x / (u - 1));
    }

    /// <summary>Logarithm to base 2; whole numbers for powers of two.</summary>
    public static double Log2(double x)
    {
        if (!(x > 0) || double.IsPositiveInfinity(x)) return LogOfNone(x);
        var (mantissa, exponent) = Split(x);
        var (high, low) = LogOfMantissa(mantissa);
        var (bits, rest) = Product(high, InverseLn2);
        return exponent + (bits + (rest + (high * InverseLn2Rest) + (low * InverseLn2)));
    }

    /// <summary>x^y; whole powers of whole numbers are exact where float64 has them.</summary>
    public static double Pow(double x, double y)
    {
        if (y == 0 || x == 1) return 1;
        if (double.IsNaN(x) || double.IsNaN(y)) return double.NaN;
        if (double.IsInfinity(y))
        {
            var size = Math.Abs(x);
            return size == 1 ? 1 : size > 1 == y > 0 ? double.PositiveInfinity : 0;
        }

        var isWhole = Math.Floor(y) == y;
        var isOdd = isWhole && Math.Abs(y) < 1L << 53 && ((long)y & 1) != 0;
        if (x == 0 || double.IsInfinity(x))
        {
            var result = x == 0 == y > 0 ? 0 : double.PositiveInfinity;
            return isOdd && double.IsNegative(x) ? -result : result;
        }

        if (x < 0 && !isWhole) return double.NaN;
        var power = PowOfPositive(Math.Abs(x), y);
        return x < 0 && isOdd ? -power : power;
    }

    /// <summary>Third root, of negative numbers too; exact where there is one.</summary>
    public static double Cbrt(double x)
    {
        var size = Math.Abs(x);
        if (size == 0 || !double.IsFinite(x)) return x;
        var scale = 1.0;
        if (size < 1e-290) (size, scale) = (size * TwoTo54, 1.0 / (1 << 18)); // cubes below stay normal
        var root = Exp(Log(size) / 3);
        // One step of Newton's method with the error of the cube: the estimate has 40 digits of 53 at the least.
        var (square, squareRest) = Product(root, root);
        root -= (Math.FusedMultiplyAdd(square, root, -size) + (squareRest * root)) / (3 * square);
        return x < 0 ? -root * scale : root * scale;
    }

    // e^(x + rest), |rest| far below the last place of x.
    private static double Exp(double x, double rest)
    {
        if (!(x <= ExpMax)) return double.IsNaN(x) ? x : double.PositiveInfinity;
        if (x < ExpMin) return 0;
        var k = Math.Round(x * InverseLn2);
        var high = Math.FusedMultiplyAdd(-k, Ln2High, x);
        var low = (k * Ln2Low) - rest;
        var r = high - low;
        var lost = high - r - low;
        var value = 1 + (r + ((r * r * ExpTail(r)) + (lost + (lost * r))));
        var exponent = (int)k;
        if (exponent is > -1_022 and < 1_023) return value * PowerOfTwo(exponent);
        // The first factor is exact, so only one product rounds, also where the result is subnormal.
        var half = exponent / 2;
        return value * PowerOfTwo(half) * PowerOfTwo(exponent - half);
    }

    // Series are added in pairs, pairs of pairs, .. (Estrin 1960): one term after the other they wait for each other.

    // (e^r - 1 - r) / r² to r^12 / 14!: for |r| below 0.36 what is left out is below 1e-17 of it.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double ExpTail(double r)
    {
        var r2 = r * r;
        var r4 = r2 * r2;
        var first = 0.5 + (r * (1.0 / 6)) + (r2 * ((1.0 / 24) + (r * (1.0 / 120))));
        var second = (1.0 / 720) + (r * (1.0 / 5_040)) + (r2 * ((1.0 / 40_320) + (r * (1.0 / 362_880))));
        var third = (1.0 / 3_628_800) + (r * (1.0 / 39_916_800))
            + (r2 * ((1.0 / 479_001_600) + (r * (1.0 / 6_227_020_800))));
        return first + (r4 * second) + (r4 * r4 * (third + (r4 * (1.0 / 87_178_291_200))));
    }

    // atanh(s)/s - 1 = s²/3 + s⁴/5 + ... + s²²/23, |s| <= 0.172.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double AtanhTail(double x)
    {
        var x2 = x * x;
        var x4 = x2 * x2;
        var first = (1.0 / 3) + (x * (1.0 / 5)) + (x2 * ((1.0 / 7) + (x * (1.0 / 9))));
        var second = (1.0 / 11) + (x * (1.0 / 13)) + (x2 * ((1.0 / 15) + (x * (1.0 / 17))));
        var third = (1.0 / 19) + (x * (1.0 / 21)) + (x2 * (1.0 / 23));
        return x * (first + (x4 * second) + (x4 * x4 * third));
    }

    // x = mantissa x 2^exponent, the mantissa in [sqrt(1/2), sqrt(2)), where the series converge fast: no branch on
    // what the mantissa is, which nobody can predict.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (double Mantissa, int Exponent) Split(double x)
    {
        const long RootOfHalf = 0x3FE6A09E667F3BCD;
        var shift = 0;
        if (x < 2.2250738585072014e-308) (x, shift) = (x * TwoTo54, 54);
        var bits = BitConverter.DoubleToInt64Bits(x);
        var exponent = (bits - RootOfHalf) >> 52;
        return (BitConverter.Int64BitsToDouble(bits - (exponent << 52)), (int)exponent - shift);
    }

    private static double LogOfNone(double x) =>
        x == 0 ? double.NegativeInfinity : x < 0 ? double.NaN : x; // infinity and NaN

    // ln m as a sum of two numbers, to some 1e-18 of it.
    private static (double High, double Low) LogOfMantissa(double mantissa)
    {
        var (sum, sumRest) = Sum(mantissa, 1);
        var s = (mantissa - 1) / sum;
        var rest = (Math.FusedMultiplyAdd(-s, sum, mantissa - 1) - (s * sumRest)) / sum;
        return Sum(2 * s, 2 * (rest + (s * AtanhTail(s * s))));
    }

    private static double PowOfPositive(double x, double y)
    {
        var (mantissa, exponent) = Split(x);
        var (ofMantissa, low) = LogOfMantissa(mantissa);
        var (high, rest) = Sum(exponent * Ln2High, ofMantissa);
        (high, low) = Sum(high, rest + low + (exponent * Ln2Low));
        // Far outside of what e^ has: the product below would be infinity minus infinity.
        if (Math.Abs(y) > 1e300 / Math.Max(Math.Abs(high), 1)) return high == 0 ? 1 : high > 0 == y > 0
            ? double.PositiveInfinity : 0;
        (high, rest) = Product(y, high);
        return Exp(high, rest + (y * low));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static double PowerOfTwo(int exponent) => BitConverter.Int64BitsToDouble((exponent + 1023L) << 52);

    // a + b and what its rounding left (Knuth).
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (double Sum, double Low) Sum(double a, double b)
    {
        var sum = a + b;
        var ofB = sum - a;
        return (sum, a - (sum - ofB) + (b - ofB));
    }

    // a·b and what its rounding left.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static (double Product, double Low) Product(double a, double b)
    {
        var product = a * b;
        return (product, Math.FusedMultiplyAdd(a, b, -product));
    }
}
