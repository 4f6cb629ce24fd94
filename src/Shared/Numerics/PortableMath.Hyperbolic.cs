namespace Convoy.Shared.Numerics;

public static partial class PortableMath
{
    // From here on e^-x is nothing beside e^x, and x² + 1 is x².
    private const double LargeExponent = 22;
    private const double LargeSquare = 1 << 28;

    /// <summary>Hyperbolic sine.</summary>
    public static double Sinh(double x)
    {
        var size = Math.Abs(x);
        if (!(size < LargeExponent)) return double.IsNaN(x) ? x : Math.CopySign(HalfOfExp(size), x);
        var power = ExpMinusOne(size);
        return Math.CopySign(0.5 * (power + (power / (power + 1))), x);
    }

    /// <summary>Hyperbolic cosine.</summary>
    public static double Cosh(double x)
    {
        var size = Math.Abs(x);
        if (!(size < LargeExponent)) return double.IsNaN(x) ? x : HalfOfExp(size);
        var power = Exp(size);
        return 0.5 * (power + (1 / power));
    }

    /// <summary>Hyperbolic tangent.</summary>
    public static double Tanh(double x)
    {
        var size = Math.Abs(x);
        if (!(size < LargeExponent)) return double.IsNaN(x) ? x : Math.CopySign(1, x);
        var power = ExpMinusOne(2 * size);
        return Math.CopySign(power / (power + 2), x);
    }

    /// <summary>Inverse of the hyperbolic sine.</summary>
    public static double Asinh(double x)
    {
        var size = Math.Abs(x);
        if (!double.IsFinite(x)) return x;
        var square = size * size;
        var value = size > LargeSquare ? Log(size) + Ln2
            : LogOnePlus(size + (square / (1 + Math.Sqrt(1 + square))));
        return Math.CopySign(value, x);
    }

    /// <summary>Inverse of the hyperbolic cosine; NaN below 1.</summary>
    public static double Acosh(double x)
    {
        if (x > LargeSquare) return Log(x) + Ln2;
        var above = x - 1;
        return above < 0 ? double.NaN : LogOnePlus(above + Math.Sqrt((2 * above) + (above * above)));
    }

    /// <summary>Inverse of the hyperbolic tangent; infinite at 1, NaN beyond.</summary>
    public static double Atanh(double x)
    {
        var size = Math.Abs(x);
        if (size > 1) return double.NaN;
        return Math.CopySign(size == 1 ? double.PositiveInfinity : 0.5 * LogOnePlus(2 * size / (1 - size)), x);
    }

    // e^x / 2 also where e^x is too large.
    private static double HalfOfExp(double x)
    {
        if (x < ExpMax) return 0.5 * Exp(x);
        var root = Exp(0.5 * x);
        return 0.5 * root * root;
    }
}
