using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;

namespace Convoy.Autodiff.Passes;

/// <summary>
/// Guarantees: a constant that is repeated or reshaped is one constant of the final shape, and nothing is multiplied by
/// 1 when the shape stays. Only rewrites that keep every bit.
/// </summary>
public static class FoldConstants
{
    public static Graph Run(Graph graph)
    {
        var edit = new GraphEdit(graph);
        foreach (var node in graph.Nodes)
        {
            if (IsMove(node) && FullOf(edit, node.Inputs[0]) is { } full)
                edit.CopyAs(node, OpTable.Full, full.Attributes.With("dims", node.Type.Dims), []);
            else if (OneTimes(edit, node) is { } same) edit.Replace(node, edit.Map(same));
            else edit.Copy(node);
        }

        return edit.Finish();
    }

    private static bool IsMove(GraphNode node) =>
        node.Op == OpTable.Reshape || node.Op == OpTable.BroadcastTo || node.Op == OpTable.Transpose;

    private static ValueRef? OneTimes(GraphEdit edit, GraphNode node)
    {
        if (node.Op != OpTable.Multiply) return null;
        for (var i = 0; i < 2; i++)
        {
            var other = node.Inputs[1 - i];
            var isOne = FullOf(edit, node.Inputs[i]) is { } full && full.Attributes.Number("value") == 1;
            if (isOne && edit.Source.TypeOf(other).Equals(node.Type)) return other;
        }

        return null;
    }

    // Looks at the new graph, so that a chain of moves folds in one run.
    private static GraphNode? FullOf(GraphEdit edit, ValueRef value)
    {
        var node = edit.Target[edit.Map(value).Node];
        return node.Op == OpTable.Full ? node : null;
    }
}
