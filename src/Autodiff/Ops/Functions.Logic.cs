using Convoy.Shared;

namespace Convoy.Autodiff.Ops;

/// <summary>How "some" and "all" are read.</summary>
public enum Quantifier
{
    /// <summary>The largest, the smallest.</summary>
    Hard,
    /// <summary>A mean under logarithm and exponential, hard as the temperature falls to 0.</summary>
    Smooth,
    /// <summary>Products, of independent events.</summary>
    Probabilistic,
}

// Operators as methods of values: logic with a temperature, with weights, and in logarithms of probabilities (LOG-03 to
// LOG-06). Truth values lie in [0, 1]; axes may be negative; no axes means all.
public static partial class Functions
{
    /// <summary>-or-smooth(-x, -y): min(x, y) as the temperature falls to 0, the mean as it rises.</summary>
    /// <param name="temperature">Above 0, in units of truth values.</param>
    public static Value AndSmooth(this Value x, Value y, double temperature) =>
        x.Apply(OpTable.AndSmooth, Attributes.Of("temperature", temperature), y);

    /// <summary>t ln((e^(x/t) + e^(y/t)) / 2): max(x, y) as the temperature t falls to 0, the mean as it
    /// rises.</summary>
    /// <param name="temperature">Above 0, in units of truth values.</param>
    public static Value OrSmooth(this Value x, Value y, double temperature) =>
        x.Apply(OpTable.OrSmooth, Attributes.Of("temperature", temperature), y);

    /// <summary>1 - <see cref="AndSmooth"/>.</summary>
    /// <param name="temperature">Above 0, in units of truth values.</param>
    public static Value NandSmooth(this Value x, Value y, double temperature) =>
        x.Apply(OpTable.NandSmooth, Attributes.Of("temperature", temperature), y);

    /// <summary>1 - <see cref="OrSmooth"/>.</summary>
    /// <param name="temperature">Above 0, in units of truth values.</param>
    public static Value NorSmooth(this Value x, Value y, double temperature) =>
        x.Apply(OpTable.NorSmooth, Attributes.Of("temperature", temperature), y);

    /// <summary>One of both and not the other: and-smooth(or-smooth(x, y), nand-smooth(x, y)).</summary>
    /// <param name="temperature">Above 0, in units of truth values.</param>
    public static Value XorSmooth(this Value x, Value y, double temperature) =>
        x.Apply(OpTable.XorSmooth, Attributes.Of("temperature", temperature), y);

    /// <summary>or-smooth(1 - x, y).</summary>
    /// <param name="temperature">Above 0, in units of truth values.</param>
    public static Value ImpliesSmooth(this Value x, Value y, double temperature) =>
        x.Apply(OpTable.ImpliesSmooth, Attributes.Of("temperature", temperature), y);

    /// <summary>Some element holds, read as the quantifier says; the temperature counts for smooth ones only.</summary>
    public static Value Exists(
        this Value x, Quantifier reading, ReadOnlySpan<int> axes = default, bool keep = false,
        double temperature = 0.1) => reading switch
        {
            Quantifier.Hard => x.Exists(axes, keep),
            Quantifier.Smooth => x.ExistsSmooth(temperature, axes, keep),
            Quantifier.Probabilistic => x.ExistsProb(axes, keep),
            _ => throw Invariant.Unhandled(reading),
        };

    /// <summary>Every element holds, read as the quantifier says; the temperature counts for smooth ones
    /// only.</summary>
    public static Value ForAll(
        this Value x, Quantifier reading, ReadOnlySpan<int> axes = default, bool keep = false,
        double temperature = 0.1) => reading switch
        {
            Quantifier.Hard => x.ForAll(axes, keep),
            Quantifier.Smooth => x.ForAllSmooth(temperature, axes, keep),
            Quantifier.Probabilistic => x.ForAllProb(axes, keep),
            _ => throw Invariant.Unhandled(reading),
        };

    /// <summary>1 - Π (1 - x)^w with weights of 0 or more: an element of weight 0 does not count.</summary>
    public static Value ExistsWeighted(
        this Value x, Value weights, ReadOnlySpan<int> axes = default, bool keep = false) =>
        OfWeights(OpTable.ExistsWeighted, x, weights, axes, keep);

    /// <summary>Π x^w with weights of 0 or more: an element of weight 0 does not count.</summary>
    public static Value ForAllWeighted(
        this Value x, Value weights, ReadOnlySpan<int> axes = default, bool keep = false) =>
        OfWeights(OpTable.ForAllWeighted, x, weights, axes, keep);

    /// <summary>Σ w x / Σ w: one score for constraints that count unlike.</summary>
    public static Value WeightedMean(
        this Value x, Value weights, ReadOnlySpan<int> axes = default, bool keep = false) =>
        OfWeights(OpTable.WeightedMean, x, weights, axes, keep);

    /// <summary>ln(1 - p) from x = ln p, below 0.</summary>
    public static Value LogNot(this Value x) => x.Apply(OpTable.LogNot);

    /// <summary>ln of "some of independent events" from x = ln p; right where p itself would round to 0 or 1.</summary>
    public static Value LogExists(this Value x, ReadOnlySpan<int> axes = default, bool keep = false) =>
        Reduce(OpTable.LogExists, x, axes, keep);

    /// <summary>ln of "all of independent events" from x = ln p.</summary>
    public static Value LogForAll(this Value x, ReadOnlySpan<int> axes = default, bool keep = false) =>
        Reduce(OpTable.LogForAll, x, axes, keep);

    private static Value OfWeights(Op op, Value x, Value weights, ReadOnlySpan<int> axes, bool keep)
    {
        var attributes = Attributes.Of("axes", Axes.Normalize(axes, x.Type, op.Name));
        return x.Apply(op, keep ? attributes.With("keep", 1L) : attributes, weights);
    }
}
