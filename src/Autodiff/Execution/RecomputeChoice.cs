using System.Globalization;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Passes;
using Convoy.Shared.Jobs;

namespace Convoy.Autodiff.Execution;

/// <summary>What computing activations again costs and saves, for the largest call.</summary>
/// <param name="Strategy">As the job names it.</param>
/// <param name="Chosen">What a budget came to; else the strategy.</param>
/// <param name="Nodes">Applications of operators that are done again.</param>
/// <param name="ExtraFlops">Operations that they take.</param>
/// <param name="Flops">Operations of a step without them.</param>
/// <param name="PeakBytesBefore">Planned memory of a step that keeps everything.</param>
/// <param name="PeakBytes">Planned memory of the step.</param>
public sealed record RecomputeReport(
    string Strategy, string Chosen, int Nodes, long ExtraFlops, long Flops, long PeakBytesBefore, long PeakBytes)
{
    /// <summary>Extra work over the work without it: 0.33 is a third more.</summary>
    public double ExtraShare => Flops == 0 ? 0 : (double)ExtraFlops / Flops;
}

/// <summary>
/// Turns the words of a job into a graph. What fits a budget is searched on the plans that will run: first along two
/// families (dropping by price, pieces), then from the best of them by keeping again what is dearest. With few saved
/// values every subset is looked at, so the choice is the optimum among them.
/// </summary>
internal sealed class RecomputeChoice
{
    // Beyond, a model has more pieces than layers.
    private const int PiecesTriedMax = 16;
    // 2^8 subsets are written out in a few milliseconds; plans are made of few of them.
    private const int SubsetsOfMax = 8;
    // A plan takes about as long as a compile without a budget.
    private const int ImprovementsMax = 48;
    private readonly ForwardPart _part;
    private readonly Func<Graph, ProgramPlan> _planOf;
    private readonly ProgramPlan _whole;
    private readonly Func<int, double> _work;

    private RecomputeChoice(
        Graph graph, int rowsMax, Func<Graph, ProgramPlan> planOf, Func<GraphNode, double>? work)
    {
        _part = new ForwardPart(graph, LossRows.Name, rowsMax);
        (_planOf, _whole) = (planOf, planOf(graph));
        _work = work is null ? id => _part.CostOf(id).Flops : id => work(graph.Nodes[id]);
    }

    /// <param name="graph">Training graph with the output loss_rows.</param>
    /// <param name="spec">The strategy.</param>
    /// <param name="rowsMax">Rows of the largest call.</param>
    /// <param name="planOf">What will be made of a graph before it runs.</param>
    /// <param name="work">What applying a node takes, in any unit, as it was measured: then a budget that cannot be
    /// kept comes to the smallest plan; null: its operations, and such a budget is refused.</param>
    public static (ProgramPlan Plan, RecomputeReport Report, IReadOnlyList<GraphNode> Again) Of(
        Graph graph, RecomputeSpec spec, int rowsMax, Func<Graph, ProgramPlan> planOf,
        Func<GraphNode, double>? work = null)
    {
        var choice = new RecomputeChoice(graph, rowsMax, planOf, work);
        var tried = spec.Kind switch
        {
            RecomputeKind.None => choice.Whole(),
            RecomputeKind.All => choice.Try("all", RecomputeLevels.All(choice._part)),
            RecomputeKind.Budget or RecomputeKind.Adapt =>
                choice.Within(spec.BudgetBytes, orSmallest: work is not null),
            _ => choice.Try(spec),
        };
        return (tried.Plan, choice.ReportOf(spec.ToString(), tried),
            [.. tried.Again.Select(id => graph.Nodes[id])]);
    }

    /// <summary>The choices of which none takes both less memory and less work, most memory first.</summary>
    public static IReadOnlyList<RecomputeReport> Front(Graph graph, int rowsMax, Func<Graph, ProgramPlan> planOf)
    {
        var choice = new RecomputeChoice(graph, rowsMax, planOf, null);
        var front = new List<Tried>();
        // By work, then memory: each one stays that takes less memory than all before it.
        foreach (var tried in choice.AllCandidates().OrderBy(t => t.Work).ThenBy(t => t.Bytes))
            if (front.Count == 0 || tried.Bytes < front[^1].Bytes) front.Add(tried);
        return [.. front.Select(t => choice.ReportOf(t.Name, t))];
    }

    private RecomputeReport ReportOf(string strategy, Tried tried) => new(
        strategy, tried.Name, tried.Again.Count, tried.Again.Sum(id => _part.CostOf(id).Flops), FlopsOf(_part.Graph),
        _whole.Memory.TotalBytes, tried.Bytes);

    private Tried Whole() => new("none", new int[_part.Graph.Nodes.Length], _whole, [], 0);

    private Tried Try(RecomputeSpec spec)
    {
        var pieces = spec.Kind == RecomputeKind.Root
            ? Math.Max(2, (int)Math.Round(Math.Sqrt(RecomputeLevels.SavedValues(_part)))) : spec.Pieces;
        return Try(spec.ToString(), RecomputeLevels.Cut(_part, pieces, spec.Depth));
    }

    private Tried Try(string name, int[] levels)
    {
        var again = new List<int>();
        return new Tried(name, levels, _planOf(Recompute.Run(_part, levels, again)), again, again.Sum(_work));
    }

    // Dropping by price is finer than pieces and usually cheaper; pieces go lower, because what is made again in
    // passing dies at once. The cheapest that fits is taken, the earlier one at equal cost.
    private Tried Within(long budgetBytes, bool orSmallest)
    {
        if (_whole.Memory.TotalBytes <= budgetBytes) return Whole();
        var byPrice = RecomputeLevels.ByPrice(_part, _work);
        Tried? best = null;
        var smallest = Whole();
        foreach (var tried in Candidates(byPrice, budgetBytes))
        {
            if (tried.Bytes < smallest.Bytes) smallest = tried;
            if (tried.Bytes <= budgetBytes && (best is null || tried.Work < best.Work)) best = tried;
        }

        if (byPrice.Length <= SubsetsOfMax) best = BestSubset(byPrice, budgetBytes, best);
        else if (best is not null) best = Improve(best, byPrice, budgetBytes);
        return best ?? (orSmallest ? smallest : null) ?? throw new GraphException(
            $"recompute: budget:{Megabytes(budgetBytes)} cannot be kept; the smallest plan found takes "
            + $"{Megabytes(smallest.Bytes)} ({smallest.Name}); raise the budget or micro_batches");
    }

    private IEnumerable<Tried> Candidates(int[] byPrice, long budgetBytes)
    {
        var (low, high) = (1, byPrice.Length);
        while (low <= high)
        {
            var count = (low + high) / 2;
            var tried = Dropping(byPrice, count);
            yield return tried;
            if (tried.Bytes <= budgetBytes) high = count - 1;
            else low = count + 1;
        }

        // Memory does not fall with every value that is dropped, so the cut in halves may pass the best count.
        foreach (var tried in Families(byPrice)) yield return tried;
    }

    private IEnumerable<Tried> AllCandidates()
    {
        yield return Whole();
        foreach (var tried in Families(RecomputeLevels.ByPrice(_part, _work))) yield return tried;
    }

    private IEnumerable<Tried> Families(int[] byPrice)
    {
        var stride = Math.Max(1, byPrice.Length / PiecesTriedMax);
        for (var count = stride; count <= byPrice.Length; count += stride) yield return Dropping(byPrice, count);
        yield return Try(new RecomputeSpec(RecomputeKind.Root));
        for (var pieces = 2; pieces <= PiecesTriedMax; pieces++)
            yield return Try(new RecomputeSpec(RecomputeKind.Uniform, pieces));
        for (var pieces = 2; pieces <= 4; pieces++)
            yield return Try(new RecomputeSpec(RecomputeKind.Nested, pieces, 2));
    }

    private Tried Dropping(int[] byPrice, int count) => Try(
        string.Create(CultureInfo.InvariantCulture, $"{count} of {byPrice.Length} saved values"),
        RecomputeLevels.Drop(_part, byPrice.AsSpan(0, count)));

    // In order of work: the first subset whose plan fits takes the least.
    private Tried? BestSubset(int[] saved, long budgetBytes, Tried? best)
    {
        var subsets = Enumerable.Range(1, (1 << saved.Length) - 1).Select(mask =>
        {
            var again = new List<int>();
            var levels = RecomputeLevels.Drop(_part, [.. saved.Where((_, i) => (mask >> i & 1) == 1)]);
            Recompute.Run(_part, levels, again);
            return (Mask: mask, Levels: levels, Work: again.Sum(_work));
        });
        foreach (var (mask, levels, work) in subsets.OrderBy(s => s.Work).ThenBy(s => s.Mask))
        {
            if (best is not null && work >= best.Work) break;
            var tried = Try(Counted(mask, saved.Length), levels);
            if (tried.Bytes <= budgetBytes) return tried;
        }

        return best;

        static string Counted(int mask, int of) => string.Create(
            CultureInfo.InvariantCulture, $"{int.PopCount(mask)} of {of} saved values, the best choice");
    }

    // Keeps again what takes the most work, one value after the other, while the plan fits.
    private Tried Improve(Tried best, int[] byPrice, long budgetBytes)
    {
        var left = ImprovementsMax;
        foreach (var id in byPrice.Where(id => best.Levels[id] > 0).OrderByDescending(_work).ThenBy(id => id))
        {
            if (left-- == 0) break;
            var levels = (int[])best.Levels.Clone();
            levels[id] = 0;
            var tried = Try(best.Name.TrimEnd('+') + "+", _part.WithViews(levels));
            if (tried.Bytes <= budgetBytes && tried.Work < best.Work) best = tried;
        }

        return best;
    }

    private long FlopsOf(Graph graph) => GraphStatistics.Of(graph, _whole.RowsMax).Cost.Flops;

    private static string Megabytes(long bytes) =>
        string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 20):0.##}MB");

    private sealed record Tried(string Name, int[] Levels, ProgramPlan Plan, List<int> Again, double Work)
    {
        public long Bytes => Plan.Memory.TotalBytes;
    }
}
