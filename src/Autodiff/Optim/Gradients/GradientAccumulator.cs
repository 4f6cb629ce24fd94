namespace Convoy.Autodiff.Optim.Gradients;

/// <summary>OPTIM-06: adds the gradients of several micro-batches, in their order; sum or mean.</summary>
public sealed class GradientAccumulator(int target, bool average = false)
{
    private double[][]? _sums;

    /// <summary>Micro-batches added since the last whole.</summary>
    public int Count { get; private set; }

    /// <summary>Adds one micro-batch; the whole when it was the last of a step, else null.</summary>
    public double[][]? Add(IReadOnlyList<double[]> gradients)
    {
        _sums ??= [.. gradients.Select(g => new double[g.Length])];
        if (_sums.Length != gradients.Count) throw new ArgumentException(
            $"{gradients.Count} gradients, before there were {_sums.Length}");
        for (var p = 0; p < _sums.Length; p++)
            for (var i = 0; i < _sums[p].Length; i++) _sums[p][i] += gradients[p][i];
        if (++Count < target) return null;
        var whole = _sums;
        if (average) foreach (var g in whole) GradientMath.Scale(g, 1.0 / target);
        Clear();
        return whole;
    }

    /// <summary>Forgets what was added.</summary>
    public void Clear() => (_sums, Count) = (null, 0);
}

/// <summary>The running mean of weights: mean = decay mean + (1 - decay) w, corrected for its start at 0.</summary>
public sealed class WeightAverage(int length, double decay = 0.999)
{
    private readonly double[] _mean = new double[length];
    private double _left = 1;

    /// <summary>One more step's weights, of the same length.</summary>
    public void Add(ReadOnlySpan<double> weights)
    {
        for (var i = 0; i < _mean.Length; i++) _mean[i] = (decay * _mean[i]) + ((1 - decay) * weights[i]);
        _left *= decay;
    }

    /// <summary>The mean so far; zeros before the first weights.</summary>
    public double[] Value => [.. _mean.Select(v => _left == 1 ? 0 : v / (1 - _left))];
}
