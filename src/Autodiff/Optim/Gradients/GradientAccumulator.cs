using System.Numerics;

namespace Convoy.Autodiff.Optim.Gradients;

/// <summary>
/// OPTIM-06: adds the gradients of several micro-batches in their order; sum or mean. Gradients stay in their own type,
/// sums are float64 and rounded once. With a loss scale it is the accumulator of mixed precision: gradients of a loss
/// that was multiplied, to keep small ones above the smallest number of a narrow type, are divided again where they
/// are wide (Micikevicius and others 2018). How a gradient was computed, with recompute or without, does not matter.
/// </summary>
/// <param name="target">Micro-batches of one step, at least 1.</param>
/// <param name="average">The mean over the micro-batches instead of the sum.</param>
public sealed class GradientAccumulator(int target, bool average = false)
{
    private readonly int _target = target >= 1 ? target
        : throw new ArgumentException($"a step has at least one micro-batch, not {target}");
    private double[][]? _sums;

    /// <summary>Micro-batches added since the last whole.</summary>
    public int Count { get; private set; }

    /// <summary>Micro-batches that a whole has.</summary>
    public int Target => _target;

    /// <summary>Every number of the step so far, or of the last whole when a step has just ended, is finite. A step
    /// that is not is one to skip, with a smaller loss scale after it.</summary>
    public bool IsFinite { get; private set; } = true;

    /// <summary>
    /// Adds one micro-batch. With the last of a step the whole is written and the accumulator starts again.
    /// </summary>
    /// <param name="gradients">One per parameter, the same lengths each time, in any types.</param>
    /// <param name="lossScale">What the loss was multiplied with; above 0.</param>
    /// <param name="into">Where the whole goes, of the same lengths; over <paramref name="gradients"/> when left
    /// out.</param>
    /// <returns>Whether this was the last of a step.</returns>
    /// <exception cref="ArgumentException">The gradients are not those of the micro-batch before.</exception>
    public bool Add(
        IReadOnlyList<GradientVector> gradients, double lossScale = 1, IReadOnlyList<GradientVector>? into = null)
    {
        if (!(lossScale > 0) || double.IsInfinity(lossScale))
            throw new ArgumentException($"a loss scale is above 0 and finite, not {lossScale}");
        _sums ??= [.. gradients.Select(g => new double[g.Length])];
        RequireSame(gradients);
        if (into is not null) RequireSame(into);
        if (Count == 0) IsFinite = true;
        for (var p = 0; p < _sums.Length; p++)
        {
            var adding = new Adding(_sums[p], 1 / lossScale);
            gradients[p].Fold(ref adding);
            IsFinite &= adding.IsFinite;
        }

        if (++Count < _target) return false;
        for (var p = 0; p < _sums.Length; p++)
        {
            var whole = new Whole(_sums[p], average ? 1.0 / _target : 1);
            (into ?? gradients)[p].Change(ref whole);
            Array.Clear(_sums[p]);
        }

        Count = 0;
        return true;
    }

    /// <summary>Forgets what was added, and the lengths.</summary>
    public void Clear() => (_sums, Count, IsFinite) = (null, 0, true);

    private void RequireSame(IReadOnlyList<GradientVector> gradients)
    {
        if (_sums!.Length != gradients.Count)
            throw new ArgumentException($"{gradients.Count} gradients, before there were {_sums.Length}");
        for (var p = 0; p < _sums.Length; p++)
            if (gradients[p].Length != _sums[p].Length)
                throw new ArgumentException(
                    $"gradient {p} has {gradients[p].Length} elements, before there were {_sums[p].Length}");
    }

    private struct Adding(double[] sums, double factor) : IElementFold
    {
        private int _next;

        public bool IsFinite { get; private set; } = true;

        public void Take(double value)
        {
            IsFinite &= double.IsFinite(value);
            sums[_next++] += value * factor;
        }
    }

    private readonly struct Whole(double[] sums, double factor) : IElementChange
    {
        public double Of(int i, double value) => sums[i] * factor;
    }
}

/// <summary>
/// The running mean of weights in float32 or float64: mean = decay mean + (1 - decay) w, kept in float64 and corrected
/// for its start at 0 (Kingma and Ba 2015, section 3).
/// </summary>
/// <param name="length">Of the weights.</param>
/// <param name="decay">0 to below 1.</param>
public sealed class WeightAverage(int length, double decay = 0.999)
{
    private readonly double[] _mean = new double[length];
    private readonly double _decay = decay is >= 0 and < 1 ? decay
        : throw new ArgumentException($"a decay is 0 to below 1, not {decay}");
    private double _left = 1;

    /// <summary>One more step's weights, of the same length.</summary>
    public void Add<T>(ReadOnlySpan<T> weights) where T : unmanaged, IFloatingPointIeee754<T>
    {
        RequireLength(weights.Length);
        for (var i = 0; i < _mean.Length; i++)
            _mean[i] = (_decay * _mean[i]) + ((1 - _decay) * double.CreateTruncating(weights[i]));
        _left *= _decay;
    }

    /// <summary>Writes the mean so far, rounded to its type; zeros before the first weights.</summary>
    public void CopyTo<T>(Span<T> to) where T : unmanaged, IFloatingPointIeee754<T>
    {
        RequireLength(to.Length);
        for (var i = 0; i < _mean.Length; i++)
            to[i] = _left == 1 ? T.Zero : T.CreateTruncating(_mean[i] / (1 - _left));
    }

    private void RequireLength(int given)
    {
        if (given != _mean.Length) throw new ArgumentException($"{given} weights, the average is of {_mean.Length}");
    }
}
