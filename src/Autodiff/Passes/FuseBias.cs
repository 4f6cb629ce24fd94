using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;

namespace Convoy.Autodiff.Passes;

/// <summary>
/// linear without a bias, or matmul with one matrix for all rows, then the addition of a vector of its width on either
/// side: one linear with a bias. Run before the gradient.
/// </summary>
public static class FuseBias
{
    /// <summary>The same results, additions of a bias inside the products before them.</summary>
    public static Graph Run(Graph graph)
    {
        var uses = Uses.Count(graph);
        var additions = new Dictionary<int, Addition>();
        var hosts = new HashSet<int>();
        foreach (var node in graph.Nodes)
        {
            if (Of(graph, node, uses) is not { } addition) continue;
            additions[node.Id] = addition;
            hosts.Add(addition.Product.Id);
        }

        var edit = new GraphEdit(graph);
        foreach (var node in graph.Nodes)
        {
            // The product goes where its addition stands: the bias may be made between the two.
            if (hosts.Contains(node.Id)) continue;
            if (additions.TryGetValue(node.Id, out var addition))
            {
                var inputs = edit.MapAll(addition.Product.Inputs.AsSpan());
                edit.CopyAs(node, OpTable.Linear, addition.Attributes, [.. inputs, edit.Map(addition.Bias)]);
            }
            else edit.Copy(node);
        }

        return edit.Finish();
    }

    private sealed record Addition(GraphNode Product, Attributes Attributes, ValueRef Bias);

    private static Addition? Of(Graph graph, GraphNode add, int[] uses)
    {
        if (add.Op != OpTable.Add) return null;
        return Of(graph, add, add.Inputs[0], add.Inputs[1], uses) ?? Of(graph, add, add.Inputs[1], add.Inputs[0], uses);
    }

    private static Addition? Of(Graph graph, GraphNode add, ValueRef product, ValueRef bias, int[] uses)
    {
        var host = graph.Nodes[product.Node];
        if (uses[host.Id] != 1 || host.Inputs.Length != 2 || LinearForm.Of(graph, host) is not { } attributes)
            return null;
        var vector = graph.TypeOf(bias);
        return vector.Rank == 1 && vector[0] == host.Type[-1] && !vector.IsPerSample && MayMove(graph, host, add)
            ? new Addition(host, attributes, bias) : null;
    }

    // Gradients of one value are added in the order of its readers: no other reader may be passed.
    private static bool MayMove(Graph graph, GraphNode host, GraphNode add)
    {
        for (var id = host.Id + 1; id < add.Id; id++)
            foreach (var input in graph.Nodes[id].Inputs)
                if (host.Inputs.Contains(input)) return false;
        return true;
    }
}

/// <summary>Which products can be the linear that takes a bias or an activation with it.</summary>
internal static class LinearForm
{
    /// <summary>The attributes of the linear that computes the same bits, or null where there is none.</summary>
    public static Attributes? Of(Graph graph, GraphNode node)
    {
        if (node.Op == OpTable.Linear) return node.Attributes.Text("activation").Length == 0 ? node.Attributes : null;
        if (node.Op != OpTable.MatMul || node.Attributes.Flag("ta")) return null;
        var (x, w) = (graph.TypeOf(node.Inputs[0]), graph.TypeOf(node.Inputs[1]));
        if (w.Rank != 2 || w.IsPerSample || x[-1].PerSample) return null;
        return node.Attributes.Flag("tb") ? Attributes.None : Attributes.Of("columns", true);
    }
}
