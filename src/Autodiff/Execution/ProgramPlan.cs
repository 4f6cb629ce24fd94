using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Execution;

internal enum BufferPlace
{
    /// <summary>The caller's batch.</summary>
    Input,
    /// <summary>The caller's weights.</summary>
    Weights,
    /// <summary>The planned memory of the program.</summary>
    Arena,
    /// <summary>A result per slice of the share.</summary>
    Slices,
    /// <summary>A result per node of the cover.</summary>
    Nodes,
    /// <summary>The caller's gradient of a parameter, per node of the cover.</summary>
    Gradient,
}

/// <summary>Memory of one or several values (a reshape shares that of its input). Index: input, slot or arena
/// buffer.</summary>
internal sealed class PlanBuffer(BufferPlace place, TensorType type)
{
    public BufferPlace Place { get; set; } = place;
    public TensorType Type { get; } = type;
    public int Index { get; set; }
}

internal enum StepKind
{
    /// <summary>One call over the whole batch.</summary>
    Batch,
    /// <summary>One call that returns a result per node (or per slice) of the slice tree.</summary>
    Segmented,
    /// <summary>One call per slice, on the rows of the slice.</summary>
    EachSlice,
    /// <summary>One call per node of the cover, on results of nodes.</summary>
    EachNode,
    /// <summary>The tree adds results of slices to results of nodes.</summary>
    Combine,
    /// <summary>A gradient goes to its place because its memory was already somewhere else.</summary>
    CopyGradient,
}

internal sealed class PlanStep(StepKind kind, GraphNode node, int output)
{
    public StepKind Kind { get; } = kind;
    public GraphNode Node { get; } = node;
    /// <summary>Of Combine and CopyGradient.</summary>
    public int Output { get; } = output;
    /// <summary>Of CopyGradient.</summary>
    public int Slot { get; init; } = -1;
    /// <summary>Parameters whose gradients are final after this step.</summary>
    public List<int> Ready { get; } = [];
}

/// <summary>
/// A graph as a list of steps over planned memory. Everything that does not depend on the rows of a call is decided
/// here.
/// </summary>
internal sealed class ProgramPlan
{
    private readonly Dictionary<ValueRef, PlanBuffer> _buffers = [];
    private readonly Dictionary<ValueRef, PlanBuffer> _sliceBuffers = [];
    private readonly List<TensorType> _arenaTypes = [];
    private int _inPlace;
    private long _bytesInPlace;

    public ProgramPlan(Graph graph, int rowsMax)
    {
        (Graph, RowsMax) = (graph, rowsMax);
        Placement = new Placement(graph);
        Layout = ParameterLayout.Of(graph);
        for (var i = 0; i < graph.Inputs.Length; i++)
            Bind(graph.Inputs[i], new PlanBuffer(BufferPlace.Input, graph.Inputs[i].Type) { Index = i });
        for (var i = 0; i < graph.Parameters.Length; i++)
            Bind(graph.Parameters[i], new PlanBuffer(BufferPlace.Weights, graph.Parameters[i].Type) { Index = i });
        foreach (var node in graph.Nodes) AddSteps(node);
        PlaceGradients();
        Memory = PlanMemory();
    }

    public Graph Graph { get; }
    public int RowsMax { get; }
    public Placement Placement { get; }
    public ParameterLayout Layout { get; }
    public List<PlanStep> Steps { get; } = [];
    /// <summary>Parameters that the loss does not depend on: their gradients are zeros.</summary>
    public List<int> WithoutGradient { get; } = [];
    public FusionReport Fusion { get; init; } = new(0, 0, 0);
    public MemoryPlan Memory { get; }
    public MemoryStatistics MemoryStatistics => new(
        Memory.TotalBytes, Memory.LiveBytes, Memory.BytesWithoutReuse + _bytesInPlace,
        Memory.Offsets.Length + _inPlace, _inPlace);
    public long ArenaOffset(PlanBuffer buffer) => Memory.Offsets[buffer.Index];

    /// <summary>
    /// Stretches of the arena that a call of so many rows writes: fewer rows touch less of each buffer.
    /// </summary>
    public IEnumerable<(long From, long End)> Touched(int rows)
    {
        for (var i = 0; i < _arenaTypes.Count; i++)
            yield return (Memory.Offsets[i],
                Memory.Offsets[i] + (_arenaTypes[i].CountAt(rows) * _arenaTypes[i].DType.Size()));
    }

    /// <summary>
    /// Bytes that a program takes beside its arena for one form of step: results that are summed over the batch and are
    /// no gradients of parameters, what the tree needs to add them, and copies of rows that do not lie together.
    /// </summary>
    public long SummedBytes(StepSlices share)
    {
        var (slices, nodes) = (share.RowsPerSlice.Length, share.Nodes.Length);
        var bytes = 0L;
        foreach (var buffer in _buffers.Values.Distinct())
            if (buffer.Place == BufferPlace.Nodes) bytes += Math.Max(1, nodes) * SizeOf(buffer.Type);
        foreach (var buffer in _sliceBuffers.Values) bytes += Math.Max(1, slices) * SizeOf(buffer.Type);
        foreach (var step in Steps)
        {
            if (step.Kind == StepKind.Combine) bytes += slices * SizeOf(step.Node.Types[step.Output]);
            if (step.Kind != StepKind.EachSlice) continue;
            foreach (var input in step.Node.Inputs)
                if (Placement.Kinds[input.Node] == ValueKind.PerSample && IsCutApart(Graph.TypeOf(input)))
                    bytes += Graph.TypeOf(input).CountAt(share.Rows) * Graph.TypeOf(input).DType.Size();
        }

        return bytes;
    }

    private static long SizeOf(TensorType type) => type.Coefficient * type.DType.Size();

    /// <summary>The rows of a slice do not lie together: something larger than 1 stands before the batch.</summary>
    private static bool IsCutApart(TensorType type)
    {
        for (var axis = 0; axis < type.BatchAxis; axis++)
            if (type[axis].Size != 1) return true;
        return false;
    }

    /// <summary>Memory of a value: whole, or per node when it was summed over the batch.</summary>
    public PlanBuffer Buffer(ValueRef value) => _buffers[value];

    /// <summary>Memory of a summed value per slice.</summary>
    public PlanBuffer SliceBuffer(ValueRef value) => _sliceBuffers[value];

    private void Bind(GraphNode node, PlanBuffer buffer) => _buffers[new ValueRef(node.Id, 0)] = buffer;

    private void AddSteps(GraphNode node)
    {
        if (node.Op == OpTable.Input || node.Op == OpTable.Parameter) return;
        if (Placement.Kinds[node.Id] == ValueKind.Summed) AddSummed(node);
        else if (node.Op.IsAlias) _buffers[new ValueRef(node.Id, 0)] = _buffers[node.Inputs[0]];
        else
        {
            MakeBuffers(node, BufferPlace.Arena, _buffers);
            Steps.Add(new PlanStep(StepKind.Batch, node, 0));
        }
    }

    private void AddSummed(GraphNode node)
    {
        var (nodes, slices) = (Placement.NeedsNodes[node.Id], Placement.NeedsSlices[node.Id]);
        if (!nodes && !slices) return;
        if (!Placement.RunsPerSlice(node))
        {
            if (node.Op.IsAlias && !Placement.IsContraction(node))
            {
                _buffers[new ValueRef(node.Id, 0)] = _buffers[node.Inputs[0]];
                return;
            }

            MakeBuffers(node, BufferPlace.Nodes, _buffers);
            var kind = Placement.IsContraction(node) ? StepKind.Segmented : StepKind.EachNode;
            Steps.Add(new PlanStep(kind, node, 0));
            return;
        }

        MakeBuffers(node, BufferPlace.Slices, _sliceBuffers);
        Steps.Add(new PlanStep(Placement.IsSegmented(node) ? StepKind.Segmented : StepKind.EachSlice, node, 0));
        if (!nodes) return;
        MakeBuffers(node, BufferPlace.Nodes, _buffers);
        for (var i = 0; i < node.Types.Length; i++) Steps.Add(new PlanStep(StepKind.Combine, node, i));
    }

    private void MakeBuffers(GraphNode node, BufferPlace place, Dictionary<ValueRef, PlanBuffer> buffers)
    {
        for (var i = 0; i < node.Types.Length; i++)
            buffers[new ValueRef(node.Id, i)] = new PlanBuffer(place, node.Types[i]);
    }

    // The step that makes a gradient writes it where the caller wants it; a second parameter with the same gradient,
    // and a gradient that is not made per node, take a copy.
    private void PlaceGradients()
    {
        for (var slot = 0; slot < Layout.Slots.Count; slot++)
        {
            if (Graph.Output(GradientGraph.Prefix + Layout.Slots[slot].Name) is not { } value)
            {
                WithoutGradient.Add(slot);
                continue;
            }

            var buffer = _buffers[value];
            var writer = Steps.FindLastIndex(s => Writes(s, buffer));
            if (buffer.Place == BufferPlace.Nodes)
            {
                (buffer.Place, buffer.Index) = (BufferPlace.Gradient, slot);
                Steps[writer].Ready.Add(slot);
            }
            else
            {
                var copy = new PlanStep(StepKind.CopyGradient, Graph.Nodes[value.Node], value.Output) { Slot = slot };
                copy.Ready.Add(slot);
                Steps.Insert(writer + 1, copy);
            }
        }
    }

    private bool Writes(PlanStep step, PlanBuffer buffer)
    {
        if (step.Kind == StepKind.CopyGradient) return false;
        for (var i = 0; i < step.Node.Types.Length; i++)
        {
            var value = new ValueRef(step.Node.Id, i);
            if (_buffers.TryGetValue(value, out var found) && found == buffer)
                return step.Kind != StepKind.Combine || step.Output == i;
        }

        return false;
    }

    private MemoryPlan PlanMemory()
    {
        var lastUse = LastUses();
        var requests = new List<BufferRequest>();
        for (var s = 0; s < Steps.Count; s++)
        {
            var node = Steps[s].Node;
            if (Steps[s].Kind != StepKind.Batch) continue;
            for (var i = 0; i < node.Types.Length; i++)
            {
                var buffer = _buffers[new ValueRef(node.Id, i)];
                var end = Math.Max(s, lastUse.GetValueOrDefault(buffer, s));
                if (i == 0 && Overwritten(node, s, lastUse) is { } shared)
                {
                    // The result takes over the memory of an input that ends here.
                    buffer.Index = shared.Index;
                    _inPlace++;
                    _bytesInPlace += requests[shared.Index].Bytes;
                    requests[shared.Index] = requests[shared.Index] with { LastStep = end };
                    continue;
                }

                buffer.Index = requests.Count;
                _arenaTypes.Add(node.Types[i]);
                requests.Add(new BufferRequest(node.Types[i].CountAt(RowsMax) * node.Types[i].DType.Size(), s, end));
            }
        }

        return MemoryPlan.Of(requests);
    }

    private PlanBuffer? Overwritten(GraphNode node, int step, Dictionary<PlanBuffer, int> lastUse)
    {
        for (var i = 0; i < node.Inputs.Length; i++)
        {
            var buffer = _buffers[node.Inputs[i]];
            var ends = buffer.Place == BufferPlace.Arena && lastUse.GetValueOrDefault(buffer) == step;
            var once = node.Inputs.Count(r => _buffers[r] == buffer) == 1;
            if (ends && once && node.Op.MayOverwrite(i) && Graph.TypeOf(node.Inputs[i]).Equals(node.Type))
                return buffer;
        }

        return null;
    }

    private Dictionary<PlanBuffer, int> LastUses()
    {
        var lastUse = new Dictionary<PlanBuffer, int>();
        for (var s = 0; s < Steps.Count; s++)
        {
            if (Steps[s].Kind is StepKind.Combine or StepKind.CopyGradient) continue;
            foreach (var input in Steps[s].Node.Inputs)
                if (_buffers.TryGetValue(input, out var buffer)) lastUse[buffer] = s;
        }

        foreach (var output in Graph.Outputs)
            if (_buffers.TryGetValue(output.Value, out var buffer)) lastUse[buffer] = Steps.Count;
        return lastUse;
    }
}
