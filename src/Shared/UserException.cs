using Convoy.Shared.Errors;

namespace Convoy.Shared;

/// <summary>Exit codes of <c>convoy</c>. They are documented in the README and never reused.</summary>
public enum ExitCode
{
    Finished = 0,
    /// <summary>An unexpected failure: a bug of ours, with its log named.</summary>
    Failed = 1,
    /// <summary>The command line could not be understood.</summary>
    Usage = 2,
    /// <summary>The job file is wrong.</summary>
    BadJob = 3,
    /// <summary>The data is wrong or not there.</summary>
    BadData = 4,
    /// <summary>A checkpoint is damaged or does not fit.</summary>
    BadCheckpoint = 5,
    /// <summary>The cluster refused or could not be reached.</summary>
    Cluster = 6,
    /// <summary>The job failed while it ran: the root cause was printed.</summary>
    JobFailed = 7,
    /// <summary>A state folder or its disk cannot be used: full, read-only, gone or damaged.</summary>
    Storage = 8,
    /// <summary>The accelerator that was asked for is not there, or cannot be used.</summary>
    Accelerator = 9,
    Drained = 10,
    DrainedByCheckpoint = 11,
    GraceExpired = 12,
    Interrupted = 130,
}

/// <summary>
/// Wrong input from a user: one line that says what, where, which rule, and what to do.
/// The only exception whose message the command line prints as it is; no stack trace ever follows it.
/// </summary>
public sealed class UserException(ExitCode code, string message) : ConvoyException(ErrorCode.UserInput, message)
{
    public ExitCode Code { get; } = code;
}
