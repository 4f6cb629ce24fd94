using Convoy.Shared.Numerics;
namespace Convoy.Autodiff.Optim.Gradients;

/// <summary>GP-01: the size of every element at most the limit; a complex element keeps its angle (CPX-02). NaN
/// stays NaN.</summary>
/// <param name="limit">0 or more.</param>
/// <exception cref="ArgumentException">The limit is below 0 or no number.</exception>
public sealed class ClipByValue(double limit) : GradientStage
{
    private readonly double _limit = limit >= 0 ? limit
        : throw new ArgumentException($"the limit of clipped values is 0 or more, not {limit}");

    /// <inheritdoc/>
    public override string Name => "clip by value";

    /// <inheritdoc/>
    public override void Apply(GradientSet gradients)
    {
        foreach (var part in gradients.Parts) part.Limit(_limit);
    }
}

/// <summary>
/// GP-01, GP-02: one factor for all gradients, so that the norm over all of them is at most the bound, which may follow
/// the norms of the training.
/// </summary>
public sealed class ClipByGlobalNorm(ClipBound bound) : GradientStage
{
    /// <summary>The same bound, above 0, in every step (Pascanu and others 2013).</summary>
    public ClipByGlobalNorm(double bound) : this(new FixedBound(bound))
    {
    }

    /// <inheritdoc/>
    public override string Name => bound is FixedBound ? "clip by global norm" : $"clip by global norm, {bound.Name}";

    /// <inheritdoc/>
    public override void Apply(GradientSet gradients)
    {
        var norm = gradients.GlobalNorm;
        var factor = FactorTo(bound.Next(norm), norm);
        if (factor != 1) gradients.Scale(factor);
    }

    /// <inheritdoc/>
    public override void Save(ICollection<double> state) => bound.Save(state);

    /// <inheritdoc/>
    public override void Restore(Queue<double> state) => bound.Restore(state);
}

/// <summary>GP-03: the norm of each parameter's gradient at most a bound of its own.</summary>
public sealed class ClipByNorm(Func<GradientPart, double> boundOf) : GradientStage
{
    /// <summary>One bound, and others for the parameters that are named.</summary>
    /// <param name="bound">For all parameters that <paramref name="boundOf"/> does not name.</param>
    /// <param name="boundOf">By the name of a parameter.</param>
    public ClipByNorm(double bound, IReadOnlyDictionary<string, double>? boundOf = null)
        : this(part => boundOf is not null && boundOf.TryGetValue(part.Name, out var own) ? own : bound)
    {
    }

    /// <inheritdoc/>
    public override string Name => "clip by norm";

    /// <summary>A bound that grows with the parameter: the root of its mean squared element is at most this.</summary>
    public static ClipByNorm BySize(double rootMeanSquare) => new(part => rootMeanSquare * Math.Sqrt(part.Count));

    /// <summary>A bound that changes by a factor from each depth to the next.</summary>
    public static ClipByNorm ByDepth(double first, double factor) =>
        new(part => first * PortableMath.Pow(factor, part.Depth));

    /// <summary>A bound for each kind of parameter.</summary>
    public static ClipByNorm ByKind(double otherwise, IReadOnlyDictionary<string, double> boundOf) =>
        new(part => boundOf.TryGetValue(part.Kind, out var own) ? own : otherwise);

    /// <inheritdoc/>
    public override void Apply(GradientSet gradients)
    {
        foreach (var part in gradients.Parts) ToNorm(part, boundOf(part));
    }
}

/// <summary>
/// GP-03: each parameter has a bound that follows its own norms. The parameters of all steps are the same, in one
/// order.
/// </summary>
public sealed class ClipEachLayer(Func<GradientPart, ClipBound> boundOf) : GradientStage
{
    private readonly List<ClipBound> _bounds = [];
    private Queue<double>? _restored;

    /// <inheritdoc/>
    public override string Name => "clip each layer";

    /// <inheritdoc/>
    public override void Apply(GradientSet gradients)
    {
        while (_bounds.Count < gradients.Parts.Count)
        {
            _bounds.Add(boundOf(gradients.Parts[_bounds.Count]));
            if (_restored is { Count: > 0 }) _bounds[^1].Restore(_restored);
        }

        for (var p = 0; p < gradients.Parts.Count; p++)
        {
            var part = gradients.Parts[p];
            var norm = part.Norm;
            var factor = FactorTo(_bounds[p].Next(norm), norm);
            if (factor != 1) part.Gradient.Scale(factor);
        }
    }

    /// <inheritdoc/>
    public override void Save(ICollection<double> state)
    {
        var own = new List<double>();
        foreach (var bound in _bounds) bound.Save(own);
        state.Add(own.Count);
        foreach (var number in own) state.Add(number);
    }

    // Which parameters there are shows in the next step only.
    /// <inheritdoc/>
    public override void Restore(Queue<double> state)
    {
        _bounds.Clear();
        _restored = [];
        for (var left = state.Dequeue(); left > 0; left--) _restored.Enqueue(state.Dequeue());
    }
}

/// <summary>
/// GP-03: first each parameter to its bound, then each layer (parameters whose names agree up to the last dot), then
/// all of them.
/// </summary>
public sealed class ClipHierarchically(double parameterBound, double layerBound, double globalBound) : GradientStage
{
    private readonly ClipByGlobalNorm _all = new(globalBound);
    private readonly ClipByGlobalNorm _layer = new(layerBound);

    /// <inheritdoc/>
    public override string Name => "clip parameters, layers, all";

    /// <inheritdoc/>
    public override void Apply(GradientSet gradients)
    {
        foreach (var part in gradients.Parts) ToNorm(part, parameterBound);
        var done = new List<string>();
        foreach (var part in gradients.Parts)
        {
            var layer = part.Layer;
            if (done.Contains(layer)) continue;
            done.Add(layer);
            _layer.Apply(gradients with { Parts = [.. gradients.Parts.Where(p => p.Layer == layer)] });
        }

        _all.Apply(gradients);
    }
}

/// <summary>GP-03: the sizes of a parameter's elements at most a percentile of them.</summary>
/// <exception cref="ArgumentException">The percentile is outside 0 to 100.</exception>
public sealed class ClipByElementPercentile(double percent) : GradientStage
{
    private readonly double _percent = percent is >= 0 and <= 100 ? percent
        : throw new ArgumentException($"a percentile is 0 to 100, not {percent}");

    /// <inheritdoc/>
    public override string Name => "clip elements by percentile";

    /// <inheritdoc/>
    public override void Apply(GradientSet gradients)
    {
        foreach (var part in gradients.Parts)
        {
            if (part.Count == 0) continue;
            var sizes = new double[part.Count];
            for (var i = 0; i < sizes.Length; i++) sizes[i] = part.SizeAt(i);
            Array.Sort(sizes);
            var limit = GradientMath.Percentile(sizes, _percent);
            part.Limit(limit);
        }
    }
}

/// <summary>GP-03: the sizes of a parameter's elements at most their mean plus some deviations.</summary>
/// <exception cref="ArgumentException">The number of deviations is below 0 or no number.</exception>
public sealed class ClipOutliers(double deviations = 3) : GradientStage
{
    private readonly double _deviations = AtLeastZero(deviations, "a number of deviations");

    /// <inheritdoc/>
    public override string Name => "clip outliers";

    /// <inheritdoc/>
    public override void Apply(GradientSet gradients)
    {
        foreach (var part in gradients.Parts)
        {
            if (part.Count == 0) continue;
            var sum = new Sum();
            part.FoldSizes(ref sum);
            var mean = sum.Value / part.Count;
            var squares = new Squares(mean);
            part.FoldSizes(ref squares);
            var limit = mean + (_deviations * Math.Sqrt(squares.Value / part.Count));
            if (!double.IsFinite(limit)) continue;
            part.Limit(limit);
        }
    }
}

/// <summary>Σ of what it is told.</summary>
internal struct Sum : IElementFold
{
    public double Value { get; private set; }

    public void Take(double value) => Value += value;
}

/// <summary>Σ of squared distances from a mean.</summary>
internal struct Squares(double mean) : IElementFold
{
    public double Value { get; private set; }

    public void Take(double value) => Value += (value - mean) * (value - mean);
}

/// <summary>
/// The gradient of each unit of a parameter at most a share of the norm of that unit's weights (Brock and others 2021).
/// </summary>
/// <param name="share">Above 0.</param>
/// <param name="smallest">Norm that weights count with at least.</param>
/// <exception cref="ArgumentException">The share is not above 0.</exception>
public sealed class ClipByWeightNorm(double share = 0.01, double smallest = 1e-3) : GradientStage
{
    private readonly double _share = share > 0 ? share
        : throw new ArgumentException($"a share of the weights' norm is above 0, not {share}");

    /// <inheritdoc/>
    public override string Name => "clip by weight norm";

    /// <inheritdoc/>
    public override void Apply(GradientSet gradients)
    {
        foreach (var part in gradients.Parts)
        {
            if (part.Weights.Length != part.Gradient.Length)
                throw new ArgumentException(
                    $"{part.Name}: {part.Gradient.Length} gradients and {part.Weights.Length} weights");
            if (part.Units < 1 || part.Gradient.Length % part.Units != 0)
                throw new ArgumentException(
                    $"{part.Name}: {part.Gradient.Length} numbers are not the rows of {part.Units} units");
            var row = part.Gradient.Length / part.Units;
            for (var u = 0; u < part.Units; u++)
            {
                var at = u * row;
                var bound = _share * Math.Max(part.Weights.NormOf(at, row), smallest);
                var factor = FactorTo(bound, part.Gradient.NormOf(at, row));
                if (factor != 1) part.Gradient.Scale(at, row, factor);
            }
        }
    }
}
