using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Execution;

/// <summary>The memory that the callers of a program lend it for one call, and the program's own.</summary>
internal sealed class ProgramMemory(ProgramPlan plan, Arena arena)
{
    public StepContext Context { get; } = new();
    public Storage Arena { get; } = arena.Storage;
    public Storage Weights { get; } = Storage.Unbound();
    public Storage Gradients { get; } = Storage.Unbound();
    public Storage[] Inputs { get; } = [.. plan.Graph.Inputs.Select(_ => Storage.Unbound())];
}

/// <summary>
/// A plan with tensors for one share of slices. Kept and run again for the next step of the same form.
/// </summary>
internal sealed class Binding
{
    private readonly ProgramPlan _plan;
    private readonly ProgramMemory _memory;
    private readonly Dictionary<PlanBuffer, Storage> _summed = [];
    private readonly int[] _rowStarts;
    private readonly Tensor?[] _outputs;

    /// <param name="gradientStride">Elements from the gradients of one node to those of the next.</param>
    public Binding(ProgramPlan plan, ProgramMemory memory, StepSlices slices, long gradientStride)
    {
        (_plan, _memory, Slices, GradientStride) = (plan, memory, slices, gradientStride);
        _rowStarts = new int[slices.RowsPerSlice.Length + 1];
        for (var i = 0; i < slices.RowsPerSlice.Length; i++) _rowStarts[i + 1] = _rowStarts[i] + slices.RowsPerSlice[i];
        Steps = [.. plan.Steps.Select(Bind)];
        _outputs = [.. plan.Graph.Outputs.Select(o => IsSummed(o.Value) ? null : TensorOf(o.Value))];
    }

    public StepSlices Slices { get; }
    public long GradientStride { get; }
    public BoundStep[] Steps { get; }
    /// <summary>Bytes of tensors that belong to this form of step alone.</summary>
    public long Bytes { get; private set; }
    private int Rows => Slices.Rows;

    /// <summary>An output of the graph that is not summed over the batch.</summary>
    public Tensor Output(string name)
    {
        for (var i = 0; i < _outputs.Length; i++)
            if (_plan.Graph.Outputs[i].Name == name && _outputs[i] is { } tensor) return tensor;
        throw Shared.Invariant.Unhandled(name);
    }

    private bool IsSummed(ValueRef value) => _plan.Placement.Kinds[value.Node] == ValueKind.Summed;

    private Tensor TensorOf(ValueRef value) => Whole(_plan.Buffer(value), _plan.Graph.TypeOf(value));

    private BoundStep Bind(PlanStep step)
    {
        int[] ready = [.. step.Ready];
        return step.Kind switch
        {
            StepKind.Batch => new CallStep(step.Node.Op, [BatchCall(step.Node)], ready),
            StepKind.Segmented => new CallStep(step.Node.Op, [SegmentedCall(step.Node)], ready),
            StepKind.EachNode => new CallStep(
                step.Node.Op, [.. Enumerable.Range(0, Slices.Nodes.Length).Select(i => NodeCall(step.Node, i))], ready),
            StepKind.EachSlice => EachSlice(step.Node, ready),
            StepKind.Combine => Combine(step, ready),
            _ => CopyGradient(step, ready),
        };
    }

    private OpCall BatchCall(GraphNode node) => new(
        node.Attributes, [.. node.Inputs.Select(TensorOf)], [.. Results(node).Select(TensorOf)])
    {
        Slices = node.Op.NeedsSlices ? MapOf(1, Slices.Leaves()) : null,
        RowSlices = HasRowsOfSamples(node) ? MapOf(1, Slices.Leaves()) : null,
        Context = _memory.Context,
    };

    // The first operand lies sample after sample, the second is the same for all.
    private bool HasRowsOfSamples(GraphNode node) =>
        node.Op.MultipliesRows && node.Type.BatchAxis == 0 && _plan.Graph.TypeOf(node.Inputs[0]).BatchAxis == 0
        && _plan.Placement.Kinds[node.Inputs[1].Node] == ValueKind.Shared;

    private SliceMap MapOf(int rowsPerSample, ReadOnlySpan<TreeNode> nodes)
    {
        var map = new SliceMap();
        map.Fill(Slices.RowsPerSlice, rowsPerSample, Slices.FirstSlice, Slices.Slices, nodes);
        return map;
    }

    private OpCall SegmentedCall(GraphNode node)
    {
        var perSlice = _plan.Placement.RunsPerSlice(node);
        Tensor[] outputs = [.. Results(node).Select(v => Part(v, 0, perSlice))];
        return new OpCall(node.Attributes, [.. node.Inputs.Select(TensorOf)], outputs)
        {
            Slices = MapOf(_plan.Placement.RowsPerSample(node), perSlice ? Slices.Leaves() : Slices.Nodes),
            NodeStrides = [.. Results(node).Select(v => StrideOf(v, perSlice))],
        };
    }

    private OpCall NodeCall(GraphNode node, int index) => new(
        node.Attributes, [.. node.Inputs.Select(v => SummedOrWhole(v, index, false))],
        [.. Results(node).Select(v => Part(v, index, false))]);

    private SliceCallStep EachSlice(GraphNode node, int[] ready)
    {
        var copies = new List<(Tensor, Tensor)>();
        var calls = new OpCall?[Slices.RowsPerSlice.Length];
        for (var i = 0; i < calls.Length; i++)
        {
            // An absent slice has no result; the tree passes it over.
            if (Slices.RowsPerSlice[i] == 0) continue;
            var index = i;
            Tensor[] inputs = [.. node.Inputs.Select(v => RowsOf(v, index, copies))];
            calls[i] = new OpCall(node.Attributes, inputs, [.. Results(node).Select(v => Part(v, index, true))]);
        }

        return new SliceCallStep(node.Op, calls, [.. copies], ready);
    }

    private CombineStep Combine(PlanStep step, int[] ready)
    {
        var value = new ValueRef(step.Node.Id, step.Output);
        var count = Slices.RowsPerSlice.Length;
        Tensor[] slices = [.. Enumerable.Range(0, count).Select(i => Part(value, i, true))];
        Tensor[] scratch = [.. slices.Select(t => Own(t.DType, t.Shape))];
        bool[] present = [.. Slices.RowsPerSlice.ToArray().Select(r => r > 0)];
        Tensor[] results = [.. Enumerable.Range(0, Slices.Nodes.Length).Select(i => Part(value, i, false))];
        return new CombineStep(slices, present, scratch, Slices.FirstSlice, Slices.Nodes, results, ready);
    }

    private CopyStep CopyGradient(PlanStep step, int[] ready)
    {
        var value = new ValueRef(step.Node.Id, step.Output);
        var copies = new (Tensor, Tensor)[Slices.Nodes.Length];
        for (var i = 0; i < copies.Length; i++)
            copies[i] = (Part(value, i, false), Gradient(step.Slot, i, _plan.Graph.TypeOf(value).At(0)));
        return new CopyStep(copies, ready);
    }

    private static IEnumerable<ValueRef> Results(GraphNode node) =>
        Enumerable.Range(0, node.Types.Length).Select(i => new ValueRef(node.Id, i));

    private Tensor SummedOrWhole(ValueRef value, int index, bool perSlice) =>
        IsSummed(value) ? Part(value, index, perSlice) : TensorOf(value);

    /// <summary>
    /// An input of a call on one slice: the slice's own result, its rows, or the whole of what is shared.
    /// </summary>
    private Tensor RowsOf(ValueRef value, int slice, List<(Tensor, Tensor)> copies)
    {
        if (_plan.Placement.Kinds[value.Node] != ValueKind.PerSample) return SummedOrWhole(value, slice, true);
        var whole = TensorOf(value);
        var type = _plan.Graph.TypeOf(value);
        var rowsPerSample = type[type.BatchAxis].Size;
        var specs = new SliceSpec[type.BatchAxis + 1];
        Array.Fill(specs, SliceSpec.All);
        specs[^1] = SliceSpec.Range(_rowStarts[slice] * rowsPerSample, _rowStarts[slice + 1] * rowsPerSample);
        var view = whole.Slice(specs);
        if (view.IsContiguous) return view;
        var copy = Own(view.DType, view.Shape);
        copies.Add((view, copy));
        return copy;
    }

    private Tensor Whole(PlanBuffer buffer, TensorType type)
    {
        var (storage, offset) = buffer.Place switch
        {
            BufferPlace.Input => (_memory.Inputs[buffer.Index], 0L),
            BufferPlace.Weights => (_memory.Weights, _plan.Layout.Slots[buffer.Index].Offset),
            _ => (_memory.Arena, _plan.ArenaOffset(buffer) / type.DType.Size()),
        };
        return View(storage, type.DType, type.At(Rows), offset);
    }

    /// <summary>The result of one slice, or of one node of the cover.</summary>
    private Tensor Part(ValueRef value, int index, bool perSlice)
    {
        var type = _plan.Graph.TypeOf(value);
        var buffer = perSlice ? _plan.SliceBuffer(value) : _plan.Buffer(value);
        if (buffer.Place == BufferPlace.Gradient) return Gradient(buffer.Index, index, type.At(0));
        if (!_summed.TryGetValue(buffer, out var storage))
        {
            var parts = perSlice ? Slices.RowsPerSlice.Length : Slices.Nodes.Length;
            storage = Storage.AllocatePinned(Math.Max(1, parts) * type.Coefficient * type.DType.Size());
            Bytes += storage.Bytes;
            _summed.Add(buffer, storage);
        }

        return View(storage, type.DType, type.At(0), index * type.Coefficient);
    }

    private Tensor Own(DType dtype, Shape shape)
    {
        var tensor = Tensor.Empty(dtype, shape);
        Bytes += tensor.Storage.Bytes;
        return tensor;
    }

    private Tensor Gradient(int slot, int node, Shape shape) =>
        View(_memory.Gradients, DType.Float32, shape, (node * GradientStride) + _plan.Layout.Slots[slot].Offset);

    private int StrideOf(ValueRef value, bool perSlice)
    {
        var isGradient = !perSlice && _plan.Buffer(value).Place == BufferPlace.Gradient;
        return checked((int)(isGradient ? GradientStride : _plan.Graph.TypeOf(value).Coefficient));
    }

    private static Tensor View(Storage storage, DType dtype, Shape shape, long offset) =>
        new(storage, dtype, shape, Tensor.ContiguousStrides(shape), offset);
}
