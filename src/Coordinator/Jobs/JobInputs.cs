using Convoy.Coordinator.Membership;
using Convoy.Shared.Checkpoints;
using Convoy.Shared.Ids;
using Convoy.Shared.Jobs;
using Convoy.Shared.Time;
using Google.Protobuf;

namespace Convoy.Coordinator.Jobs;

/// <summary>A job as it was submitted, and what its run starts from.</summary>
internal sealed record JobDescription
{
    public required string JobId { get; init; }
    public required JobSpec Job { get; init; }
    public required byte[] Graph { get; init; }
    public required byte[] GraphSha256 { get; init; }
    public required string CheckpointRoot { get; init; }
    public StateOrigin Origin { get; init; } = StateOrigin.Initial;
    /// <summary>Hash of the data that the checkpoint was trained on; empty: none yet.</summary>
    public string DataSha256 { get; init; } = "";
    /// <summary>Last step whose row is already in the metrics of this job.</summary>
    public StepNumber LastRow { get; init; }
    /// <summary>Of steps that nobody led, saved beside the origin; null: none.</summary>
    public SavedRows? Rows { get; init; }
    /// <summary>Stop with a checkpoint at this state; null: at the end of the job.</summary>
    public long? UntilStep { get; init; }
    /// <summary>Number that the client gave its submission (L6).</summary>
    public string Command { get; init; } = "";
    /// <summary>It runs beside the first job, with a folder and a membership of its own.</summary>
    public bool Beside { get; init; }
    public int WorkersExpected { get; init; }
    public bool IsOnlyJob { get; init; }
    public ClockTable Clocks { get; init; } = new();
    public LeaderToken Token { get; init; } = new(1);
    /// <summary>Time from the launch to the submission.</summary>
    public TimeSpan LaunchLead { get; init; }
}

internal abstract record JobInput;

internal sealed record MembershipSaid(MembershipNews News) : JobInput;

/// <summary>A message of a worker that is no matter of membership, or that both look at.</summary>
internal sealed record WorkerSaid(WorkerId Worker, Incarnation Incarnation, IMessage Message) : JobInput;

internal sealed record ProcessEnded(string WorkerName, int ExitCode, string LastLines) : JobInput;

internal sealed record StateSaved(StepNumber Step, Fingerprint Fingerprint, string Path) : JobInput;

internal sealed record SaveGivenUp(StepNumber Step, string Text) : JobInput;

/// <summary>A save is published or given up: who waits for room hears it (CP-5).</summary>
/// <param name="Step">Its state.</param>
/// <param name="Generation">Whose members saved it.</param>
/// <param name="Only">The one that asks late; null: all members.</param>
internal sealed record SaveSettles(StepNumber Step, Generation Generation, WorkerId? Only) : JobInput;

/// <param name="Reason">In words.</param>
/// <param name="Command">The client's number of it (L6); empty: not a client's.</param>
internal sealed record StopAsked(string Reason, string Command = "") : JobInput;

/// <param name="On">Time the operators of each step from now on, or no more (MON-07).</param>
internal sealed record ProfileAsked(bool On) : JobInput;

/// <param name="Workers">Wanted.</param>
/// <param name="Command">The client's number of it (L6).</param>
internal sealed record ScaleAsked(int Workers, string Command = "") : JobInput;
