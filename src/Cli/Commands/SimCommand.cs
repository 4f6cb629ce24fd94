using System.CommandLine;
using System.Globalization;
using Convoy.Cli.Launch;
using Convoy.Cli.Simulation;
using Convoy.Cli.Simulation.Checkers;
using Convoy.Cli.Terminal;
using Convoy.Shared;

namespace Convoy.Cli.Commands;

/// <summary>
/// Runs whole clusters in virtual time, with faults, and judges their histories (docs/simulation.md). A failure is a
/// seed; the same build gives the same trace for it, to the byte.
/// </summary>
internal sealed class SimCommand : CliCommand
{
    private const int TraceTail = 40;
    /// <summary>So many seeds are worth a process of their own.</summary>
    private const int SeedsToTune = 20;
    private const int ScaleMin = 10;

    private readonly Option<string> _seeds = new("--seeds")
    {
        Description = "Seeds to run, first..last.",
        DefaultValueFactory = _ => "1..200",
    };

    private readonly Option<ulong?> _seed = new("--seed") { Description = "Run this one seed." };

    private readonly Option<bool> _trace = new("--trace")
    { Description = "With --seed: print everything that happens." };

    private readonly Option<int?> _workers = new("--workers")
    { Description = "Workers of each cluster; usually 2 to 8, by the seed." };

    private readonly Option<int?> _steps = new("--steps") { Description = "Steps of each job; usually by the seed." };

    private readonly Option<int?> _jobs = new("--jobs")
    { Description = "Jobs that train at once, 1 or 2; usually by the seed." };

    private readonly Option<string?> _faults = new("--faults")
    {
        Description = "Kinds of faults that may happen, with commas, or none: "
            + string.Join(", ", Enum.GetValues<FaultKind>().Select(Fault.NameOf)) + ".",
    };

    private readonly Option<string?> _keep = new("--keep")
    {
        Description =
            "With --seed: numbers of the faults that stay, with commas, or none (what a reduced failure names).",
    };

    private readonly Option<int> _threads = new("--threads")
    {
        Description = "Worlds at a time, each on one thread.",
        DefaultValueFactory = _ => Environment.ProcessorCount,
    };

    private readonly Option<int?> _scale = new("--scale")
    {
        Description =
            "Instead: this many workers join, train 10 steps and lose 1%; prints what each change costs the coordinator.",
    };

    private readonly Option<bool> _endWithParent = new("--end-with-parent")
    { Description = "End when standard input closes.", Hidden = true };

    public SimCommand() : base("sim", "Run simulated clusters with faults and check what they do.",
        "convoy sim", "convoy sim --seeds 1..2000 --json",
        "convoy sim --seeds 1..500 --workers 8 --faults kill,stop,block",
        "convoy sim --seed 17 --workers 3 --steps 9 --keep 2 --trace", "convoy sim --scale 1000")
    {
        foreach (var option in new Option[] { _seeds, _seed, _trace, _workers, _steps, _jobs, _faults, _keep, _threads,
            _scale, _endWithParent }) Add(option);
    }

    protected override Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        var isChild = arguments.GetValue(_endWithParent);
        if (isChild) _ = TunedProcess.EndWithParentAsync();
        if (Within(arguments.GetValue(_scale), ScaleMin, Limits.WorkersMax, "scale") is { } count)
            return TunedProcess.IsWanted(isChild) ? Again(1, cancel) : Task.FromResult(Scale(count, context));
        var choice = new SimulationChoice
        {
            Workers = Within(arguments.GetValue(_workers), 1, 64, "workers"),
            Steps = Within(arguments.GetValue(_steps), 1, 100_000, "steps"),
            Jobs = Within(arguments.GetValue(_jobs), 1, 2, "jobs"),
            Faults = KindsOf(arguments.GetValue(_faults)), Keep = NumbersOf(arguments.GetValue(_keep)),
        };
        if (arguments.GetValue(_seed) is { } seed && arguments.GetValue(_trace))
            return Task.FromResult(Replay(seed, choice, context));
        if (arguments.GetValue(_trace)) throw new UserException(ExitCode.Usage, "--trace shows one run: add --seed");
        var (first, last) = arguments.GetValue(_seed) is { } only ? (only, only) : RangeOf(arguments.GetValue(_seeds)!);
        var threads = Within(arguments.GetValue(_threads), 1, 256, "threads")!.Value;
        return last - first >= SeedsToTune && TunedProcess.IsWanted(isChild) ? Again(threads, cancel)
            : Task.FromResult(RunSeeds(first, last, choice, threads, context, cancel));
    }

    private Task<int> Again(int threads, CancellationToken cancel) =>
        TunedProcess.RunAsync([.. Environment.GetCommandLineArgs().Skip(1), _endWithParent.Name], threads, cancel);

    private static int RunSeeds(
        ulong first, ulong last, SimulationChoice choice, int threads, CliContext context, CancellationToken cancel)
    {
        var (started, cpuStarted) = (context.Time.GetTimestamp(), Environment.CpuUsage.TotalTime);
        var failures = new List<SimulationResult>();
        var results = SimulationRun.RunAll(first, last, choice, threads, failure =>
        {
            failures.Add(failure);
            context.Line($"seed {failure.Seed} fails: {failure.Violation}");
        }, cancel);
        var seconds = context.Time.GetElapsedTime(started).TotalSeconds;
        var cpu = (Environment.CpuUsage.TotalTime - cpuStarted).TotalSeconds;
        foreach (var failure in failures.OrderBy(f => f.Seed).Take(3)) Show(new Reducer().Reduce(failure), context);
        var simulated = results.Sum(r => r.SimulatedSeconds);
        context.Line(string.Create(CultureInfo.InvariantCulture,
            $"{results.Count} seeds, {failures.Count} failures, {simulated / 60:0.0} simulated minutes in {seconds:0.0} s: {simulated / seconds:0} minutes a minute, {simulated / cpu:0} a processor minute"));
        if (choice.Faults?.Contains(FaultKind.Join) == true)
        {
            var joins = results.Aggregate(default(JoinCounts), static (sum, r) => sum + r.Joins);
            context.Line($"joiners: {joins.Copies} copies, each the state between two steps; {joins.Level} became level with"
                + $" the members' bits; {joins.Joined} joined without a transfer, {joins.AtFence} copied while members stood");
        }

        context.Result(new
        {
            Seeds = results.Count, Failures = failures.Count,
            Speedup = Math.Round(simulated / seconds)
        });
        return failures.Count == 0 ? 0 : (int)ExitCode.Failed;
    }

    /// <summary>A tenth of the workers first: what counts is how each change grows, against N log N.</summary>
    private static int Scale(int count, CliContext context)
    {
        var smallCount = Math.Max(ScaleMin, count / 10);
        ScaleRun.Run(smallCount, context.Time); // compiles the code: the next one measures it
        var small = ScaleRun.Run(smallCount, context.Time);
        var result = ScaleRun.Run(count, context.Time);
        var allowed = result.MayGrowFrom(small);
        context.Line($"{result.Workers} workers joined, {result.Members} trained; the coordinator held {result.CoordinatorBytes / 1e6:0.0} MB at the end");
        context.Line(string.Create(CultureInfo.InvariantCulture,
            $"Behind each figure: how many times that of {small.Workers} workers it is; N log N allows {allowed:0.0}."));
        context.Line("change        simulated s         received             sent          sent MB     allocated MB"
            + "   coordinator ms");
        foreach (var (f, s) in result.Figures.Zip(small.Figures))
            context.Line(string.Create(CultureInfo.InvariantCulture, $"{f.Change,-12} {f.SimulatedSeconds,12:0.00} ")
                + Grown(f.Received, s.Received, "0") + Grown(f.Sent, s.Sent, "0")
                + Grown(f.SentBytes / 1e6, s.SentBytes / 1e6, "0.00")
                + Grown(f.Allocated / 1e6, s.Allocated / 1e6, "0.0") + Grown(f.CpuMs, s.CpuMs, "0.0"));
        context.Result(new
        {
            result.Workers, result.Members, result.Figures, result.CoordinatorBytes, Smaller = small,
            NLogN = allowed
        });
        return 0;
    }

    private static string Grown(double figure, double smaller, string format)
    {
        var times = smaller == 0 ? "" : string.Create(CultureInfo.InvariantCulture, $" {figure / smaller:0.0}x");
        return $"{figure.ToString(format, CultureInfo.InvariantCulture),9}{times,7} ";
    }

    private static int Replay(ulong seed, SimulationChoice choice, CliContext context)
    {
        context.Line(SimulationPlan.Of(seed, choice).ToString());
        var result = SimulationRun.Run(seed, choice, trace: context.Line);
        context.Line(result.Violation is { } violation ? $"failed: {violation}" : "no invariant was broken");
        context.Result(new { Seeds = 1, Failures = result.Failed ? 1 : 0, result.SimulatedSeconds });
        return result.Failed ? (int)ExitCode.Failed : 0;
    }

    /// <summary>A failure as small as it was found, and the end of its history.</summary>
    private static void Show(SimulationResult failure, CliContext context)
    {
        var plan = SimulationPlan.Of(failure.Seed, failure.Choice);
        context.Line();
        context.Line($"{plan}");
        foreach (var fault in plan.Faults) context.Line($"  {fault}");
        context.Line($"  {failure.Violation}");
        var tail = new Queue<string>();
        var count = 0;
        SimulationRun.Run(failure.Seed, failure.Choice, trace: line =>
        {
            count++;
            tail.Enqueue(line);
            if (tail.Count > TraceTail) tail.Dequeue();
        });
        context.Line(
            $"  the last {tail.Count} of {count} lines of its trace; all of them: {Reducer.CommandOf(failure)}");
        foreach (var line in tail) context.Line(line);
    }

    private static int? Within(int? value, int least, int most, string name) =>
        value is null || (value >= least && value <= most) ? value
            : throw new UserException(ExitCode.Usage, $"{name} {value}: {least} to {most} are possible");

    private static (ulong First, ulong Last) RangeOf(string text)
    {
        var parts = text.Split("..");
        if (parts.Length == 2 && ulong.TryParse(parts[0], CultureInfo.InvariantCulture, out var first)
            && ulong.TryParse(parts[1], CultureInfo.InvariantCulture, out var last) && first <= last
                && last - first < 10_000_000)
            return (first, last);
        throw new UserException(ExitCode.Usage,
            $"seeds {text}: write first..last, such as 1..2000, at most ten million");
    }

    private static FaultKind[]? KindsOf(string? text)
    {
        if (text is null) return null;
        if (text == "none") return [];
        var known = Enum.GetValues<FaultKind>();
        return [.. text.Split(',').Select(word =>
        {
            var at = Array.FindIndex(known, k => Fault.NameOf(k) == word.Trim());
            return at >= 0 ? known[at] : throw new UserException(ExitCode.Usage,
                $"faults {word}: there is no such kind; there are none, {string.Join(", ", known.Select(Fault.NameOf))}");
        })];
    }

    private static int[]? NumbersOf(string? text)
    {
        if (text is null) return null;
        if (text == "none") return [];
        return [.. text.Split(',')
            .Select(word => int.TryParse(word, CultureInfo.InvariantCulture, out var number) ? number
            : throw new UserException(ExitCode.Usage, $"keep {text}: numbers of faults with commas, or none"))];
    }
}
