using System.Globalization;

namespace Convoy.Autodiff.Optim.Gradients;

/// <summary>Figures of gradients taken as one list of numbers, parameter after parameter.</summary>
/// <param name="Count">How many numbers; a complex element is two.</param>
/// <param name="Mean">0 when there are none.</param>
/// <param name="Deviation">The root of the mean squared distance from the mean.</param>
/// <param name="Min">The smallest.</param>
/// <param name="Max">The largest.</param>
/// <param name="Norm">The Euclidean norm.</param>
/// <param name="Sparsity">The share of zeros.</param>
/// <param name="NotFinite">How many are NaN or infinite.</param>
public readonly record struct GradientFigures(
    long Count, double Mean, double Deviation, double Min, double Max, double Norm, double Sparsity, long NotFinite)
{
    /// <summary>Figures of all parameters of a set; zeros for an empty one.</summary>
    public static GradientFigures Of(GradientSet set)
    {
        var (count, figures) = (0L, new Figures());
        foreach (var part in set.Parts)
        {
            part.Gradient.Fold(ref figures);
            count += part.Gradient.Length;
        }

        if (count == 0) return default;
        var mean = figures.Sum / count;
        var spread = new Squares(mean);
        foreach (var part in set.Parts) part.Gradient.Fold(ref spread);
        return new GradientFigures(count, mean, Math.Sqrt(spread.Value / count), figures.Min, figures.Max,
            set.GlobalNorm, (double)figures.Zeros / count, figures.NotFinite);
    }

    private struct Figures() : IElementFold
    {
        public long Zeros;
        public long NotFinite;
        public double Sum;
        public double Min = double.PositiveInfinity;
        public double Max = double.NegativeInfinity;

        public void Take(double value)
        {
            Zeros += value == 0 ? 1 : 0;
            NotFinite += double.IsFinite(value) ? 0 : 1;
            Sum += value;
            (Min, Max) = (Math.Min(Min, value), Math.Max(Max, value));
        }
    }
}

/// <summary>What one stage did in one step.</summary>
/// <param name="Stage">Its name.</param>
/// <param name="Before">Figures of all gradients as they came.</param>
/// <param name="After">And as they went on.</param>
public sealed record StageReport(string Stage, GradientFigures Before, GradientFigures After)
{
    /// <summary>The norm over all parameters that came to the stage.</summary>
    public double NormBefore => Before.Norm;
    /// <summary>The norm over all parameters that left it.</summary>
    public double NormAfter => After.Norm;

    /// <summary>Whether any figure is another one.</summary>
    public bool Changed => Before != After;

    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture, $"{Stage}: norm {NormBefore:g6} -> {NormAfter:g6}");
}

/// <summary>What one stage did in all steps so far.</summary>
/// <param name="Stage">Its name.</param>
/// <param name="Steps">Steps it has seen.</param>
/// <param name="Changed">Steps in which it changed something.</param>
/// <param name="LargestNorm">The largest norm that came to it, of those that are finite.</param>
/// <param name="MeanFactor">The mean of norm after over norm before, of steps where both are finite and not 0.</param>
public sealed record StageTotals(string Stage, long Steps, long Changed, double LargestNorm, double MeanFactor)
{
    /// <inheritdoc/>
    public override string ToString() => string.Create(
        CultureInfo.InvariantCulture,
        $"{Stage}: changed {Changed} of {Steps} steps, norms by {MeanFactor:g4} in the mean, up to {LargestNorm:g6}");
}
