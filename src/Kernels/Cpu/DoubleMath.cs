using Convoy.Shared.Numerics;
namespace Convoy.Kernels.Cpu;

/// <summary>Functions of float64 that the framework lacks; used for gradient checks, so accuracy comes before
/// speed.</summary>
internal static class DoubleMath
{
    /// <summary>Error function: its Taylor series near zero, the continued fraction of the complement
    /// elsewhere.</summary>
    public static double Erf(double x)
    {
        var a = Math.Abs(x);
        if (double.IsNaN(x)) return x;
        var y = a < 2 ? Series(a) : 1 - Complement(a);
        return x < 0 ? -y : y;
    }

    public static double Gelu(double x) => 0.5 * x * (1 + Erf(x / Math.Sqrt(2)));

    public static double GeluSlope(double x) =>
        (0.5 * (1 + Erf(x / Math.Sqrt(2)))) + (x * PortableMath.Exp(-0.5 * x * x) / Math.Sqrt(2 * Math.PI));

    // 2/√π · e^(-x²) · Σ 2^k x^(2k+1) / (2k+1)!!: all terms positive, so nothing cancels.
    private static double Series(double x)
    {
        var (term, sum) = (x, x);
        for (var k = 1; k < 200 && term > sum * 1e-18; k++)
        {
            term *= 2 * x * x / ((2 * k) + 1);
            sum += term;
        }

        return 2 / Math.Sqrt(Math.PI) * PortableMath.Exp(-x * x) * sum;
    }

    private static double Complement(double x)
    {
        if (x > 27) return 0;
        double f = 0;
        for (var k = 120; k > 0; k--) f = k / 2.0 / (x + f);
        return PortableMath.Exp(-x * x) / Math.Sqrt(Math.PI) / (x + f);
    }
}
