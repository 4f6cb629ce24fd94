using Convoy.Shared.Numerics;
namespace Convoy.Autodiff.Ops;

/// <summary>
/// ln Γ by the approximation of Lanczos (g = 7, nine terms) and the polygamma functions by their asymptotic series,
/// both after the argument was moved to where they hold; see Abramowitz and Stegun, chapter 6.
/// </summary>
internal static class GammaFunctions
{
    private const double SeriesFrom = 20;
    // Below this, moving the argument up one by one would take too long; ψ has its reflection, the others give NaN.
    private const double RecurrenceFrom = -10_000;

    private static readonly double[] Lanczos =
    [
        0.99999999999980993, 676.5203681218851, -1259.1392167224028, 771.32342877765313, -176.61502916214059,
        12.507343278686905, -0.13857109526572012, 9.9843695780195716e-6, 1.5056327351493116e-7,
    ];

    // Bernoulli numbers B2, B4 …
    private static readonly double[] Bernoulli =
    [
        1.0 / 6, -1.0 / 30, 1.0 / 42, -1.0 / 30, 5.0 / 66, -691.0 / 2730, 7.0 / 6, -3617.0 / 510, 43867.0 / 798,
        -174611.0 / 330,
    ];

    public static double LogGamma(double x)
    {
        if (double.IsInfinity(x)) return double.PositiveInfinity;
        if (x <= 0 && x == Math.Floor(x)) return double.PositiveInfinity;
        // Γ is 1 / x here, which may be infinite where its logarithm is not.
        if (Math.Abs(x) < 1e-20) return -PortableMath.Log(Math.Abs(x));
        if (x < 0.5) return PortableMath.Log(Math.PI / Math.Abs(PortableMath.Sin(Math.PI * x))) - LogGamma(1 - x);
        x--;
        var sum = Lanczos[0];
        for (var i = 1; i < Lanczos.Length; i++) sum += Lanczos[i] / (x + i);
        var t = x + Lanczos.Length - 1.5;
        return (0.5 * PortableMath.Log(2 * Math.PI)) + ((x + 0.5) * PortableMath.Log(t)) - t + PortableMath.Log(sum);
    }

    /// <summary>The derivative of order n + 1 of ln Γ.</summary>
    public static double Polygamma(int n, double x)
    {
        if (double.IsNaN(x) || (x <= 0 && x == Math.Floor(x))) return double.NaN;
        if (x < RecurrenceFrom && n == 0) return Polygamma(0, 1 - x) - (Math.PI / PortableMath.Tan(Math.PI * x));
        if (x < RecurrenceFrom) return double.NaN;
        var (sign, moved) = (n % 2 == 0 ? -1.0 : 1.0, 0.0);
        for (; x < SeriesFrom; x++) moved += PortableMath.Pow(x, -n - 1);
        return sign * ((Factorial(n) * moved) + Series(n, x));
    }

    // For n = 0 the first term is -ln x, for others (n - 1)! / xⁿ.
    private static double Series(int n, double x)
    {
        var sum = (n == 0 ? -PortableMath.Log(x) : Factorial(n - 1) * PortableMath.Pow(x, -n))
            + (Factorial(n) / 2 * PortableMath.Pow(x, -n - 1));
        for (var k = 1; k <= Bernoulli.Length; k++)
        {
            // (2k + n - 1)! / (2k)!
            var ratio = 1.0;
            if (n == 0) ratio = 1.0 / (2 * k);
            for (var i = (2 * k) + 1; i <= (2 * k) + n - 1; i++) ratio *= i;
            sum += Bernoulli[k - 1] * ratio * PortableMath.Pow(x, -(2 * k) - n);
        }

        return sum;
    }

    private static double Factorial(int n)
    {
        var product = 1.0;
        for (var i = 2; i <= n; i++) product *= i;
        return product;
    }
}
