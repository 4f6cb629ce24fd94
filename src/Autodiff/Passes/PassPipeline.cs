using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes.Rewriting;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Passes;

/// <summary>A pass by its name.</summary>
public sealed record GraphPass(string Name, Func<Graph, Graph> Run)
{
    /// <summary>A pass that is made of rules, which are counted.</summary>
    public static GraphPass Of(string name, Strategy strategy) =>
        new(name, graph => Rewriter.Run(graph, strategy).Graph) { Rewrite = graph => Rules(graph, strategy) };

    /// <summary>It makes one operator of several.</summary>
    public bool Fuses { get; init; }

    internal Func<Graph, (Graph Graph, IReadOnlyList<RuleReport> Rules)>? Rewrite { get; private init; }

    private static (Graph Graph, IReadOnlyList<RuleReport> Rules) Rules(Graph graph, Strategy strategy)
    {
        var (next, report) = Rewriter.Run(graph, strategy);
        return (next, report.Rules);
    }

    internal (Graph Graph, IReadOnlyList<RuleReport> Rules) Apply(Graph graph) =>
        Rewrite is null ? (Run(graph), []) : Rewrite(graph);
}

/// <summary>What a pass did to a graph; operations, and bytes read and written, are counted for one row, and for
/// sizes of 1 where they have names.</summary>
public sealed record PassReport(string Pass, int NodesBefore, int NodesAfter, OpCost Before, OpCost After)
{
    /// <summary>Floating-point operations before the pass.</summary>
    public long FlopsBefore => Before.Flops;

    /// <summary>Floating-point operations after the pass.</summary>
    public long FlopsAfter => After.Flops;

    /// <summary>Bytes that operators need no longer read or write; below 0 where the pass added some.</summary>
    public long BytesSaved => Before.Bytes - After.Bytes;

    /// <summary>Operators that became part of another one.</summary>
    public int OperatorsFused { get; init; }

    /// <summary>How often each rule of the pass held; rules that never did are left out.</summary>
    public IReadOnlyList<RuleReport> Rules { get; init; } = [];

    /// <summary>Share of the nodes that the pass took away, 0 to 1; below 0 where it added some.</summary>
    public double Reduction => NodesBefore == 0 ? 0 : (double)(NodesBefore - NodesAfter) / NodesBefore;

    /// <summary>Nothing that is counted has changed.</summary>
    internal bool FoundNothing => NodesBefore == NodesAfter && FlopsBefore == FlopsAfter && Rules.Count == 0;
}

/// <summary>The order of passes, in one place. The verifier looks at the graph after each.</summary>
public static class PassPipeline
{
    private static readonly GraphPass Joining = new("common subexpressions", CommonSubexpressions.Run);

    private static readonly GraphPass Reordering =
        GraphPass.Of("reorder operators", Strategy.FixedPoint(ReorderOperators.All));

    /// <summary>Passes that make a graph smaller without another bit in any result.</summary>
    public static readonly IReadOnlyList<GraphPass> Simplifying =
    [
        GraphPass.Of("fold constants", Strategy.Exhaustive(FoldConstants.All)),
        GraphPass.Of("identities", Strategy.FixedPoint(IdentityRules.All)),
        Reordering,
        Joining,
        new("dead code", DeadCode.Run),
    ];

    private static readonly IReadOnlyList<GraphPass> Fusing =
    [
        new("fuse bias", FuseBias.Run) { Fuses = true }, new("fuse activations", FuseActivations.Run) { Fuses = true },
    ];

    /// <summary>From a graph that was submitted to one for the executor or for gradients.</summary>
    public static IReadOnlyList<GraphPass> Preparing => [.. Fusing, .. Simplifying];

    /// <summary>
    /// Of these what a gradient does not see. Equal expressions become one after it: what comes back to one value of
    /// several readers would be added in another order than on the tape. For that reason operators change places after
    /// it too.
    /// </summary>
    /// <param name="passes">As they are asked for.</param>
    public static IReadOnlyList<GraphPass> BeforeGradients(IReadOnlyList<GraphPass> passes) =>
        [.. passes.Where(p => p != Joining && p != Reordering)];

    /// <summary>Some of <see cref="Preparing"/> by their names, in the order that is asked for.</summary>
    /// <exception cref="GraphException">There is no pass of a name; the message has them all.</exception>
    public static IReadOnlyList<GraphPass> Named(params IReadOnlyList<string> names)
    {
        var known = Preparing;
        return [.. names.Select(name => known.FirstOrDefault(p => p.Name == name) ?? throw new GraphException(
            $"there is no pass \"{name}\"; there are {string.Join(", ", known.Select(p => p.Name))}"))];
    }

    /// <summary>
    /// The list again and again until a whole round finds nothing, or so many rounds were made; reports of all of them.
    /// </summary>
    /// <param name="graph">Legal.</param>
    /// <param name="passes">In the order of a round.</param>
    /// <param name="roundsMax">At least 1.</param>
    /// <param name="told">Hears of each pass as soon as it is done: what a verbose optimizer prints.</param>
    public static (Graph Graph, IReadOnlyList<PassReport> Reports) Settle(
        Graph graph, IReadOnlyList<GraphPass> passes, int roundsMax = 8, Action<PassReport>? told = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(roundsMax, 1);
        var all = new List<PassReport>();
        for (var round = 0; round < roundsMax; round++)
        {
            (graph, var reports) = Run(graph, passes, told);
            all.AddRange(reports);
            if (reports.All(r => r.FoundNothing)) break;
        }

        return (graph, all);
    }

    /// <summary>The graph after <see cref="Simplifying"/>.</summary>
    public static Graph Simplify(Graph graph) => Run(graph, Simplifying).Graph;

    /// <summary>A forward graph, ready for the executor or for <see cref="GradientGraph"/>.</summary>
    public static Graph Forward(Graph graph) => Run(graph, Preparing).Graph;

    /// <summary>Forward and gradients of all parameters.</summary>
    public static Graph Training(Graph graph, string loss = "loss_sum") => Run(graph, ForTraining(loss)).Graph;

    /// <summary>The passes from a forward graph to one with gradients.</summary>
    public static IReadOnlyList<GraphPass> ForTraining(string loss = "loss_sum") =>
        [.. BeforeGradients(Preparing), .. Differentiating(loss)];

    /// <summary>From a prepared graph to one with gradients.</summary>
    public static IReadOnlyList<GraphPass> Differentiating(string loss = "loss_sum") =>
        [new("gradients", g => GradientGraph.Build(g, loss)), .. Simplifying];

    /// <summary>Runs passes one after another; a pass that leaves an illegal graph is named.</summary>
    /// <param name="graph">Legal.</param>
    /// <param name="passes">In their order.</param>
    /// <param name="told">As that of <see cref="Settle"/>.</param>
    public static (Graph Graph, IReadOnlyList<PassReport> Reports) Run(
        Graph graph, IReadOnlyList<GraphPass> passes, Action<PassReport>? told = null)
    {
        var reports = new PassReport[passes.Count];
        for (var i = 0; i < passes.Count; i++)
        {
            var (next, rules) = passes[i].Apply(graph);
            if (GraphVerifier.FirstFault(next) is { } fault) throw new GraphException(
                $"after the pass \"{passes[i].Name}\": {fault}");
            reports[i] =
                new PassReport(passes[i].Name, graph.Nodes.Length, next.Nodes.Length, CostOf(graph), CostOf(next))
                {
                    Rules = rules,
                    OperatorsFused = passes[i].Fuses ? graph.Nodes.Length - next.Nodes.Length : 0,
                };
            graph = next;
            told?.Invoke(reports[i]);
        }

        return (graph, reports);
    }

    private static OpCost CostOf(Graph graph)
    {
        var named = graph.Symbols.Where(s => s != Dim.BatchName).ToDictionary(s => s, _ => 1, StringComparer.Ordinal);
        return GraphStatistics.Of(named.Count == 0 ? graph : graph.WithSizes(named), 1).Cost;
    }
}
