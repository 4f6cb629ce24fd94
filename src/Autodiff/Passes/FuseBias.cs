using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;

namespace Convoy.Autodiff.Passes;

/// <summary>
/// linear without a bias, then the addition of a vector of its width: one node with a bias. Run before the gradient.
/// </summary>
public static class FuseBias
{
    /// <summary>The same results, additions of a bias inside the products before them.</summary>
    public static Graph Run(Graph graph)
    {
        var uses = Uses.Count(graph);
        var hosts = new Dictionary<int, GraphNode>();
        foreach (var node in graph.Nodes)
            if (IsBiasAddition(graph, node, uses)) hosts[node.Inputs[0].Node] = node;

        var edit = new GraphEdit(graph);
        foreach (var node in graph.Nodes)
        {
            // The host goes where its addition stands: the bias may be made between the two.
            if (hosts.ContainsKey(node.Id)) continue;
            if (node.Op == OpTable.Add && hosts.TryGetValue(node.Inputs[0].Node, out var addition) && addition == node)
            {
                var host = graph.Nodes[node.Inputs[0].Node];
                var inputs = edit.MapAll(host.Inputs.AsSpan());
                edit.CopyAs(node, host.Op, host.Attributes, [.. inputs, edit.Map(node.Inputs[1])]);
            }
            else edit.Copy(node);
        }

        return edit.Finish();
    }

    private static bool IsBiasAddition(Graph graph, GraphNode add, int[] uses)
    {
        if (add.Op != OpTable.Add) return false;
        var host = graph.Nodes[add.Inputs[0].Node];
        var bias = graph.TypeOf(add.Inputs[1]);
        return host.Op == OpTable.Linear && host.Inputs.Length == 2 && uses[host.Id] == 1
            && host.Attributes.Text("activation").Length == 0
            && bias.Rank == 1 && bias[0] == host.Type[-1] && !bias.IsPerSample;
    }
}
