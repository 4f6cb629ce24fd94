namespace Convoy.Autodiff.Checking.Samples;

/// <summary>
/// Elementary functions from their series alone, so that the reference of a kernel is not the library call that the
/// kernel makes. Right to 1e-12 for the small arguments of the samples.
/// </summary>
internal static class Series
{
    public static double Exp(double x) => x < 0 ? 1 / Exp(-x) : Sum(1, (term, k) => term * x / k, 1, 200);

    public static double Ln(double x)
    {
        // x = m 2^e with m near 1: ln m = 2 artanh((m - 1) / (m + 1)).
        var e = 0;
        for (; x > 1.5; e++) x /= 2;
        for (; x < 0.75; e--) x *= 2;
        return AtanhNearZero((x - 1) / (x + 1)) * 2 + (e * AtanhNearZero(1.0 / 3) * 2);
    }

    public static double Sin(double x) => Sum(x, (term, k) => -term * x * x / ((2 * k) * ((2 * k) + 1.0)), 1, 60);

    public static double Cos(double x) => Sum(1, (term, k) => -term * x * x / (((2 * k) - 1.0) * (2 * k)), 1, 60);

    // Euler's series, which converges everywhere.
    public static double Atan(double x) =>
        Sum(x / (1 + (x * x)), (term, k) => term * 2 * k / ((2 * k) + 1.0) * x * x / (1 + (x * x)), 1, 3000);

    public static double Erf(double x)
    {
        var (sum, power) = (0.0, x);
        for (var k = 0; k < 200; k++)
        {
            sum += power / ((2 * k) + 1);
            power *= -x * x / (k + 1);
        }

        return 2 / Math.Sqrt(Math.PI) * sum;
    }

    /// <summary>ln |Γ| by moving x up and Stirling's series.</summary>
    public static double LogGamma(double x)
    {
        var moved = 0.0;
        for (; x < 30; x++) moved += Ln(Math.Abs(x));
        return ((x - 0.5) * Ln(x)) - x + (0.5 * Ln(2 * Math.PI)) + (1 / (12 * x)) - (1 / (360 * x * x * x))
            + (1 / (1260 * Math.Pow(x, 5))) - moved;
    }

    /// <summary>ψ⁽ⁿ⁾ as its sum over poles, with the tail as an integral and its first corrections.</summary>
    public static double Polygamma(int n, double x)
    {
        const int Terms = 4000;
        var (sum, factorial) = (0.0, 1.0);
        for (var i = 2; i <= n; i++) factorial *= i;
        var end = x + Terms;
        if (n == 0)
        {
            for (var k = 0; k < Terms; k++) sum -= 1 / (x + k);
            return sum + Ln(end) - (0.5 / end) - (1 / (12 * end * end));
        }

        for (var k = 0; k < Terms; k++) sum += Math.Pow(x + k, -n - 1);
        sum += (Math.Pow(end, -n) / n) + (0.5 * Math.Pow(end, -n - 1)) + ((n + 1) / 12.0 * Math.Pow(end, -n - 2));
        return (n % 2 == 0 ? -1 : 1) * factorial * sum;
    }

    private static double AtanhNearZero(double x)
    {
        var (sum, power) = (0.0, x);
        for (var k = 1; k < 120; k += 2, power *= x * x) sum += power / k;
        return sum;
    }

    private static double Sum(double first, Func<double, int, double> next, int from, int count)
    {
        var (sum, term) = (first, first);
        for (var k = from; k < count && Math.Abs(term) > 1e-19; k++) sum += term = next(term, k);
        return sum;
    }
}
