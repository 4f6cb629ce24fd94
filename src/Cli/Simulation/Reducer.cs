namespace Convoy.Cli.Simulation;

/// <summary>
/// Looks for a smaller run that breaks the same invariant: fewer faults, fewer workers, fewer steps. Greedy, each
/// candidate is run; it ends when nothing can be taken away any more, or when the tries are used up.
/// </summary>
internal sealed class Reducer(Plants? plants = null)
{
    private const int TriesMax = 120;
    private int _tries;

    public SimulationResult Reduce(SimulationResult failure)
    {
        var plan = SimulationPlan.Of(failure.Seed, failure.Choice);
        var best = failure with
        {
            Choice = failure.Choice with
            {
                Workers = plan.Workers,
                Steps = plan.Steps,
                Jobs = plan.Jobs.Count,
                Keep = [.. plan.Faults.Select(f => f.Number)],
            },
        };
        for (var before = default(SimulationResult); before != best && _tries < TriesMax;)
        {
            before = best;
            best = Fewer(best, best.Choice.Jobs!.Value, 1, n => best.Choice with { Jobs = n });
            best = FewerFaults(best);
            best = Fewer(best, best.Choice.Workers!.Value, 2, n => best.Choice with { Workers = n });
            best = Fewer(best, best.Choice.Steps!.Value, 1, n => best.Choice with { Steps = n });
        }

        return best;
    }

    private SimulationResult FewerFaults(SimulationResult best)
    {
        for (var i = best.Choice.Keep!.Count - 1; i >= 0; i--)
        {
            var fewer = best.Choice.Keep!.Where((_, at) => at != i).ToArray();
            if (Try(best, best.Choice with { Keep = fewer }) is { } smaller) best = smaller;
        }

        return best;
    }

    /// <summary>The smallest of a few sizes below the present one, smallest first.</summary>
    private SimulationResult Fewer(SimulationResult best, int now, int least, Func<int, SimulationChoice> with)
    {
        foreach (var percent in new[] { 0, 15, 30, 50, 75, 90 })
        {
            var size = least + ((now - least) * percent / 100);
            if (size < now && Try(best, with(size)) is { } smaller) return smaller;
        }

        return best;
    }

    private SimulationResult? Try(SimulationResult best, SimulationChoice choice)
    {
        if (_tries++ >= TriesMax) return null;
        var result = SimulationRun.Run(best.Seed, choice, plants);
        return result.Violation?.Checker == best.Violation!.Checker ? result : null;
    }

    /// <summary>The command that runs it again.</summary>
    public static string CommandOf(SimulationResult result)
    {
        var choice = result.Choice;
        var words = new List<string> { "convoy", "sim", "--seed", $"{result.Seed}" };
        if (choice.Workers is { } workers) words.AddRange(["--workers", $"{workers}"]);
        if (choice.Steps is { } steps) words.AddRange(["--steps", $"{steps}"]);
        if (choice.Jobs is { } jobs) words.AddRange(["--jobs", $"{jobs}"]);
        if (choice.Faults is { } kinds)
            words.AddRange(["--faults", kinds.Count == 0 ? "none" : string.Join(',', kinds.Select(Fault.NameOf))]);
        if (choice.Keep is { } keep) words.AddRange(["--keep", keep.Count == 0 ? "none" : string.Join(',', keep)]);
        words.Add("--trace");
        return string.Join(' ', words);
    }
}
