using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;

namespace Convoy.Autodiff.Passes;

/// <summary>
/// linear, matmul with one matrix for all rows, or conv2d, then an activation that nothing else sees the input of: one
/// node, which applies the activation while a result is in registers. Run before the gradient; only activations whose
/// gradient needs the result alone.
/// </summary>
public static class FuseActivations
{
    /// <summary>The same results, activations inside the products before them.</summary>
    public static Graph Run(Graph graph)
    {
        var uses = Uses.Count(graph);
        var fused = new Dictionary<int, GraphNode>();
        foreach (var node in graph.Nodes)
        {
            // A chosen subgradient needs the input, which a fused node does not keep.
            if (Activations.Fusable(node.Op) is null || node.Attributes.Has(Kink.Attribute)) continue;
            var before = graph.Nodes[node.Inputs[0].Node];
            if (uses[before.Id] == 1 && Host(graph, before) is not null) fused[before.Id] = node;
        }

        var edit = new GraphEdit(graph);
        foreach (var node in graph.Nodes)
        {
            if (fused.TryGetValue(node.Id, out var activation))
            {
                var (op, attributes) = Host(graph, node)!.Value;
                attributes = attributes.With("activation", Activations.Fusable(activation.Op)!);
                edit.CopyAs(node, op, attributes, edit.MapAll(node.Inputs.AsSpan()));
            }
            else if (node.Inputs.Length == 1 && fused.TryGetValue(node.Inputs[0].Node, out var here)
                && here.Id == node.Id)
                edit.Replace(node, edit.Map(node.Inputs[0]));
            else edit.Copy(node);
        }

        return edit.Finish();
    }

    // The operator that takes the activation with it, and its attributes so far.
    private static (Op Op, Attributes Attributes)? Host(Graph graph, GraphNode node)
    {
        if (node.Op == OpTable.Conv2d && node.Attributes.Text("activation").Length == 0) return (node.Op, node.Attributes);
        return LinearForm.Of(graph, node) is { } attributes ? (OpTable.Linear, attributes) : null;
    }
}

internal static class Uses
{
    /// <summary>How often each node is read, by nodes and as an output.</summary>
    public static int[] Count(Graph graph)
    {
        var uses = new int[graph.Nodes.Length];
        foreach (var node in graph.Nodes)
            foreach (var input in node.Inputs) uses[input.Node]++;
        foreach (var output in graph.Outputs) uses[output.Value.Node]++;
        return uses;
    }
}
