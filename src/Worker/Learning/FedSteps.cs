using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;

namespace Convoy.Worker.Learning;

/// <summary>
/// Which pieces of which steps are here, in blocks of the norm. Pieces may come twice, of members that cut the vector
/// in different ways: the bits are the same. The numbers themselves are elsewhere.
/// </summary>
internal sealed class FedSteps
{
    private readonly List<FedStep> _steps = []; // sorted

    private sealed class FedStep(StepNumber step, int blocks)
    {
        public StepNumber Step => step;
        public bool[] Covered { get; } = new bool[blocks];
        public int Left { get; set; } = blocks;
        public Fingerprint? Fingerprint { get; set; }
    }

    public long Elements { get; set; }

    public int Count => _steps.Count;

    public void Clear() => _steps.Clear();

    public void Forget(StepNumber upTo) => _steps.RemoveAll(s => s.Step <= upTo);

    /// <summary>Returns the other fingerprint when members name two for the step; null: they agree.</summary>
    public Fingerprint? Add(FeedHeader piece)
    {
        var step = FindOrAdd(piece.Step);
        if (step.Fingerprint is { } known && known != piece.Fingerprint) return known;
        step.Fingerprint = piece.Fingerprint;
        var (from, end) = BlocksOf(piece.Offset, piece.Count);
        for (var b = from; b < end; b++)
        {
            if (step.Covered[b]) continue;
            step.Covered[b] = true;
            step.Left--;
        }

        return null;
    }

    /// <summary>H after the step when all of it is here; null: something is missing.</summary>
    public Fingerprint? Whole(StepNumber step) =>
        Find(step) is { Left: 0 } whole ? whole.Fingerprint : null;

    public bool Covers(StepNumber step, long from, long end)
    {
        if (from >= end) return true;
        if (Find(step) is not { } found) return false;
        var (first, last) = BlocksOf(from, end - from);
        return !found.Covered.AsSpan(first, last - first).Contains(false);
    }

    private FedStep? Find(StepNumber step) => _steps.Find(s => s.Step == step);

    private FedStep FindOrAdd(StepNumber step)
    {
        if (Find(step) is { } known) return known;
        var made = new FedStep(step, (int)((Elements + Limits.NormBlock - 1) / Limits.NormBlock));
        var at = _steps.FindIndex(s => s.Step > step);
        _steps.Insert(at < 0 ? _steps.Count : at, made);
        return made;
    }

    // A piece ends on a border or at the end of the vector.
    private static (int From, int End) BlocksOf(long offset, long count) =>
        ((int)(offset / Limits.NormBlock), (int)((offset + count + Limits.NormBlock - 1) / Limits.NormBlock));
}
