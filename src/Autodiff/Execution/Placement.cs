using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes;

namespace Convoy.Autodiff.Execution;

internal enum ValueKind
{
    /// <summary>Made from weights and constants: one value for all samples.</summary>
    Shared,
    /// <summary>One row (or more) per sample of the batch.</summary>
    PerSample,
    /// <summary>A sum over samples: one value per node of the slice tree.</summary>
    Summed,
}

/// <summary>
/// For each node of a graph: does its result follow the batch, and where the batch was summed away, at which level of
/// the slice tree is it wanted. Sums over the batch must come out with the same bits for every share, so: the sum
/// itself is cut at slice edges; moves of elements commute with the tree and run per node; anything else that follows
/// (the addition of two uses of one weight, a scale) runs per slice, and the tree adds its results.
/// </summary>
internal sealed class Placement
{
    private readonly Graph _graph;

    public Placement(Graph graph)
    {
        _graph = graph;
        Kinds = new ValueKind[graph.Nodes.Length];
        NeedsNodes = new bool[graph.Nodes.Length];
        NeedsSlices = new bool[graph.Nodes.Length];
        foreach (var node in graph.Nodes) Kinds[node.Id] = KindOf(node);
        MarkLevels();
    }

    public ValueKind[] Kinds { get; }
    /// <summary>Of a summed value: wanted per node of the cover.</summary>
    public bool[] NeedsNodes { get; }
    /// <summary>Of a summed value: wanted per slice.</summary>
    public bool[] NeedsSlices { get; }

    /// <summary>The node sums the batch away, rather than working on what was summed before.</summary>
    public bool IsContraction(GraphNode node) =>
        Kinds[node.Id] == ValueKind.Summed && !node.Inputs.Any(i => Kinds[i.Node] == ValueKind.Summed);

    public bool IsSegmented(GraphNode node) => IsContraction(node) && RowsPerSample(node) > 0;

    public int RowsPerSample(GraphNode node) =>
        node.Op.RowsPerSample(node.Attributes, [.. node.Inputs.Select(_graph.TypeOf)]);

    /// <summary>Computed per slice first: the tree adds the results when they are wanted per node.</summary>
    public bool RunsPerSlice(GraphNode node)
    {
        if (Kinds[node.Id] != ValueKind.Summed) return false;
        if (IsContraction(node)) return NeedsSlices[node.Id] || !IsSegmented(node);
        return NeedsSlices[node.Id] || !node.Op.OnlyMoves;
    }

    private ValueKind KindOf(GraphNode node)
    {
        uint summed = 0;
        var perSample = node.Op == OpTable.Input && node.Type.IsPerSample;
        for (var i = 0; i < node.Inputs.Length; i++)
        {
            var kind = Kinds[node.Inputs[i].Node];
            if (kind == ValueKind.Summed) summed |= 1u << Math.Min(i, 31);
            if (kind == ValueKind.PerSample) perSample = true;
        }

        if (summed != 0)
        {
            if (perSample || !node.Op.IsLinearIn(summed)) throw NotASum(node);
            return ValueKind.Summed;
        }

        if (node.Type.IsPerSample) return ValueKind.PerSample;
        if (!perSample) return ValueKind.Shared;
        return node.Op.SumsSamples(node.Attributes) ? ValueKind.Summed : throw NotASum(node);
    }

    private static GraphException NotASum(GraphNode node) => new(
        $"{node.Name}: {node.Op.Name} makes the result depend on how the batch is cut; a gradient must be a sum over samples");

    private void MarkLevels()
    {
        foreach (var output in _graph.Outputs)
        {
            if (!output.Name.StartsWith(GradientGraph.Prefix, StringComparison.Ordinal)) continue;
            if (Kinds[output.Value.Node] != ValueKind.Summed)
                throw new GraphException($"{output.Name} does not come from samples");
            NeedsNodes[output.Value.Node] = true;
        }

        for (var id = _graph.Nodes.Length - 1; id >= 0; id--)
        {
            var node = _graph.Nodes[id];
            if (Kinds[id] != ValueKind.Summed || (!NeedsNodes[id] && !NeedsSlices[id])) continue;
            foreach (var input in node.Inputs)
            {
                if (Kinds[input.Node] != ValueKind.Summed) continue;
                NeedsSlices[input.Node] |= RunsPerSlice(node);
                NeedsNodes[input.Node] |= !RunsPerSlice(node);
            }
        }
    }
}
