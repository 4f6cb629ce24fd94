namespace Convoy.Autodiff.Optim.Gradients;

/// <summary>
/// GP-02: where a bound of norms comes from. Told the norm of each step, it gives the bound of that step; the same
/// norms give the same bounds. A norm that is not finite is not remembered.
/// </summary>
public abstract class ClipBound
{
    private double _last = double.PositiveInfinity;

    /// <summary>A word for reports.</summary>
    public abstract string Name { get; }

    /// <summary>The bound of the step that has this norm; infinity where nothing is known yet.</summary>
    public double Next(double norm)
    {
        if (double.IsFinite(norm)) _last = Learn(norm);
        return _last;
    }

    /// <summary>Adds what it remembers to a list.</summary>
    public void Save(ICollection<double> state)
    {
        state.Add(_last);
        SaveRest(state);
    }

    /// <summary>Takes what <see cref="Save"/> added from the front.</summary>
    public void Restore(Queue<double> state)
    {
        _last = state.Dequeue();
        RestoreRest(state);
    }

    private protected abstract double Learn(double norm);

    private protected virtual void SaveRest(ICollection<double> state)
    {
    }

    private protected virtual void RestoreRest(Queue<double> state)
    {
    }

    private protected static void Require(bool holds, string rule)
    {
        if (!holds) throw new ArgumentException(rule);
    }
}

/// <summary>The same bound in every step.</summary>
public sealed class FixedBound : ClipBound
{
    private readonly double _bound;

    /// <summary>A bound above 0, else an <see cref="ArgumentException"/>.</summary>
    public FixedBound(double bound)
    {
        Require(bound > 0, $"a bound of norms is above 0, not {bound}");
        _bound = bound;
    }

    /// <inheritdoc/>
    public override string Name => "fixed";

    private protected override double Learn(double norm) => _bound;
}

/// <summary>A percentile of the norms of the last steps, this one among them (Seetharaman and others 2020).</summary>
public sealed class PercentileBound : ClipBound
{
    private readonly double _percent;
    private readonly NormWindow _window;

    /// <summary>A percentile of so many norms.</summary>
    /// <param name="percent">0 to 100; small ones clip most steps.</param>
    /// <param name="history">Steps that are remembered.</param>
    public PercentileBound(double percent, int history = 1000)
    {
        Require(percent is >= 0 and <= 100, $"a percentile is 0 to 100, not {percent}");
        (_percent, _window) = (percent, new NormWindow(history));
    }

    /// <inheritdoc/>
    public override string Name => "percentile";

    private protected override double Learn(double norm)
    {
        _window.Add(norm);
        return GradientMath.Percentile(_window.Sorted(), _percent);
    }

    private protected override void SaveRest(ICollection<double> state) => _window.Save(state);

    private protected override void RestoreRest(Queue<double> state) => _window.Restore(state);
}

/// <summary>A multiple of the running mean of norms, which a clipped norm enters as clipped.</summary>
public sealed class AverageBound : ClipBound
{
    private readonly double _multiple;
    private readonly double _keep;
    private double _mean;

    /// <summary>A multiple of the running mean.</summary>
    /// <param name="multiple">Above 1, or nothing could grow again.</param>
    /// <param name="keep">Share of the mean that stays each step.</param>
    public AverageBound(double multiple = 2, double keep = 0.99)
    {
        Require(multiple > 1, $"a multiple of the mean is above 1, not {multiple}");
        Require(keep is >= 0 and < 1, $"the share that is kept is 0 to below 1, not {keep}");
        (_multiple, _keep) = (multiple, keep);
    }

    /// <inheritdoc/>
    public override string Name => "running mean";

    private protected override double Learn(double norm)
    {
        var bound = _mean == 0 ? norm : _multiple * _mean;
        _mean = _mean == 0 ? norm : (_keep * _mean) + ((1 - _keep) * Math.Min(norm, bound));
        return bound;
    }

    private protected override void SaveRest(ICollection<double> state) => state.Add(_mean);

    private protected override void RestoreRest(Queue<double> state) => _mean = state.Dequeue();
}

/// <summary>
/// The running mean of norms plus some running deviations, so that a noisy training is clipped less than a calm one.
/// Mean and variance are updated together (Finch 2009).
/// </summary>
public sealed class VarianceBound : ClipBound
{
    // An outlier enters at most this many bounds high: it must not carry the mean away, but a level that stays
    // higher must become the usual one, even after norms without any deviation.
    private const double Reach = 2;
    private readonly double _deviations;
    private readonly double _keep;
    private readonly int _warmUp;
    private double _mean;
    private double _variance;
    private double _seen;

    /// <summary>The running mean and some deviations.</summary>
    /// <param name="deviations">Deviations above the mean.</param>
    /// <param name="keep">Share of mean and variance that stays each step.</param>
    /// <param name="warmUp">Steps before the first bound, in which mean and variance are learned.</param>
    public VarianceBound(double deviations = 3, double keep = 0.95, int warmUp = 10)
    {
        Require(deviations >= 0, $"a number of deviations is 0 or more, not {deviations}");
        Require(keep is >= 0 and < 1, $"the share that is kept is 0 to below 1, not {keep}");
        Require(warmUp >= 1, $"a warm-up has 1 step or more, not {warmUp}");
        (_deviations, _keep, _warmUp) = (deviations, keep, warmUp);
    }

    /// <inheritdoc/>
    public override string Name => "mean and deviation";

    private protected override double Learn(double norm)
    {
        var ready = _seen >= _warmUp;
        var bound = ready ? _mean + (_deviations * Math.Sqrt(_variance)) : double.PositiveInfinity;
        var entering = bound > 0 ? Math.Min(norm, Reach * bound) : norm;
        if (_seen++ == 0)
        {
            _mean = entering;
            return bound;
        }

        var off = entering - _mean;
        _mean += (1 - _keep) * off;
        _variance = _keep * (_variance + ((1 - _keep) * off * off));
        return bound;
    }

    private protected override void SaveRest(ICollection<double> state)
    {
        state.Add(_mean);
        state.Add(_variance);
        state.Add(_seen);
    }

    private protected override void RestoreRest(Queue<double> state) =>
        (_mean, _variance, _seen) = (state.Dequeue(), state.Dequeue(), state.Dequeue());
}

/// <summary>A multiple of the median norm of the steps before this one: outliers do not move it.</summary>
public sealed class HistoryBound : ClipBound
{
    private readonly double _multiple;
    private readonly int _least;
    private readonly NormWindow _window;

    /// <summary>A multiple of the median of so many norms.</summary>
    /// <param name="multiple">Of the median.</param>
    /// <param name="history">Steps that are remembered.</param>
    /// <param name="least">Steps before the first bound.</param>
    public HistoryBound(double multiple = 2, int history = 100, int least = 5)
    {
        Require(multiple > 0, $"a multiple of the median is above 0, not {multiple}");
        Require(least >= 1 && least <= history, $"a first bound comes after 1 to {history} steps, not {least}");
        (_multiple, _least, _window) = (multiple, least, new NormWindow(history));
    }

    /// <inheritdoc/>
    public override string Name => "median of history";

    private protected override double Learn(double norm)
    {
        var bound = _window.Count < _least ? double.PositiveInfinity
            : _multiple * GradientMath.Percentile(_window.Sorted(), 50);
        _window.Add(norm);
        return bound;
    }

    private protected override void SaveRest(ICollection<double> state) => _window.Save(state);

    private protected override void RestoreRest(Queue<double> state) => _window.Restore(state);
}

/// <summary>The norms of the last steps, in a ring.</summary>
internal sealed class NormWindow
{
    private readonly double[] _ring;
    private readonly double[] _sorted;
    private int _next;

    public NormWindow(int length)
    {
        if (length < 1) throw new ArgumentException($"a history has 1 step or more, not {length}");
        (_ring, _sorted) = (new double[length], new double[length]);
    }

    public int Count { get; private set; }

    public void Add(double norm)
    {
        _ring[_next] = norm;
        _next = (_next + 1) % _ring.Length;
        Count = Math.Min(Count + 1, _ring.Length);
    }

    /// <summary>All of them in ascending order; valid until the next call.</summary>
    public ReadOnlySpan<double> Sorted()
    {
        var sorted = _sorted.AsSpan(0, Count);
        _ring.AsSpan(0, Count).CopyTo(sorted);
        sorted.Sort();
        return sorted;
    }

    // From the oldest, so that a window of another length keeps the newest.
    public void Save(ICollection<double> state)
    {
        state.Add(Count);
        for (var i = 0; i < Count; i++) state.Add(_ring[(_next - Count + i + _ring.Length) % _ring.Length]);
    }

    public void Restore(Queue<double> state)
    {
        (Count, _next) = (0, 0);
        for (var left = state.Dequeue(); left > 0; left--) Add(state.Dequeue());
    }
}
