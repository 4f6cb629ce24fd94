using Convoy.Shared;

namespace Convoy.Cli.Terminal;

/// <summary>What the exit codes mean, for the help; the README has the same table and a test compares them.</summary>
internal static class ExitCodes
{
    public static readonly IReadOnlyList<(int Number, string Meaning)> Table =
    [
        ((int)ExitCode.Finished, "finished"),
        ((int)ExitCode.Failed, "unexpected failure: the line names its log"),
        ((int)ExitCode.Usage, "the command line could not be understood"),
        ((int)ExitCode.BadJob, "the job file is wrong"),
        ((int)ExitCode.BadData, "the data is wrong or not there"),
        ((int)ExitCode.BadCheckpoint, "a checkpoint is damaged or does not fit"),
        ((int)ExitCode.Cluster, "the cluster refused or could not be reached"),
        ((int)ExitCode.JobFailed, "the job failed while it ran: the root cause was printed"),
        ((int)ExitCode.Storage, "the state folder or its disk is full, read-only, gone or damaged: the line names the file"),
        ((int)ExitCode.Accelerator, "the accelerator that was asked for is not there or cannot be used"),
        ((int)ExitCode.Drained, "a worker left in good order"),
        ((int)ExitCode.DrainedByCheckpoint, "a worker left after a checkpoint"),
        ((int)ExitCode.GraceExpired,
            "a worker ran out of its grace time; a worker or a coordinator was asked twice to end and did so without saving"),
        ((int)ExitCode.Interrupted, "interrupted: progress was saved and --resume goes on"),
    ];
}
