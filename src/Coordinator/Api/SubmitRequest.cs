using Convoy.Shared.Jobs;

namespace Convoy.Coordinator.Api;

/// <summary>POST /api/jobs: train this job. The graph is data: it was captured where the job was submitted.</summary>
public sealed record SubmitRequest
{
    public required JobSpec Job { get; init; }
    public required byte[] Graph { get; init; }
    /// <summary>Stop with a checkpoint at this state; null: at the end of the job.</summary>
    public long? UntilStep { get; init; }
    /// <summary>Go on from the newest verified checkpoint of the same job in the state folder.</summary>
    public bool Resume { get; init; }
    /// <summary>Number of this command, so that asking again has no second effect (L6); empty: none.</summary>
    public string Command { get; init; } = "";
    /// <summary>
    /// When the launch began, so that the time to the first step counts everything; null: at submission.
    /// </summary>
    public DateTimeOffset? LaunchedAt { get; init; }
}

/// <summary>Answer to POST /api/jobs.</summary>
public sealed record SubmitReply
{
    public required string JobId { get; init; }
    /// <summary>State that training starts from: 0, or the step of the checkpoint.</summary>
    public long StartStep { get; init; }
}

/// <summary>POST /api/scale.</summary>
public sealed record ScaleRequest
{
    public required int Workers { get; init; }
    /// <summary>Name or id of the job; null: the only one that runs.</summary>
    public string? Job { get; init; }
    /// <summary>Number of this command (L6).</summary>
    public string Command { get; init; } = "";
}

/// <summary>POST /api/profile. Asking again changes nothing, so it needs no number.</summary>
public sealed record ProfileRequest
{
    public required bool On { get; init; }
    /// <summary>Name or id of the job; null: the only one that runs.</summary>
    public string? Job { get; init; }
}

/// <summary>POST /api/stop: save and end.</summary>
public sealed record StopRequest
{
    public string Reason { get; init; } = "asked by the user";
    /// <summary>Name or id of the job; null: the only one that runs.</summary>
    public string? Job { get; init; }
    /// <summary>Number of this command (L6).</summary>
    public string Command { get; init; } = "";
}

/// <summary>Answer of a command that has nothing to say but that it was taken.</summary>
public sealed record Accepted
{
    public required string Text { get; init; }
}

/// <summary>What a refused request gets.</summary>
public sealed record ErrorReply
{
    public required string Error { get; init; }
    public int ExitCode { get; init; }
    /// <summary>It stands by: ask another coordinator.</summary>
    public bool Standby { get; init; }
}
