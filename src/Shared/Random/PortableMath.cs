namespace Convoy.Shared.Random;

/// <summary>
/// Logarithm, sine and cosine from additions, multiplications and divisions alone, which IEEE 754 fixes to the bit.
/// The functions of a platform's library may differ in the last bit from one platform to the next. Errors stay below
/// 2e-15, far under the rounding to float32 that follows.
/// </summary>
internal static class PortableMath
{
    // ln 2 in two parts: the first has 32 zero bits at its end, so that exponent x High is exact.
    private const double Ln2High = 6.93147180369123816490e-01;
    private const double Ln2Low = 1.90821492927058770002e-10;

    /// <summary>Natural logarithm of a normal positive number.</summary>
    public static double Log(double x)
    {
        var bits = BitConverter.DoubleToInt64Bits(x);
        var exponent = (int)(bits >> 52) - 1023;
        var mantissa = BitConverter.Int64BitsToDouble((bits & 0xFFFFFFFFFFFFF) | (1023L << 52));
        // The mantissa goes to [sqrt(1/2), sqrt(2)), where the series below converges fast.
        if (mantissa > 1.4142135623730951)
        {
            mantissa *= 0.5;
            exponent++;
        }

        // ln m = 2 atanh(s) = 2 (s + s^3/3 + s^5/5 ...), |s| <= 0.172
        var s = (mantissa - 1.0) / (mantissa + 1.0);
        var square = s * s;
        var sum = 0.0;
        for (var k = 23; k >= 3; k -= 2) sum = (sum + (1.0 / k)) * square;
        return (exponent * Ln2High) + ((exponent * Ln2Low) + (2.0 * (s + (s * sum))));
    }

    /// <summary>Sine and cosine of 2 pi v / 2^32. Eighths of a turn are exact in integers.</summary>
    public static (double Sine, double Cosine) SinCosOfTurn(uint v)
    {
        var octant = (int)(v >> 29);
        var rest = v & 0x1FFFFFFF;
        // Odd octants run backwards, so the angle stays within an eighth of a turn.
        if ((octant & 1) != 0) rest = 0x20000000 - rest;
        var angle = rest * (Math.PI / 4 / 0x20000000);
        var square = angle * angle;
        var (sine, cosine) = (Sine(angle, square), Cosine(square));
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

    // Taylor series by Horner's rule; the first term left out is below 1e-19 on [0, pi/4].
    private static double Sine(double x, double square)
    {
        var sum = 1.0;
        for (var k = 16; k >= 2; k -= 2) sum = 1.0 - (sum * square / (k * (k + 1)));
        return x * sum;
    }

    private static double Cosine(double square)
    {
        var sum = 1.0;
        for (var k = 17; k >= 1; k -= 2) sum = 1.0 - (sum * square / (k * (k + 1)));
        return sum;
    }
}
