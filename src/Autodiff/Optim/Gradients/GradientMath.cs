using Convoy.Shared.Numerics;
namespace Convoy.Autodiff.Optim.Gradients;

/// <summary>GP-08: figures and small repairs of gradients. Sums go from left to right; nothing has the mean
/// 0.</summary>
public static class GradientMath
{
    /// <summary>Σ g².</summary>
    public static double SumOfSquares(ReadOnlySpan<double> g)
    {
        var sum = 0.0;
        foreach (var v in g) sum += v * v;
        return sum;
    }

    /// <summary>No square in a sum of squares was too large for float64, and what was too small does not
    /// matter.</summary>
    internal static bool IsWhole(double sumOfSquares) => sumOfSquares >= 1e-280 && double.IsFinite(sumOfSquares);

    /// <summary>The Euclidean norm (order 2), of numbers too whose squares are out of the range of float64.</summary>
    public static double Norm(ReadOnlySpan<double> g)
    {
        var sum = SumOfSquares(g);
        return IsWhole(sum) ? Math.Sqrt(sum) : Scaled(g, 2);
    }

    /// <summary>(Σ |g|^order)^(1/order), of numbers too whose powers are out of the range of float64; the largest size
    /// for an infinite order.</summary>
    public static double Norm(ReadOnlySpan<double> g, double order)
    {
        if (!(order >= 1)) throw new ArgumentException($"a norm has an order of 1 or more, not {order}");
        if (double.IsPositiveInfinity(order)) return Largest(g);
        var sum = 0.0;
        foreach (var v in g) sum += order == 1 ? Math.Abs(v) : PortableMath.Pow(Math.Abs(v), order);
        return order == 1 ? sum : IsWhole(sum) ? PortableMath.Pow(sum, 1 / order) : Scaled(g, order);
    }

    // As shares of the largest, which have powers within range.
    private static double Scaled(ReadOnlySpan<double> g, double order)
    {
        var (largest, sum) = (Largest(g), 0.0);
        if (largest == 0 || !double.IsFinite(largest)) return largest;
        foreach (var v in g) sum += PortableMath.Pow(Math.Abs(v) / largest, order);
        return largest * PortableMath.Pow(sum, 1 / order);
    }

    /// <summary>Σ g / n; 0 of nothing.</summary>
    public static double Mean(ReadOnlySpan<double> g)
    {
        var sum = 0.0;
        foreach (var v in g) sum += v;
        return g.Length == 0 ? 0 : sum / g.Length;
    }

    /// <summary>The root of the mean squared distance from the mean.</summary>
    public static double Deviation(ReadOnlySpan<double> g)
    {
        var (mean, sum) = (Mean(g), 0.0);
        foreach (var v in g) sum += (v - mean) * (v - mean);
        return g.Length == 0 ? 0 : Math.Sqrt(sum / g.Length);
    }

    /// <summary>The smallest and the largest element; NaN when one is NaN, 0 when there is none.</summary>
    public static (double Min, double Max) Extremes(ReadOnlySpan<double> g)
    {
        if (g.Length == 0) return (0, 0);
        var (min, max) = (g[0], g[0]);
        foreach (var v in g) (min, max) = (Math.Min(min, v), Math.Max(max, v));
        return (min, max);
    }

    /// <summary>The largest |g_i|.</summary>
    public static double Largest(ReadOnlySpan<double> g)
    {
        var largest = 0.0;
        foreach (var v in g) largest = Math.Max(largest, Math.Abs(v));
        return largest;
    }

    /// <summary>Share of elements whose size is at most the threshold: exact zeros when it is 0.</summary>
    public static double Sparsity(ReadOnlySpan<double> g, double threshold = 0)
    {
        var zeros = 0;
        foreach (var v in g) zeros += Math.Abs(v) <= threshold ? 1 : 0;
        return g.Length == 0 ? 0 : (double)zeros / g.Length;
    }

    /// <summary>
    /// The element below which a percentage of the values lies: number floor(n percent / 100) of them in order.
    /// </summary>
    /// <param name="sorted">Values in ascending order, at least one.</param>
    /// <param name="percent">0 to 100.</param>
    /// <exception cref="ArgumentException">There is no value, or the percentage is another.</exception>
    public static double Percentile(ReadOnlySpan<double> sorted, double percent)
    {
        if (sorted.Length == 0) throw new ArgumentException("a percentile is one of at least one value");
        if (percent is not (>= 0 and <= 100)) throw new ArgumentException($"a percentile is 0 to 100, not {percent}");
        return sorted[(int)Math.Min(Math.Floor(percent / 100 * sorted.Length), sorted.Length - 1)];
    }

    /// <summary>The cosine of the angle between two gradients of equal length; 0 when either is 0.</summary>
    public static double Cosine(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        RequireEqual(a.Length, b.Length, "have no angle");
        var (lengthA, lengthB, dot) = (Norm(a), Norm(b), 0.0);
        if (lengthA == 0 || lengthB == 0) return 0;
        for (var i = 0; i < a.Length; i++) dot += a[i] / lengthA * (b[i] / lengthB);
        return dot;
    }

    /// <summary>g *= factor, in place.</summary>
    public static void Scale(Span<double> g, double factor)
    {
        for (var i = 0; i < g.Length; i++) g[i] *= factor;
    }

    /// <summary>sum += factor g, element by element.</summary>
    public static void Add(Span<double> sum, ReadOnlySpan<double> g, double factor = 1)
    {
        RequireEqual(sum.Length, g.Length, "are not added");
        for (var i = 0; i < g.Length; i++) sum[i] += factor * g[i];
    }

    /// <summary>Brings the norm to 1; what has the norm 0, NaN or infinity stays. Returns the norm it had.</summary>
    public static double Normalize(Span<double> g)
    {
        var norm = Norm(g);
        if (norm == 0 || !double.IsFinite(norm)) return norm;
        // Not times 1 / norm, which is infinite for the smallest norms.
        for (var i = 0; i < g.Length; i++) g[i] /= norm;
        return norm;
    }

    /// <summary>Puts 0 for NaN and ±limit for infinities; how many elements it changed.</summary>
    public static int Clean(Span<double> g, double limit = 0)
    {
        var changed = 0;
        for (var i = 0; i < g.Length; i++)
        {
            if (double.IsFinite(g[i])) continue;
            changed++;
            g[i] = Cleaned(g[i], limit);
        }

        return changed;
    }

    internal static double Cleaned(double value, double limit) =>
        double.IsNaN(value) ? 0 : Math.CopySign(limit, value);

    private static void RequireEqual(int a, int b, string rule)
    {
        if (a != b) throw new ArgumentException($"gradients of {a} and {b} elements {rule}");
    }
}
