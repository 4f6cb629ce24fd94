using Convoy.Actors.Simulation;
using Convoy.Shared.Casting;
using Convoy.Shared.Jobs;

namespace Convoy.Cli.Simulation;

/// <summary>What the user of <c>convoy sim</c> fixes; what is null follows from the seed.</summary>
internal sealed record SimulationChoice
{
    public int? Workers { get; init; }
    public int? Steps { get; init; }
    /// <summary>Whether a second coordinator stands by; null: in half of the seeds.</summary>
    public bool? Standby { get; init; }
    /// <summary>Jobs that train at once, 1 or 2; null: two in a fifth of the seeds that have the workers for it.
    /// </summary>
    public int? Jobs { get; init; }
    /// <summary>Kinds of faults that may happen; null: all.</summary>
    public IReadOnlyList<FaultKind>? Faults { get; init; }
    /// <summary>Numbers of the faults that stay, of those the seed has; null: all.</summary>
    public IReadOnlyList<int>? Keep { get; init; }
}

/// <summary>
/// One run as data: the job, the machines and what goes wrong when. It follows from seed and choice alone. Workers,
/// steps and the kept faults may be lowered without changing the rest, which is what makes a failure small.
/// </summary>
internal sealed record SimulationPlan
{
    public required ulong Seed { get; init; }
    public required int Workers { get; init; }
    public required int Steps { get; init; }
    public required JobSpec Job { get; init; }
    /// <summary>A large gradient is reduced by owners, a small one directly by everybody.</summary>
    public required bool LargeModel { get; init; }
    public required int Samples { get; init; }
    public required TimeSpan StepTime { get; init; }
    public required NetworkQuality Network { get; init; }
    /// <summary>The second of two jobs that train at once; null: there is one.</summary>
    public required JobPlan? Beside { get; init; }

    public IReadOnlyList<JobPlan> Jobs
    {
        get
        {
            var first = new JobPlan(Job, LargeModel, Samples, Workers - (Beside?.Workers ?? 0), FirstSubmission);
            return Beside is null ? [first] : [first, Beside];
        }
    }

    private static readonly TimeSpan FirstSubmission = TimeSpan.FromMilliseconds(200);
    /// <summary>Processes of one machine: their exits are reported and they are started again at once.</summary>
    public required bool HasLauncher { get; init; }
    /// <summary>A second coordinator stands by and takes over, instead of a restart of the first.</summary>
    public required bool HasStandby { get; init; }
    /// <summary>Small clusters speak through a tree in half of the seeds, as those of thousands do.</summary>
    public required CastShape Casts { get; init; }
    public required IReadOnlyList<Fault> Faults { get; init; }

    /// <summary>When the last fault is over.</summary>
    public TimeSpan QuietAfter => Faults.Count == 0 ? TimeSpan.Zero : Faults.Max(f => f.At + f.Duration);

    public static SimulationPlan Of(ulong seed, SimulationChoice choice)
    {
        var choose = new SeededChoice(seed * 0x9E3779B97F4A7C15);
        var workersOfSeed = 2 + choose.Below(7);
        var stepMs = choose.Below(10) switch
        {
            0 => 40,
            1 => 200,
            2 or 3 => 1_000,
            4 or 5 or 6 => 2_000,
            _ => 4_000,
        };
        var stepsOfSeed = 12 + choose.Below(stepMs >= 2_000 ? 16 : 28);
        var workers = choice.Workers ?? workersOfSeed;
        var steps = choice.Steps ?? stepsOfSeed;
        var slices = 1 << (3 + choose.Below(2));
        while (slices < workers) slices *= 2;
        var batch = slices + choose.Below(2 * slices);
        var samples = batch * (2 + choose.Below(4)) - choose.Below(batch); // a short last batch, mostly
        var every = choose.Below(4) == 0 ? 0 : 2 + choose.Below(6);
        if (choose.Branch(17).Below(8) == 0) every = 1; // saves that the disk cannot keep up with
        var large = choose.Below(5) == 0;
        var network = new NetworkQuality
        {
            LatencyMin = TimeSpan.FromMicroseconds(20 + choose.Below(200)),
            LatencyMax = TimeSpan.FromMicroseconds(300 + choose.Below(5_000)),
            LossPerMille = choose.Below(3) == 0 ? choose.Below(8) : 0,
            DuplicatePerMille = choose.Below(3) == 0 ? choose.Below(20) : 0,
            BytesPerSecond = choose.Below(4) == 0 ? 1e7 : 1.25e9,
        };
        var launcher = choose.Below(2) == 0;
        var least = 1 + choose.Below(Math.Max(1, workers / 2));
        var first = new JobSpec
        {
            Job = "simulated", Seed = seed + 1, Model = new ModelSpec { Layers = [4, 2] },
            Data = new DataSpec { Path = ["/simulated"] }, Batch = batch, Slices = slices, Steps = steps,
            Sync = new SyncSpec { BucketBytes = 4 * 4096, Commit = CommitOf(choose.Branch(11)) },
            Checkpoint = new CheckpointSpec { Every = every, Keep = 2 },
            Elastic = new ElasticSpec { Min = least, Max = slices },
        };
        var beside = JobPlan.Beside(first, workers, choose.Branch(15), choice.Jobs);
        var width = workers - (beside?.Workers ?? 0);
        return new SimulationPlan
        {
            Seed = seed, Workers = workers, Steps = steps, StepTime = TimeSpan.FromMilliseconds(stepMs),
            LargeModel = large,
            Samples = samples, Network = network, HasLauncher = launcher,
            Job = beside is null ? first
                : first with { Elastic = new ElasticSpec { Min = Math.Min(least, width), Max = width } },
            Beside = beside,
            Casts = CastsOf(choose.Branch(9)), HasStandby = choice.Standby ?? choose.Branch(13).Below(2) == 0,
            Faults = Fault.Draw(choose.Branch(7), choice, workersOfSeed,
                TimeSpan.FromMilliseconds(stepsOfSeed * stepMs)),
        };
    }

    private static CastShape CastsOf(SeededChoice choose) =>
        choose.Below(2) == 0 ? CastShape.Default : new CastShape(1 + choose.Below(3), 2 + choose.Below(2));

    /// <summary>As a job whose state is divided would commit; the bits are the same.</summary>
    private static string CommitOf(SeededChoice choose) => choose.Below(3) == 0 ? "unanimous" : "local";

    public override string ToString() =>
        $"seed {Seed}: {Workers} workers, {Steps} steps of {StepTime.TotalMilliseconds:0} ms, batch {Job.Batch} in {Job.Slices} slices, "
        + $"{Samples} samples, {(LargeModel ? "large" : "small")} model, save every {Job.Checkpoint.Every}, min {Job.Elastic.Min}, "
        + $"{(Job.Sync.Commit == "local" ? "" : "unanimous commit, ")}{(HasLauncher ? "one launcher" : "machines by themselves")}, "
        + $"{(HasStandby ? "a standby" : "no standby")}, "
        + $"{(Casts == CastShape.Default ? "told directly" : $"trees of {Casts.FanOut} above {Casts.DirectMax}")}, {Faults.Count} faults"
        + $"{(Beside is null ? "" : $"; beside it {Beside}")}";
}
