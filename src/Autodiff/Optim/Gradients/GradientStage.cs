using Convoy.Shared.Random;

namespace Convoy.Autodiff.Optim.Gradients;

/// <summary>One stage of a pipeline: changes gradients in place. A stage may remember earlier steps.</summary>
public abstract class GradientStage
{
    public abstract string Name { get; }

    public abstract void Apply(GradientSet gradients);

    private protected static void ToNorm(GradientPart part, double norm, double bound)
    {
        if (norm > bound && norm > 0) GradientMath.Scale(part.Gradient, bound / norm);
    }
}

/// <summary>GP-07: stages one after another, with the norm before and after each.</summary>
public sealed class GradientPipeline(params GradientStage[] stages)
{
    public IReadOnlyList<StageReport> Apply(GradientSet gradients)
    {
        var reports = new StageReport[stages.Length];
        for (var i = 0; i < stages.Length; i++)
        {
            var before = gradients.GlobalNorm;
            stages[i].Apply(gradients);
            reports[i] = new StageReport(stages[i].Name, before, gradients.GlobalNorm);
        }

        return reports;
    }
}

/// <summary>Every element between -limit and limit.</summary>
public sealed class ClipByValue(double limit) : GradientStage
{
    public override string Name => "clip by value";

    public override void Apply(GradientSet gradients)
    {
        foreach (var part in gradients.Parts)
            for (var i = 0; i < part.Gradient.Length; i++) part.Gradient[i] =
                Math.Clamp(part.Gradient[i], -limit, limit);
    }
}

/// <summary>The norm of each parameter's gradient at most the bound; bounds may differ by name.</summary>
public sealed class ClipByNorm(double bound, IReadOnlyDictionary<string, double>? boundOf = null) : GradientStage
{
    public override string Name => "clip by norm";

    public override void Apply(GradientSet gradients)
    {
        foreach (var part in gradients.Parts)
            ToNorm(part, part.Norm, boundOf is not null && boundOf.TryGetValue(part.Name, out var own) ? own : bound);
    }
}

/// <summary>One factor for all gradients, so that the norm over all of them is at most the bound.</summary>
public sealed class ClipByGlobalNorm(double bound) : GradientStage
{
    public override string Name => "clip by global norm";

    public override void Apply(GradientSet gradients)
    {
        var factor = GlobalNorm.ClipFactor(gradients.GlobalNorm, bound);
        if (factor == 1) return;
        foreach (var part in gradients.Parts) GradientMath.Scale(part.Gradient, factor);
    }
}

/// <summary>GP-02: the bound is a percentile of the norms of the last steps (Seetharaman and others 2020).</summary>
public sealed class ClipByPercentile(double percentile, int history = 1000) : GradientStage
{
    private readonly Queue<double> _norms = new();

    public override string Name => "clip by percentile";

    public override void Apply(GradientSet gradients)
    {
        var norm = gradients.GlobalNorm;
        if (!double.IsFinite(norm)) return;
        _norms.Enqueue(norm);
        if (_norms.Count > history) _norms.Dequeue();
        var sorted = _norms.Order().ToArray();
        var bound = sorted[(int)Math.Min(sorted.Length - 1, Math.Floor(percentile / 100 * sorted.Length))];
        foreach (var part in gradients.Parts) ToNorm(part, norm, bound);
    }
}

/// <summary>
/// GP-02: the bound is a multiple of the running mean of norms, which a clipped norm enters as clipped.
/// </summary>
public sealed class ClipByAverage(double multiple = 2, double keep = 0.99) : GradientStage
{
    private double _mean;

    public override string Name => "clip by average";

    public override void Apply(GradientSet gradients)
    {
        var norm = gradients.GlobalNorm;
        if (!double.IsFinite(norm)) return;
        var bound = _mean == 0 ? norm : multiple * _mean;
        foreach (var part in gradients.Parts) ToNorm(part, norm, bound);
        _mean = _mean == 0 ? norm : (keep * _mean) + ((1 - keep) * Math.Min(norm, bound));
    }
}

/// <summary>
/// Each gradient's norm at most a share of its parameter's norm (Brock and others 2021, by whole parameters).
/// </summary>
public sealed class ClipByWeightNorm(double share = 0.01, double smallest = 1e-3) : GradientStage
{
    public override string Name => "clip by weight norm";

    public override void Apply(GradientSet gradients)
    {
        foreach (var part in gradients.Parts)
            ToNorm(part, part.Norm, share * Math.Max(GradientMath.Norm(part.Weights), smallest));
    }
}

/// <summary>GP-03: a stage for the parameters that a rule names; the others pass.</summary>
public sealed class ForParameters(Func<GradientPart, bool> chosen, GradientStage stage) : GradientStage
{
    public override string Name => $"{stage.Name}, some parameters";

    public override void Apply(GradientSet gradients) =>
        stage.Apply(gradients with { Parts = [.. gradients.Parts.Where(chosen)] });
}

/// <summary>Every gradient times a factor.</summary>
public sealed class ScaleGradients(double factor) : GradientStage
{
    public override string Name => "scale";

    public override void Apply(GradientSet gradients)
    {
        foreach (var part in gradients.Parts) GradientMath.Scale(part.Gradient, factor);
    }
}

/// <summary>Every gradient divided by its norm, where that is not 0.</summary>
public sealed class NormalizeGradients : GradientStage
{
    public override string Name => "normalize";

    public override void Apply(GradientSet gradients)
    {
        foreach (var part in gradients.Parts)
            if (part.Norm is > 0 and var norm) GradientMath.Scale(part.Gradient, 1 / norm);
    }
}

/// <summary>
/// GP-04: normal noise with variance eta / (1 + step)^0.55 (Neelakantan and others 2015), a function of seed, step,
/// parameter
/// and element.
/// </summary>
public sealed class AddNoise(double eta, ulong seed) : GradientStage
{
    public override string Name => "noise";

    public override void Apply(GradientSet gradients)
    {
        var deviation = Math.Sqrt(eta / Math.Pow(1 + gradients.Step, 0.55));
        for (var p = 0; p < gradients.Parts.Count; p++)
        {
            var random = new RandomStream(seed, RandomPurpose.Mask, ((ulong)gradients.Step << 20) + (ulong)p);
            var g = gradients.Parts[p].Gradient;
            for (var i = 0; i < g.Length; i++) g[i] += deviation * random.Normal(i);
        }
    }
}

/// <summary>GP-08: 0 for what is no number; counts how often.</summary>
public sealed class CleanGradients(double limit = 0) : GradientStage
{
    public override string Name => "clean";

    /// <summary>Elements changed so far.</summary>
    public long Changed { get; private set; }

    public override void Apply(GradientSet gradients)
    {
        foreach (var part in gradients.Parts) Changed += GradientMath.Clean(part.Gradient, limit);
    }
}
