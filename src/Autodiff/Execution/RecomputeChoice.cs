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

/// <summary>Turns the words of a job into a graph: tries what fits a budget, on the plan that will run.</summary>
internal sealed class RecomputeChoice
{
    // Beyond, a model has more pieces than layers.
    private const int PiecesTriedMax = 16;
    private readonly ForwardPart _part;
    private readonly Func<Graph, ProgramPlan> _planOf;
    private readonly ProgramPlan _whole;

    private RecomputeChoice(Graph graph, int rowsMax, Func<Graph, ProgramPlan> planOf)
    {
        _part = new ForwardPart(graph, LossRows.Name, rowsMax);
        (_planOf, _whole) = (planOf, planOf(graph));
    }

    /// <param name="graph">Training graph with the output loss_rows.</param>
    /// <param name="spec">The strategy.</param>
    /// <param name="rowsMax">Rows of the largest call.</param>
    /// <param name="planOf">What will be made of a graph before it runs.</param>
    public static (ProgramPlan Plan, RecomputeReport Report) Of(
        Graph graph, RecomputeSpec spec, int rowsMax, Func<Graph, ProgramPlan> planOf)
    {
        var choice = new RecomputeChoice(graph, rowsMax, planOf);
        var tried = spec.Kind switch
        {
            RecomputeKind.None => choice.Everything(),
            RecomputeKind.Budget => choice.Within(spec.BudgetBytes),
            _ => choice.Try(spec),
        };
        var report = new RecomputeReport(
            spec.ToString(), tried.Name, tried.Nodes, tried.ExtraFlops, choice.FlopsOf(graph),
            choice._whole.Memory.TotalBytes, tried.Plan.Memory.TotalBytes);
        return (tried.Plan, report);
    }

    private Tried Everything() => new("none", _whole, 0, 0);

    private Tried Try(RecomputeSpec spec)
    {
        var pieces = spec.Kind == RecomputeKind.Root
            ? Math.Max(2, (int)Math.Round(Math.Sqrt(RecomputeLevels.SavedValues(_part)))) : spec.Pieces;
        return Try(spec.ToString(), RecomputeLevels.Cut(_part, pieces, spec.Depth));
    }

    private Tried Try(string name, int[] levels)
    {
        var graph = Recompute.Run(_part, levels);
        return new Tried(
            name, _planOf(graph), graph.Nodes.Length - _part.Graph.Nodes.Length, FlopsOf(graph) - FlopsOf(_part.Graph));
    }

    // Dropping by price is finer than pieces and usually cheaper; pieces go lower, because what is made again in
    // passing dies at once. The cheapest that fits is taken, the earlier one at equal cost.
    private Tried Within(long budgetBytes)
    {
        if (_whole.Memory.TotalBytes <= budgetBytes) return Everything();
        Tried? best = null;
        var smallest = Everything();
        foreach (var tried in Candidates(budgetBytes))
        {
            if (tried.Bytes < smallest.Bytes) smallest = tried;
            if (tried.Bytes <= budgetBytes && (best is null || tried.ExtraFlops < best.ExtraFlops)) best = tried;
        }

        return best ?? throw new GraphException(
            $"recompute: budget:{Megabytes(budgetBytes)} cannot be kept; the smallest plan found takes "
            + $"{Megabytes(smallest.Bytes)} ({smallest.Name}); raise the budget or micro_batches");
    }

    private IEnumerable<Tried> Candidates(long budgetBytes)
    {
        var byPrice = RecomputeLevels.ByPrice(_part);
        var (low, high) = (1, byPrice.Length);
        while (low <= high)
        {
            var count = (low + high) / 2;
            var tried = Try(
                string.Create(CultureInfo.InvariantCulture, $"{count} of {byPrice.Length} saved values"),
                RecomputeLevels.Drop(_part, byPrice, count));
            yield return tried;
            if (tried.Bytes <= budgetBytes) high = count - 1;
            else low = count + 1;
        }

        yield return Try(new RecomputeSpec(RecomputeKind.Root));
        for (var pieces = 2; pieces <= PiecesTriedMax; pieces++)
            yield return Try(new RecomputeSpec(RecomputeKind.Uniform, pieces));
        for (var pieces = 2; pieces <= 4; pieces++)
            yield return Try(new RecomputeSpec(RecomputeKind.Nested, pieces, 2));
    }

    private long FlopsOf(Graph graph) => GraphStatistics.Of(graph, _whole.RowsMax).Cost.Flops;

    private static string Megabytes(long bytes) =>
        string.Create(CultureInfo.InvariantCulture, $"{bytes / (double)(1 << 20):0.##}MB");

    private sealed record Tried(string Name, ProgramPlan Plan, int Nodes, long ExtraFlops)
    {
        public long Bytes => Plan.Memory.TotalBytes;
    }
}
