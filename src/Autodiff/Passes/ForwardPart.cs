using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Passes;

/// <summary>
/// What of a training graph is its forward pass, what of that the backward pass reads, and where the forward pass can
/// be cut.
/// </summary>
internal sealed class ForwardPart
{
    private readonly int _rows;
    private readonly int[] _lastForwardUse;
    private readonly bool[] _isOutput;

    /// <param name="graph">Forward and gradients.</param>
    /// <param name="loss">The output that the forward pass is for.</param>
    /// <param name="rows">Rows of a call, for bytes and operations.</param>
    public ForwardPart(Graph graph, string loss, int rows)
    {
        (Graph, _rows) = (graph, rows);
        IsForward = new bool[graph.Nodes.Length];
        IsForward[graph.Output(loss)!.Value.Node] = true;
        for (var id = graph.Nodes.Length - 1; id >= 0; id--)
        {
            if (!IsForward[id]) continue;
            foreach (var input in graph.Nodes[id].Inputs) IsForward[input.Node] = true;
        }

        Memory = new int[graph.Nodes.Length];
        IsRead = new bool[graph.Nodes.Length];
        _lastForwardUse = new int[graph.Nodes.Length];
        _isOutput = new bool[graph.Nodes.Length];
        foreach (var node in graph.Nodes) Look(node);
        foreach (var output in graph.Outputs) _isOutput[Memory[output.Value.Node]] = true;
    }

    public Graph Graph { get; }
    public bool[] IsForward { get; }

    /// <summary>The node whose memory a node's result lies in: itself, or what a reshape is a view of.</summary>
    public int[] Memory { get; }

    /// <summary>Per node that has memory: the backward pass reads it.</summary>
    public bool[] IsRead { get; }

    /// <summary>
    /// It follows the batch, is computed, and has memory of its own: it can be dropped and made again.
    /// </summary>
    public bool CanDrop(int id) =>
        IsForward[id] && Memory[id] == id && !_isOutput[id] && Graph.Nodes[id].Types.All(t => t.IsPerSample)
        && Graph.Nodes[id].Op is var op && op != OpTable.Input && op != OpTable.Parameter;

    public long BytesOf(int id) => Graph.Nodes[id].Types.Sum(t => t.CountAt(_rows) * t.DType.Size());

    public OpCost CostOf(int id) => CostOf(Graph, Graph.Nodes[id], _rows);

    /// <summary>The last forward node that reads a node's memory.</summary>
    public int LastForwardUse(int id) => _lastForwardUse[id];

    /// <summary>Levels of nodes with memory, carried over to the views of them.</summary>
    public int[] WithViews(int[] levels)
    {
        for (var id = 0; id < levels.Length; id++)
            if (IsForward[id] && Memory[id] != id) levels[id] = levels[Memory[id]];
        return levels;
    }

    public static OpCost CostOf(Graph graph, GraphNode node, int rows) =>
        node.Op.Cost(node.Attributes, [.. node.Inputs.Select(graph.TypeOf)], [.. node.Types], rows);

    private void Look(GraphNode node)
    {
        var isView = node.Op.IsAlias && IsForward[node.Id];
        Memory[node.Id] = isView ? Memory[node.Inputs[0].Node] : node.Id;
        foreach (var input in node.Inputs)
        {
            if (!IsForward[input.Node]) continue;
            var memory = Memory[input.Node];
            if (IsForward[node.Id]) _lastForwardUse[memory] = node.Id;
            else IsRead[memory] = true;
        }
    }
}
