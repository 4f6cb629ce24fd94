namespace Convoy.Shared.Random;

/// <summary>Samples of one slice of a step: positions [From, End) of the step's epoch.</summary>
public readonly record struct PositionRange(long From, long End)
{
    public int Count => (int)(End - From);
}

/// <summary>
/// Which samples a step reads, as a function of the step alone. Step t (from 1; it makes state t) has epoch
/// (t-1) / stepsPerEpoch and positions [kB, min((k+1)B, N)) with k = (t-1) mod stepsPerEpoch; slice s of it has q =
/// ceil(B/S) positions from kB + s q, cut to the step's n, so late slices of a short step may be empty (an absent
/// leaf).
/// </summary>
public sealed record StepPlan
{
    /// <param name="samples">N: samples of the training set.</param>
    /// <param name="batch">B: samples of a step.</param>
    /// <param name="slices">S.</param>
    public StepPlan(long samples, int batch, int slices)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(samples, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(batch, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(slices, 1);
        (Samples, Batch, Slices) = (samples, batch, slices);
        StepsPerEpoch = ((samples - 1) / batch) + 1;
        SliceSize = ((batch - 1) / slices) + 1;
    }

    public long Samples { get; }
    public int Batch { get; }
    public int Slices { get; }
    public long StepsPerEpoch { get; }
    /// <summary>q: largest number of samples in a slice.</summary>
    public int SliceSize { get; }

    public StepSamples At(long step)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(step, 1);
        var (epoch, index) = Math.DivRem(step - 1, StepsPerEpoch);
        var first = index * Batch;
        return new StepSamples(this, step, epoch, first, (int)Math.Min(Batch, Samples - first));
    }

    /// <summary>Steps of a whole job.</summary>
    public long TotalSteps(Jobs.JobSpec job) => job.Steps > 0 ? job.Steps : checked(job.Epochs * StepsPerEpoch);
}

/// <summary>The samples of one step.</summary>
/// <param name="Plan">Where it comes from.</param>
/// <param name="Step">t, from 1.</param>
/// <param name="Epoch">From 0.</param>
/// <param name="FirstPosition">First position in the epoch.</param>
/// <param name="Count">n: samples of this step, batch or fewer at the end of an epoch.</param>
public readonly record struct StepSamples(StepPlan Plan, long Step, long Epoch, long FirstPosition, int Count)
{
    public PositionRange Slice(int slice)
    {
        var from = Math.Min((long)slice * Plan.SliceSize, Count);
        var end = Math.Min((slice + 1L) * Plan.SliceSize, Count);
        return new PositionRange(FirstPosition + from, FirstPosition + end);
    }

    /// <summary>Positions of slices [from, end): one range, because slices lie side by side.</summary>
    public PositionRange Slices(int from, int end) => from >= end
        ? new PositionRange(FirstPosition, FirstPosition)
        : new PositionRange(Slice(from).From, Slice(end - 1).End);

    /// <summary>Whether a slice has no sample: its leaf of the tree is absent.</summary>
    public bool IsAbsent(int slice) => Slice(slice).Count == 0;

    /// <summary>Leaves [0, PresentSlices) of the tree are present.</summary>
    public int PresentSlices => ((Count - 1) / Plan.SliceSize) + 1;

    /// <summary>What the loss sum is divided by: samples x the weight of one (1, or tokens).</summary>
    public double Weight(double perSample) => Count * perSample;
}
