using System.Globalization;
using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Optim.Gradients;
using Convoy.Shared;
using Convoy.Shared.Jobs;

namespace Convoy.Autodiff.Optim;

/// <summary>A gradient as the optimizer gets it: sums over samples, to be divided by the weight.</summary>
public readonly ref struct PreparedGradient(ReadOnlySpan<float> values, double weight)
{
    /// <summary>Sums over the samples of the step, in the layout of the weights.</summary>
    public ReadOnlySpan<float> Values { get; } = values;
    /// <summary>What the sums are divided by: samples, or samples times tokens, over the clip factor.</summary>
    public double Weight { get; } = weight;
}

/// <summary>
/// What a job does with the reduced gradient of a step before its optimizer: clean, clip, disturb; and what it keeps
/// beside the weights: running statistics, and what learned bounds remember. All of it is a function of the state and
/// of the reduced gradient, which every worker has, so every worker does the same to the bit. Nothing of it is kept in
/// this object from step to step: what is remembered lies in a parameter of the graph (<see cref="UpdateMemory"/>), and
/// so in checkpoints and in the state that a joining worker gets.
/// </summary>
public sealed class GradientRules
{
    private readonly TrainProgram _program;
    private readonly GradientSpec _spec;
    private readonly GradientStage[] _stages;
    private readonly GradientStage? _learned; // the one that remembers
    private readonly double[] _fresh = [];
    private readonly ParameterSlot[] _trained;
    private readonly GradientPart[] _parts = [];
    private readonly ParameterSlot[] _kept;
    private readonly ParameterSlot? _memory;
    private readonly float[] _values = [];
    private readonly float[] _keptValues;
    private readonly float[] _weights = []; // those of the step, where a stage asks for them
    private readonly bool _needsWeights;

    /// <summary>
    /// Throws a <see cref="UserException"/> where the graph has no place for what the job must remember.
    /// </summary>
    public GradientRules(JobSpec job, TrainProgram program)
    {
        (_program, _spec) = (program, job.Gradient);
        var slots = program.Layout.Slots;
        _memory = slots.FirstOrDefault(s => s.Name == UpdateMemory.Name);
        _learned = LearnedBound(job.Clip);
        if (_learned is not null && (_memory is null || _memory.Length < UpdateMemory.LengthFor(job.Clip)))
        {
            throw new UserException(ExitCode.BadJob,
                $"the graph has no parameter {UpdateMemory.Name} of {UpdateMemory.LengthFor(job.Clip)} elements, where "
                + "clip.percentile and clip.average remember; add it with UpdateMemory.AddTo");
        }

        _needsWeights = job.Clip.WeightNorm > 0;
        _stages = [.. Stages(job)];
        _kept = _memory is null ? [.. program.Statistics] : [.. program.Statistics, _memory];
        _trained = [.. slots.Where(s => !_kept.Contains(s))];
        _keptValues = new float[_kept.Sum(s => s.Length)];
        if (IsActive) _values = new float[program.Layout.TotalLength];
        if (_needsWeights) _weights = new float[program.Layout.TotalLength];
        if (_stages.Length > 0) _parts = [.. _trained.Select(PartOf)];
        if (_learned is null) return;
        var state = new List<double>();
        _learned.Save(state);
        _fresh = [.. state];
    }

    /// <summary>Whether anything is to be done; else the reduced gradient is used as it is.</summary>
    public bool IsActive => _stages.Length > 0 || _kept.Length > 0;

    /// <summary>Cleans, clips and disturbs the gradient of a step as the job asks.</summary>
    /// <param name="reduced">Sums over all samples of the step; it is not changed, because peers may fetch it.</param>
    /// <param name="weights">Those that the gradient belongs to.</param>
    /// <param name="step">From 1.</param>
    /// <param name="weight">What sums are divided by: samples, or samples times tokens.</param>
    /// <returns>Valid until the next call. Not finite where the step must be skipped.</returns>
    public PreparedGradient Prepare(
        ReadOnlySpan<float> reduced, ReadOnlySpan<float> weights, long step, double weight)
    {
        if (_spec.NonFinite == "stop") RequireFinite(reduced, step);
        if (!IsActive) return new PreparedGradient(reduced, weight);
        reduced.CopyTo(_values);
        foreach (var slot in _kept) WritableOf(_values, slot).Clear();
        TakeKept(weights);
        var statistics = _keptValues.AsSpan(..^(int)(_memory?.Length ?? 0));
        _program.FollowStatistics(weights, reduced, weight / _program.WeightPerSample, statistics);
        if (!IsFinite(statistics))
        {
            // Statistics of no number: the step is skipped by a gradient of none, or they stay as they are.
            if (_spec.NonFinite == "clean") TakeKept(weights);
            else _values[(int)_kept[0].Offset] = float.NaN;
        }

        if (_stages.Length == 0) return new PreparedGradient(_values, weight);
        Apply(reduced, weights, step, weight);
        return new PreparedGradient(_values, 1);
    }

    /// <summary>
    /// After the optimizer: what it must not touch gets its own new values, those of the last Prepare.
    /// </summary>
    public void Finish(Span<float> weights)
    {
        var at = 0;
        foreach (var slot in _kept)
        {
            _keptValues.AsSpan(at, (int)slot.Length).CopyTo(WritableOf(weights, slot));
            at += (int)slot.Length;
        }
    }

    private void Apply(ReadOnlySpan<float> reduced, ReadOnlySpan<float> weights, long step, double weight)
    {
        foreach (var slot in _trained)
        {
            var from = SpanOf(reduced, slot);
            var to = WritableOf(_values, slot);
            for (var i = 0; i < to.Length; i++) to[i] = (float)(from[i] / weight);
        }

        if (_needsWeights) weights.CopyTo(_weights);
        var set = new GradientSet(_parts, step);
        if (_learned is not null) Remember(SpanOf(weights, _memory!));
        foreach (var stage in _stages) stage.Apply(set);
        if (_learned is not null)
        {
            var state = new List<double>();
            _learned.Save(state);
            UpdateMemory.Write(state, _keptValues.AsSpan(^(int)_memory!.Length..));
        }
    }

    private void Remember(ReadOnlySpan<float> memory)
    {
        var numbers = UpdateMemory.Read(memory);
        _learned!.Restore(new Queue<double>(numbers.Length == 0 ? _fresh : numbers));
    }

    private void TakeKept(ReadOnlySpan<float> weights)
    {
        var at = 0;
        foreach (var slot in _kept)
        {
            SpanOf(weights, slot).CopyTo(_keptValues.AsSpan(at));
            at += (int)slot.Length;
        }
    }

    private void RequireFinite(ReadOnlySpan<float> reduced, long step)
    {
        foreach (var slot in _program.Layout.Slots)
        {
            var values = SpanOf(reduced, slot);
            if (IsFinite(values)) continue;
            var at = 0;
            while (float.IsFinite(values[at])) at++;
            throw new UserException(ExitCode.BadJob, string.Create(CultureInfo.InvariantCulture,
                $"step {step}: element {at} of the gradient of {slot.Name} is {values[at]}; gradient.non_finite is stop. ")
                + "Lower optimizer.lr, set clip.global_norm, find the operator with anomaly: true, or choose skip or clean");
        }
    }

    // The difference of a number with itself is 0, of NaN and infinities NaN.
    private static bool IsFinite(ReadOnlySpan<float> values)
    {
        var sum = 0f;
        foreach (var v in values) sum += v - v;
        return sum == 0;
    }

    private IEnumerable<GradientStage> Stages(JobSpec job)
    {
        var clip = job.Clip;
        if (job.Gradient.NonFinite == "clean") yield return new CleanGradients();
        if (clip.Value > 0) yield return new ClipByValue(clip.Value);
        if (clip.ParameterNorm > 0) yield return new ClipByNorm(_ => clip.ParameterNorm);
        if (clip.LayerNorm > 0)
            yield return new ClipHierarchically(double.MaxValue, clip.LayerNorm, double.MaxValue);
        if (clip.WeightNorm > 0) yield return new ClipByWeightNorm(clip.WeightNorm);
        if (_learned is not null) yield return _learned;
        if (job.Gradient.Noise > 0) yield return new AddNoise(job.Gradient.Noise, job.Seed);
    }

    private static ClipByGlobalNorm? LearnedBound(ClipSpec clip) =>
        clip.Percentile > 0 ? new ClipByGlobalNorm(new PercentileBound(clip.Percentile, clip.Window))
        : clip.Average > 0 ? new ClipByGlobalNorm(new AverageBound(clip.Average)) : null;

    private GradientPart PartOf(ParameterSlot slot, int depth)
    {
        var length = checked((int)slot.Length);
        var (at, weights) = ((int)slot.Offset, _needsWeights ? _weights.AsMemory((int)slot.Offset, length) : default);
        return new GradientPart(
            slot.Name, GradientVector.Of(_values.AsMemory(at, length)), GradientVector.Of(weights), depth)
        {
            Units = slot.Shape.Rank < 2 ? 1 : slot.Shape[0],
        };
    }

    private static Span<float> WritableOf(Span<float> flat, ParameterSlot slot) =>
        flat.Slice((int)slot.Offset, (int)slot.Length);

    private static ReadOnlySpan<float> SpanOf(ReadOnlySpan<float> flat, ParameterSlot slot) =>
        flat.Slice((int)slot.Offset, (int)slot.Length);
}
