using Convoy.Shared.Random;
using Convoy.Shared.Tensors;
using Convoy.Worker.Collectives;

namespace Convoy.Worker.Training;

/// <summary>
/// This worker's part of every step of one generation: its slices, their tree nodes and the vectors for the gradients
/// of those nodes. A lone worker's single node is the whole sum, so its gradient is written where the sum belongs.
/// </summary>
internal sealed class StepShare
{
    private readonly Dictionary<int, ReduceTree> _trees = []; // by number of slices that have samples
    private readonly TreeNode[] _nodes;
    private readonly PinnedVector[][] _vectors; // one set, or two in turn
    private readonly bool _alone;
    private long[] _samples = [];

    /// <param name="shares">Who has which slices.</param>
    /// <param name="me">Place among the members.</param>
    /// <param name="layout">How the gradient travels.</param>
    /// <param name="before">The share of the generation before: its vectors are taken over, nothing of it is read any
    /// more.</param>
    public StepShare(ShareMap shares, int me, ExchangeLayout layout, StepShare? before)
    {
        Shares = shares;
        Range = shares.ShareOf(me);
        _nodes = Range.Count == 0 ? [] : new SliceTree(shares.Slices).Cover(Range.From, Range.End);
        _alone = shares.Members.Count == 1;
        var sets = _alone ? 0 : layout.IsDirect ? 2 : 1;
        var old = before?._vectors ?? [];
        _vectors = old.Length >= sets && old.All(set => set.Length >= _nodes.Length)
            ? old
            : [.. Enumerable.Range(0, sets).Select(_ => PinnedVector.Rows(_nodes.Length, (int)layout.Elements))];
    }

    public ShareMap Shares { get; }

    public SliceRange Range { get; }

    /// <summary>Fills the step's work with what is known before it is computed.</summary>
    public SliceRun Begin(StepWork work, in StepSamples samples, Shared.Ids.Fingerprint before)
    {
        var rows = new int[Range.Count];
        for (var s = 0; s < rows.Length; s++) rows[s] = samples.Slice(Range.From + s).Count;
        work.Begin(new Shared.Ids.StepNumber(samples.Step), before, samples.Count, samples.PresentSlices,
            TreeOf(samples),
            Range, _nodes, _alone ? [work.Reduced] : _vectors[samples.Step % _vectors.Length][.._nodes.Length]);
        return new SliceRun(Shares.Slices, Range.From, rows, _nodes);
    }

    /// <summary>Numbers of this worker's samples in a step, in slice order.</summary>
    public ReadOnlySpan<long> SamplesOf(in StepSamples samples, in SampleOrder order)
    {
        var positions = samples.Slices(Range.From, Range.End);
        if (_samples.Length < positions.Count) _samples = new long[positions.Count];
        for (var i = 0; i < positions.Count; i++) _samples[i] = order.At(samples.Epoch, positions.From + i);
        return _samples.AsSpan(0, positions.Count);
    }

    private ReduceTree TreeOf(in StepSamples samples)
    {
        if (_trees.TryGetValue(samples.PresentSlices, out var tree)) return tree;
        var rows = new int[Shares.Slices];
        for (var s = 0; s < rows.Length; s++) rows[s] = samples.Slice(s).Count;
        return _trees[samples.PresentSlices] = new ReduceTree(Shares, rows);
    }
}
