namespace Convoy.Coordinator.Api;

/// <summary>GET /api/status: all there is to know about the cluster now. `status --json` prints it as it is.</summary>
public sealed record StatusReport
{
    /// <summary>State and membership of a coordinator that stands by.</summary>
    public const string StandbyState = "standby";

    /// <summary>Name of the job; null: none was submitted.</summary>
    public string? Job { get; init; }
    public string? JobId { get; init; }
    /// <summary>none, submitted, preparing, running, ending, finished or failed; standby.</summary>
    public string State { get; init; } = "none";
    /// <summary>State of the membership: forming, stable, fencing, opening, paused, recovering or closed;
    /// standby.</summary>
    public string Membership { get; init; } = "forming";
    public long Generation { get; init; }
    /// <summary>Generations that were opened for this job.</summary>
    public long Generations { get; init; }
    public long Step { get; init; }
    public long StepsTotal { get; init; }
    /// <summary>State at which this run ends.</summary>
    public long UntilStep { get; init; }
    public long StepsPerEpoch { get; init; }
    /// <summary>Epochs done, with a fraction.</summary>
    public double Epoch { get; init; }
    /// <summary>Mean loss of the last step.</summary>
    public double? Loss { get; init; }
    public double? LearningRate { get; init; }
    public double? SamplesPerSecond { get; init; }
    /// <summary>Share of a step in which a worker only waits for synchronisation, 0 to 1.</summary>
    public double? SyncShare { get; init; }
    /// <summary>Share of the time that saves take from steps: copies, and waits for earlier ones, 0 to 1.</summary>
    public double? SaveShare { get; init; }
    public double? EtaSeconds { get; init; }
    /// <summary>Exactness class: E0 is the same bits for any number of workers and any history.</summary>
    public string Exactness { get; init; } = "E0";
    public IReadOnlyList<WorkerView> Workers { get; init; } = [];
    /// <summary>Why there is no progress, or why a worker is not a member; one line each, with numbers (R23).</summary>
    public IReadOnlyList<string> Reasons { get; init; } = [];
    public int Failures { get; init; }
    public int ScaleEvents { get; init; }
    public CheckpointView? Checkpoint { get; init; }
    /// <summary>finished, stopped, failed; null while the job runs.</summary>
    public string? Outcome { get; init; }
    public RootCause? RootCause { get; init; }
    /// <summary>Metrics of the evaluation: test_loss, test_accuracy.</summary>
    public IReadOnlyDictionary<string, double> Metrics { get; init; } = new SortedDictionary<string, double>();
    public double? FinalLoss { get; init; }
    public string? WeightsSha256 { get; init; }
    public double? StartupSeconds { get; init; }
    public IReadOnlyList<string> Events { get; init; } = [];
    /// <summary>What operators take; null: nobody has asked for it since this coordinator leads.</summary>
    public ProfileView? Profile { get; init; }
    /// <summary>All jobs where there are several, oldest first; the rest of this report is about one of them.</summary>
    public IReadOnlyList<JobLine> Jobs { get; init; } = [];
}

/// <summary>One of several jobs of a coordinator.</summary>
public sealed record JobLine
{
    public string Job { get; init; } = "";
    public string JobId { get; init; } = "";
    public string State { get; init; } = "";
    public long Step { get; init; }
    public long UntilStep { get; init; }
    public long Generation { get; init; }
    /// <summary>Members that train it.</summary>
    public int Workers { get; init; }
    public string? Outcome { get; init; }
}

public sealed record WorkerView
{
    public int Id { get; init; }
    public string Name { get; init; } = "";
    public int Pid { get; init; }
    public string Host { get; init; } = "";
    public string Address { get; init; } = "";
    /// <summary>Slices that it computes, such as 0..4; empty when it is no member.</summary>
    public string Slices { get; init; } = "";
    public long Step { get; init; }
    /// <summary>member, ready, preparing, draining, quarantined or lost.</summary>
    public string State { get; init; } = "";
    public string Phase { get; init; } = "";
    /// <summary>Working set of its process.</summary>
    public long MemoryBytes { get; init; }
    /// <summary>What its machine or container gives to all processes; 0: not known.</summary>
    public long MemoryLimitBytes { get; init; }
    public int Losses { get; init; }
    /// <summary>In its memory for transfers: copies and steps that it keeps for learners, or that wait here.</summary>
    public long CopiesBytes { get; init; }
    /// <summary>Steps that wait on a learner's disk.</summary>
    public long CopiesDiskBytes { get; init; }
}

/// <summary>MON-07: times of operators since <c>convoy profile on</c>, all workers together.</summary>
public sealed record ProfileView
{
    /// <summary>They are timed now.</summary>
    public bool On { get; init; }
    /// <summary>Workers whose times are in it.</summary>
    public int Workers { get; init; }
    /// <summary>The newest step that is in it.</summary>
    public long Step { get; init; }
    /// <summary>Passes through the compiled program, of all workers: steps, or micro-batches of steps.</summary>
    public long Runs { get; init; }
    /// <summary>The longest first.</summary>
    public IReadOnlyList<OperatorView> Operators { get; init; } = [];
}

/// <summary>All calls of one operator on all workers.</summary>
public sealed record OperatorView
{
    public string Operator { get; init; } = "";
    public long Calls { get; init; }
    public double TotalMs { get; init; }
    /// <summary>The fastest call.</summary>
    public double MinMs { get; init; }
    /// <summary>The slowest call.</summary>
    public double MaxMs { get; init; }
    /// <summary>Of the time of all operators, 0 to 1.</summary>
    public double Share { get; init; }
    /// <summary>10^9 floating-point operations a second.</summary>
    public double GigaFlops { get; init; }
    /// <summary>10^9 bytes read and written a second.</summary>
    public double GigaBytes { get; init; }
}

public sealed record CheckpointView
{
    public long Step { get; init; }
    public string Path { get; init; } = "";
}

/// <summary>The first failure of the job; what followed from it is secondary (R3).</summary>
public sealed record RootCause
{
    public string Worker { get; init; } = "";
    public string Text { get; init; } = "";
    public string Detail { get; init; } = "";
    public int ExitCode { get; init; }
    public IReadOnlyList<string> Secondary { get; init; } = [];
}
