using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Passes;

/// <summary>
/// A rule that names an earlier value which a node equals to the bit, or null. Rules are data: a name and a match.
/// </summary>
public sealed record IdentityRule(string Name, Func<Graph, GraphNode, ValueRef?> Match);

/// <summary>
/// Guarantees: no node that one of the rules recognizes. Only identities that keep every bit: x + 0 is none of them,
/// because
/// it makes -0 to 0.
/// </summary>
public static class IdentityRules
{
    public static readonly IReadOnlyList<IdentityRule> All =
    [
        new("x - 0", (g, n) => n.Op == OpTable.Subtract && IsFull(g, n, 1, 0) ? Same(g, n, 0) : null),
        new("x / 1", (g, n) => n.Op == OpTable.Divide && IsFull(g, n, 1, 1) ? Same(g, n, 0) : null),
        new("x * 1", (g, n) => n.Op == OpTable.Multiply && IsFull(g, n, 1, 1) ? Same(g, n, 0) : null),
        new("1 * x", (g, n) => n.Op == OpTable.Multiply && IsFull(g, n, 0, 1) ? Same(g, n, 1) : null),
        new("-(-x)", (g, n) => n.Op == OpTable.Negate && Before(g, n, OpTable.Negate) is { } b ? b.Inputs[0] : null),
        new("x turned and turned back", TurnedBack),
        new("x reshaped to its shape", (g, n) => n.Op == OpTable.Reshape ? Same(g, n, 0) : null),
        new("x reshaped and reshaped back", (g, n) => n.Op == OpTable.Reshape
            && Before(g, n, OpTable.Reshape) is { } b && g.TypeOf(b.Inputs[0]).Equals(n.Type) ? b.Inputs[0] : null),
        new("x repeated to its shape", (g, n) => n.Op == OpTable.BroadcastTo ? Same(g, n, 0) : null),
        new("flipped twice", (g, n) => n.Op == OpTable.Flip && Before(g, n, OpTable.Flip) is { } b
            && b.Attributes.Equals(n.Attributes) ? b.Inputs[0] : null),
        new("|(|x|)|", (g, n) => n.Op == OpTable.Abs && Before(g, n, OpTable.Abs) is not null ? n.Inputs[0] : null),
        new("relu of relu",
            (g, n) => n.Op == OpTable.Relu && Before(g, n, OpTable.Relu) is not null ? n.Inputs[0] : null),
    ];

    public static Graph Run(Graph graph)
    {
        var edit = new GraphEdit(graph);
        foreach (var node in graph.Nodes)
        {
            ValueRef? same = null;
            foreach (var rule in All) same ??= rule.Match(graph, node);
            if (same is { } value) edit.Replace(node, edit.Map(value));
            else edit.Copy(node);
        }

        return edit.Finish();
    }

    private static ValueRef? TurnedBack(Graph graph, GraphNode node)
    {
        if (node.Op != OpTable.Transpose || Before(graph, node, OpTable.Transpose) is not { } before) return null;
        var (outer, inner) = (node.Attributes.Ints("perm"), before.Attributes.Ints("perm"));
        for (var i = 0; i < outer.Length; i++)
            if (inner[outer[i]] != i) return null;
        return before.Inputs[0];
    }

    private static ValueRef? Same(Graph graph, GraphNode node, int input) =>
        graph.TypeOf(node.Inputs[input]).Equals(node.Type) ? node.Inputs[input] : null;

    private static GraphNode? Before(Graph graph, GraphNode node, Op op) =>
        graph.Nodes[node.Inputs[0].Node] is var before && before.Op == op ? before : null;

    // The bits of the constant count: -0 is another constant than 0.
    private static bool IsFull(Graph graph, GraphNode node, int input, double value)
    {
        var constant = graph.Nodes[node.Inputs[input].Node];
        return constant.Op == OpTable.Full
            && BitConverter.DoubleToInt64Bits(
                constant.Attributes.Number("value", double.NaN)) == BitConverter.DoubleToInt64Bits(value);
    }
}
