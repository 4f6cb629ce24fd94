using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Passes;

/// <summary>
/// A rule that names an earlier value which a node equals to the bit, or null. Rules are data: a name and a match.
/// </summary>
public sealed record IdentityRule(string Name, Func<Graph, GraphNode, ValueRef?> Match);

/// <summary>How often a rule held.</summary>
public sealed record RuleReport(string Rule, int Count);

/// <summary>How rules are applied.</summary>
public enum RewriteStrategy
{
    /// <summary>Every node is looked at once; the first rule of the list that holds wins.</summary>
    Once,
    /// <summary>Again until no rule holds.</summary>
    FixedPoint,
}

/// <summary>
/// Guarantees: no node that one of the rules recognizes. Only identities that keep every bit: x + 0 is none of them,
/// because it makes -0 to 0; x + -0 is one.
/// </summary>
public static class IdentityRules
{
    public static readonly IReadOnlyList<IdentityRule> All =
    [
        new("x - 0", (g, n) => n.Op == OpTable.Subtract && IsFull(g, n, 1, 0) ? Same(g, n, 0) : null),
        new("x + -0", (g, n) => n.Op == OpTable.Add && IsFull(g, n, 1, -0.0) ? Same(g, n, 0) : null),
        new("-0 + x", (g, n) => n.Op == OpTable.Add && IsFull(g, n, 0, -0.0) ? Same(g, n, 1) : null),
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
        new("max of x and x", (g, n) => n.Op == OpTable.Maximum && n.Inputs[0] == n.Inputs[1] ? n.Inputs[0] : null),
        new("min of x and x", (g, n) => n.Op == OpTable.Minimum && n.Inputs[0] == n.Inputs[1] ? n.Inputs[0] : null),
        new("f(f(x)) that is f(x)", (g, n) => IsSettledByOnce(n.Op) && Before(g, n, n.Op) is { } b
            && b.Attributes.Equals(n.Attributes) ? n.Inputs[0] : null),
    ];

    private const int RoundsMax = 64;

    public static Graph Run(Graph graph) => Run(graph, All, RewriteStrategy.FixedPoint).Graph;

    /// <summary>Rules earlier in the list go first. Also what each rule did.</summary>
    public static (Graph Graph, IReadOnlyList<RuleReport> Rules) Run(
        Graph graph, IReadOnlyList<IdentityRule> rules, RewriteStrategy strategy)
    {
        var counts = new int[rules.Count];
        var rounds = strategy == RewriteStrategy.Once ? 1 : RoundsMax;
        for (var (round, changed) = (0, true); changed && round < rounds; round++)
            (graph, changed) = Round(graph, rules, counts);
        return (graph,
            [.. rules.Zip(counts, (rule, count) => new RuleReport(rule.Name, count)).Where(r => r.Count > 0)]);
    }

    private static (Graph Graph, bool Changed) Round(Graph graph, IReadOnlyList<IdentityRule> rules, int[] counts)
    {
        var edit = new GraphEdit(graph);
        var uses = Uses.Count(graph);
        var changed = false;
        foreach (var node in graph.Nodes)
        {
            // What nobody reads has been replaced already and waits to be removed.
            if (uses[node.Id] > 0 && Find(graph, node, rules, counts) is { } same)
            {
                edit.Replace(node, edit.Map(same));
                changed = true;
            }
            else edit.Copy(node);
        }

        return (changed ? edit.Finish() : graph, changed);
    }

    private static ValueRef? Find(Graph graph, GraphNode node, IReadOnlyList<IdentityRule> rules, int[] counts)
    {
        for (var i = 0; i < rules.Count; i++)
        {
            if (rules[i].Match(graph, node) is not { } same) continue;
            counts[i]++;
            return same;
        }

        return null;
    }

    private static bool IsSettledByOnce(Op op) =>
        op == OpTable.Relu || op == OpTable.Floor || op == OpTable.Ceil || op == OpTable.Round || op == OpTable.Sign
        || op == OpTable.Clamp;

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
