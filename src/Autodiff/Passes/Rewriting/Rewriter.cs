using Convoy.Autodiff.Graphs;

namespace Convoy.Autodiff.Passes.Rewriting;

/// <summary>Bounds and checks of a run of rules.</summary>
public sealed record RewriteOptions
{
    /// <summary>Applications after which rules are taken for a circle and the run is refused; 100,000.</summary>
    public int ApplicationsMax { get; init; } = 100_000;

    /// <summary>The verifier looks at the whole graph after every application, not only at the end; false.</summary>
    public bool VerifyEach { get; init; }
}

/// <summary>What a run of rules did.</summary>
/// <param name="Applications">Rules that were applied, all together.</param>
/// <param name="NodesBefore">Nodes of the graph before.</param>
/// <param name="NodesAfter">Nodes after; what nothing needs any more is gone, inputs and parameters stay.</param>
/// <param name="Rules">Each rule that was applied, in the order in which they were first looked for.</param>
public sealed record RewriteReport(
    int Applications, int NodesBefore, int NodesAfter, IReadOnlyList<RuleReport> Rules);

/// <summary>
/// Runs a strategy over a graph. Guarantees: a legal graph with the same inputs, parameters and outputs of the same
/// types, and the order of what was not replaced. Refused: rules that find no end, and right sides that read what they
/// replace.
/// </summary>
public static class Rewriter
{
    /// <summary>The graph after the strategy, and what each rule did.</summary>
    public static (Graph Graph, RewriteReport Report) Run(
        Graph graph, Strategy strategy, RewriteOptions? options = null)
    {
        var work = new WorkingGraph(graph, options ?? new RewriteOptions());
        strategy.Apply(work, Strategy.Top);
        var result = work.Applications == 0 ? graph : work.Finish();
        return (result, new RewriteReport(
            work.Applications, graph.Nodes.Length, result.Nodes.Length, work.Reports()));
    }
}
