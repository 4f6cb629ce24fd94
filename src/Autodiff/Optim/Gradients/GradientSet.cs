using System.Globalization;

namespace Convoy.Autodiff.Optim.Gradients;

/// <summary>The gradient of one parameter, in place, beside the parameter's values.</summary>
/// <param name="Depth">Place of the parameter in the network, from 0.</param>
public sealed record GradientPart(string Name, double[] Gradient, double[] Weights, int Depth)
{
    public double Norm => GradientMath.Norm(Gradient);
}

/// <summary>All gradients of one step.</summary>
public sealed record GradientSet(IReadOnlyList<GradientPart> Parts, long Step)
{
    /// <summary>The norm over all parameters: squares are added part by part.</summary>
    public double GlobalNorm => Math.Sqrt(Parts.Sum(p => GradientMath.SumOfSquares(p.Gradient)));
}

/// <summary>What one stage did in one step.</summary>
public sealed record StageReport(string Stage, double NormBefore, double NormAfter)
{
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Stage}: norm {NormBefore:g6} -> {NormAfter:g6}");
}

/// <summary>GP-08: figures and small repairs of gradients. Sums go from left to right.</summary>
public static class GradientMath
{
    public static double SumOfSquares(ReadOnlySpan<double> g)
    {
        var sum = 0.0;
        foreach (var v in g) sum += v * v;
        return sum;
    }

    public static double Norm(ReadOnlySpan<double> g) => Math.Sqrt(SumOfSquares(g));

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

    /// <summary>Share of exact zeros.</summary>
    public static double Sparsity(ReadOnlySpan<double> g)
    {
        var zeros = 0;
        foreach (var v in g) zeros += v == 0 ? 1 : 0;
        return g.Length == 0 ? 0 : (double)zeros / g.Length;
    }

    /// <summary>The cosine of the angle between two gradients of equal length; 0 when either is 0.</summary>
    public static double Cosine(ReadOnlySpan<double> a, ReadOnlySpan<double> b)
    {
        if (a.Length != b.Length) throw new ArgumentException(
            $"gradients of {a.Length} and {b.Length} elements have no angle");
        var dot = 0.0;
        for (var i = 0; i < a.Length; i++) dot += a[i] * b[i];
        var lengths = Norm(a) * Norm(b);
        return lengths == 0 ? 0 : dot / lengths;
    }

    public static void Scale(Span<double> g, double factor)
    {
        for (var i = 0; i < g.Length; i++) g[i] *= factor;
    }

    /// <summary>Puts 0 for NaN and ±limit for infinities; how many elements it changed.</summary>
    public static int Clean(Span<double> g, double limit = 0)
    {
        var changed = 0;
        for (var i = 0; i < g.Length; i++)
        {
            if (double.IsFinite(g[i])) continue;
            changed++;
            g[i] = double.IsNaN(g[i]) ? 0 : Math.CopySign(limit, g[i]);
        }

        return changed;
    }
}
