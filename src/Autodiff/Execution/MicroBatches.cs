using Convoy.Kernels;
using Convoy.Kernels.Operators;
using Convoy.Shared;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Execution;

/// <summary>
/// Runs a share in pieces, so that activations take the memory of one piece: each slice is u micro-batches of
/// ceil(rows of a full slice / u) rows, whose gradients add left to right; slices then add by the tree. The number u
/// belongs to the arithmetic of a job, as the number of slices does: another u gives other last bits, another share or
/// number of workers does not. Takes up to log2(slices of a node) + 1 vectors of the layout besides the gradients.
/// </summary>
public sealed class MicroBatches
{
    private readonly TrainProgram _program;
    private readonly int _rows;
    private readonly List<float[]> _scratch = [];
    private readonly Dictionary<int, StepSlices> _single = [];
    private readonly Memory<float>[] _target = new Memory<float>[1];
    private readonly double[] _loss = new double[1];
    private int[] _firstRows = [];

    /// <summary>Runs a share of slices in pieces of so many samples.</summary>
    /// <param name="program">Compiled for at least <paramref name="rows"/> rows.</param>
    /// <param name="rows">Samples of a micro-batch; the last one of a slice may have fewer.</param>
    public MicroBatches(TrainProgram program, int rows)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(rows, 1);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(rows, program.RowsMax);
        (_program, _rows) = (program, rows);
    }

    /// <summary>
    /// Rows of a micro-batch when slices of <paramref name="sliceRows"/> samples are cut into u of them: rounded up, so
    /// the last one may have fewer.
    /// </summary>
    public static int RowsOf(int sliceRows, int u) => ((sliceRows - 1) / u) + 1;

    /// <summary>
    /// One step over a share, as <see cref="TrainProgram.Run"/>. Parameters become ready after the last micro-batch.
    /// </summary>
    public void Run(
        BatchBuffer batch, StepSlices slices, long step, ReadOnlySpan<float> weights,
        IReadOnlyList<Memory<float>> nodeGradients, Span<double> sliceLoss, IGradientObserver? observer)
    {
        Invariant.Check(batch.Rows == slices.Rows, "EX-3 the batch has the rows of the share");
        Invariant.Check(nodeGradients.Count == slices.Nodes.Length, "EX-4 one gradient per node of the cover");
        var (first, rows) = (batch.FirstRow, batch.Rows);
        CountRows(slices, first);
        var call = new Call(batch, slices, step, weights, sliceLoss);
        for (var i = 0; i < nodeGradients.Count; i++) Node(call, slices.Nodes[i], nodeGradients[i], 0);
        batch.Window(first, rows);
        if (observer is null) return;
        for (var slot = _program.Layout.Slots.Count - 1; slot >= 0; slot--) observer.OnParameterReady(slot);
    }

    private void CountRows(StepSlices slices, int first)
    {
        var count = slices.RowsPerSlice.Length;
        if (_firstRows.Length < count) _firstRows = new int[count];
        for (var s = 0; s < count; s++)
        {
            _firstRows[s] = first;
            first += slices.RowsPerSlice[s];
        }
    }

    // The rule of the tree: no leaf present, no value; one child absent, the other child's bits; else left + right.
    private bool Node(in Call call, TreeNode node, Memory<float> into, int depth)
    {
        if (node.Level == 0) return Slice(call, node.Index - call.Slices.FirstSlice, into, depth);
        var left = Node(call, node.Left, into, depth);
        if (!left) return Node(call, node.Right, into, depth);
        var other = Scratch(depth);
        if (Node(call, node.Right, other, depth + 1)) Sum(into, other);
        return true;
    }

    private bool Slice(in Call call, int slice, Memory<float> into, int depth)
    {
        var rows = slice < call.Slices.RowsPerSlice.Length ? call.Slices.RowsPerSlice[slice] : 0;
        if (rows == 0) return false;
        var loss = 0.0;
        for (var at = 0; at < rows; at += _rows)
        {
            var count = Math.Min(_rows, rows - at);
            call.Batch.Window(_firstRows[slice] + at, count);
            _target[0] = at == 0 ? into : Scratch(depth);
            _program.Run(call.Batch, SingleOf(count), call.Step, call.Weights, _target, _loss, null);
            if (at > 0) Sum(into, _target[0]);
            loss += _loss[0];
        }

        call.SliceLoss[slice] = loss;
        return true;
    }

    private StepSlices SingleOf(int rows)
    {
        if (!_single.TryGetValue(rows, out var single)) _single[rows] = single = StepSlices.Single(rows);
        return single;
    }

    private Memory<float> Scratch(int depth)
    {
        while (_scratch.Count <= depth)
            _scratch.Add(GC.AllocateArray<float>(checked((int)_program.Layout.TotalLength), pinned: true));
        return _scratch[depth];
    }

    private static void Sum(Memory<float> into, Memory<float> other) =>
        Elementwise.Binary<float, Add>(into.Span, other.Span, into.Span);

    private readonly ref struct Call(
        BatchBuffer batch, StepSlices slices, long step, ReadOnlySpan<float> weights, Span<double> sliceLoss)
    {
        public BatchBuffer Batch { get; } = batch;
        public StepSlices Slices { get; } = slices;
        public long Step { get; } = step;
        public ReadOnlySpan<float> Weights { get; } = weights;
        public Span<double> SliceLoss { get; } = sliceLoss;
    }
}
