namespace Convoy.Autodiff.Optim.Gradients;

/// <summary>
/// One stage of a pipeline: changes gradients in place. A stage may remember earlier steps; what it remembers is a list
/// of numbers, so that a run that goes on from a checkpoint takes the same steps to the bit.
/// </summary>
public abstract class GradientStage
{
    /// <summary>A few words for reports.</summary>
    public abstract string Name { get; }

    /// <summary>Changes the gradients of one step in place.</summary>
    public abstract void Apply(GradientSet gradients);

    /// <summary>Adds what it remembers to a list.</summary>
    public virtual void Save(ICollection<double> state)
    {
    }

    /// <summary>Takes what it remembered from the front of a list that <see cref="Save"/> made.</summary>
    public virtual void Restore(Queue<double> state)
    {
    }

    private protected static double AtLeastZero(double value, string what) => value >= 0 && double.IsFinite(value)
        ? value : throw new ArgumentException($"{what} is 0 or more, not {value}");

    // A norm that is not finite has no factor that helps: cleaning is a stage of its own. A bound of 0 was learned from
    // gradients of 0 and says nothing.
    private protected static double FactorTo(double bound, double norm) =>
        bound > 0 && norm > bound && double.IsFinite(norm) ? bound / norm : 1;

    private protected static void ToNorm(GradientPart part, double bound)
    {
        if (!(bound > 0)) throw new ArgumentException($"{part.Name}: a bound of norms is above 0, not {bound}");
        var factor = FactorTo(bound, part.Norm);
        if (factor != 1) part.Gradient.Scale(factor);
    }
}

/// <summary>GP-07: stages one after another, with figures before and after each, and totals of each.</summary>
public sealed class GradientPipeline(params GradientStage[] stages)
{
    private readonly Running[] _running = [.. stages.Select(s => new Running(s.Name))];

    /// <summary>In the order in which they run.</summary>
    public IReadOnlyList<GradientStage> Stages => stages;

    /// <summary>Runs all stages on the gradients of one step, in place; a report of each.</summary>
    public IReadOnlyList<StageReport> Apply(GradientSet gradients)
    {
        var reports = new StageReport[stages.Length];
        var before = GradientFigures.Of(gradients);
        for (var i = 0; i < stages.Length; i++)
        {
            stages[i].Apply(gradients);
            var after = GradientFigures.Of(gradients);
            reports[i] = new StageReport(stages[i].Name, before, after);
            _running[i].Add(reports[i]);
            before = after;
        }

        return reports;
    }

    /// <summary>What each stage did in all steps since the pipeline was made.</summary>
    public IReadOnlyList<StageTotals> Totals => [.. _running.Select(r => r.Totals)];

    /// <summary>What the stages remember, as numbers.</summary>
    public double[] Save()
    {
        var state = new List<double>();
        foreach (var stage in stages) stage.Save(state);
        return [.. state];
    }

    /// <summary>Goes on from where a pipeline of the same stages was saved.</summary>
    public void Restore(IReadOnlyList<double> state)
    {
        var rest = new Queue<double>(state);
        try
        {
            foreach (var stage in stages) stage.Restore(rest);
        }
        catch (InvalidOperationException e)
        {
            throw new ArgumentException($"{state.Count} numbers are too few for these gradient stages", e);
        }

        if (rest.Count > 0)
            throw new ArgumentException($"{rest.Count} of {state.Count} numbers belong to none of these stages");
    }

    private sealed class Running(string stage)
    {
        private long _steps;
        private long _changed;
        private long _rated;
        private double _largest;
        private double _factors;

        public StageTotals Totals => new(stage, _steps, _changed, _largest, _rated == 0 ? 1 : _factors / _rated);

        public void Add(StageReport report)
        {
            _steps++;
            _changed += report.Changed ? 1 : 0;
            if (double.IsFinite(report.NormBefore)) _largest = Math.Max(_largest, report.NormBefore);
            var factor = report.NormAfter / report.NormBefore;
            if (!double.IsFinite(factor)) return;
            _rated++;
            _factors += factor;
        }
    }
}

/// <summary>GP-03: a stage for the parameters that a rule names; the others pass.</summary>
public sealed class ForParameters(Func<GradientPart, bool> chosen, GradientStage stage) : GradientStage
{
    /// <inheritdoc/>
    public override string Name => $"{stage.Name}, some parameters";

    /// <inheritdoc/>
    public override void Apply(GradientSet gradients) =>
        stage.Apply(gradients with { Parts = [.. gradients.Parts.Where(chosen)] });

    /// <inheritdoc/>
    public override void Save(ICollection<double> state) => stage.Save(state);

    /// <inheritdoc/>
    public override void Restore(Queue<double> state) => stage.Restore(state);
}

/// <summary>Every gradient times a factor.</summary>
public sealed class ScaleGradients(double factor) : GradientStage
{
    /// <inheritdoc/>
    public override string Name => "scale";

    /// <inheritdoc/>
    public override void Apply(GradientSet gradients) => gradients.Scale(factor);
}

/// <summary>Every gradient divided by its norm, where that is not 0.</summary>
public sealed class NormalizeGradients : GradientStage
{
    /// <inheritdoc/>
    public override string Name => "normalize";

    /// <inheritdoc/>
    public override void Apply(GradientSet gradients)
    {
        foreach (var part in gradients.Parts)
        {
            var norm = part.Norm;
            if (norm == 0 || !double.IsFinite(norm)) continue;
            var share = new ShareOf(norm);
            part.Gradient.Change(ref share);
        }
    }

    // Not times 1 / norm, which is infinite for the smallest norms.
    private readonly struct ShareOf(double norm) : IElementChange
    {
        public double Of(int i, double value) => value / norm;
    }
}

/// <summary>GP-08: 0 for what is no number (both parts of a complex element); counts how often.</summary>
/// <param name="limit">The size an infinity gets; of a complex element it becomes 0.</param>
/// <exception cref="ArgumentException">The limit is below 0 or not finite.</exception>
public sealed class CleanGradients(double limit = 0) : GradientStage
{
    private readonly double _limit = AtLeastZero(limit, "the limit of cleaned gradients");

    /// <inheritdoc/>
    public override string Name => "clean";

    /// <summary>Elements changed so far.</summary>
    public long Changed { get; private set; }

    /// <inheritdoc/>
    public override void Apply(GradientSet gradients)
    {
        foreach (var part in gradients.Parts)
        {
            if (part.IsComplex)
            {
                Changed += CleanComplex(part.Gradient);
                continue;
            }

            var clean = new Clean(_limit);
            part.Gradient.Change(ref clean);
            Changed += clean.Changed;
        }
    }

    private struct Clean(double limit) : IElementChange
    {
        public int Changed { get; private set; }

        public double Of(int i, double value)
        {
            if (double.IsFinite(value)) return value;
            Changed++;
            return GradientMath.Cleaned(value, limit);
        }
    }

    // Half of a complex number has no angle of its own, so the whole of it goes.
    private static int CleanComplex(GradientVector g)
    {
        var changed = 0;
        for (var i = 0; i + 1 < g.Length; i += 2)
        {
            if (double.IsFinite(g[i]) && double.IsFinite(g[i + 1])) continue;
            (g[i], g[i + 1]) = (0, 0);
            changed++;
        }

        return changed;
    }
}
