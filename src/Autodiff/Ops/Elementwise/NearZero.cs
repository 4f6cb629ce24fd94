namespace Convoy.Autodiff.Ops;

/// <summary>
/// ln(1 + x) and e^x - 1 with all digits of a small x. The framework's functions of these names add or subtract the 1
/// after rounding, and have none left below 1e-16.
/// </summary>
internal static class NearZero
{
    /// <summary>ln(1 + x): the rounding error of 1 + x is divided out again (Goldberg 1991, theorem 4).</summary>
    public static double LogOnePlus(double x)
    {
        var u = 1 + x;
        if (u == 1) return x;
        return double.IsPositiveInfinity(u) ? u : Math.Log(u) * x / (u - 1);
    }

    /// <summary>e^x - 1: near 0 the error of e^x is divided out by its logarithm (Kahan, in Higham 2002,
    /// 1.14.1).</summary>
    public static double ExpMinusOne(double x)
    {
        var u = Math.Exp(x);
        if (u == 1) return x;
        return Math.Abs(x) < 0.5 ? (u - 1) * x / Math.Log(u) : u - 1;
    }
}
