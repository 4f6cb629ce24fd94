using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;

namespace Convoy.Autodiff.Passes;

/// <summary>
/// Guarantees: every node is an input, a parameter, or needed by an output. Inputs and parameters stay: they are the
/// signature and the layout of the weights.
/// </summary>
public static class DeadCode
{
    /// <summary>The graph without what no output needs.</summary>
    public static Graph Run(Graph graph)
    {
        var needed = new bool[graph.Nodes.Length];
        foreach (var output in graph.Outputs) needed[output.Value.Node] = true;
        for (var id = graph.Nodes.Length - 1; id >= 0; id--)
        {
            var node = graph.Nodes[id];
            needed[id] |= node.Op == OpTable.Input || node.Op == OpTable.Parameter;
            if (!needed[id]) continue;
            foreach (var input in node.Inputs) needed[input.Node] = true;
        }

        var edit = new GraphEdit(graph);
        foreach (var node in graph.Nodes)
            if (needed[node.Id]) edit.Copy(node);
        return edit.Finish();
    }
}
