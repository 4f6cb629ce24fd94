namespace Convoy.Shared.Diagnostics;

/// <summary>
/// Numbers of events that people and scripts look for in logs, all in one place. A line that has one begins with it:
/// <c>[2003] worker w3 is lost: ...</c>. Numbers are never reused; a new event takes the next of its hundred.
/// </summary>
public static class EventIds
{
    // 1xxx process
    public const int ProcessStarted = 1001;
    public const int ProcessStopping = 1002;
    public const int ProcessFailed = 1003;

    // 2xxx membership
    public const int WorkerJoined = 2001;
    public const int WorkerLeft = 2002;
    public const int WorkerLost = 2003;
    public const int GenerationOpened = 2004;
    public const int WorkerRefused = 2005;
    public const int WaitOverdue = 2006;

    // 3xxx training
    public const int JobAssigned = 3001;
    public const int StepSkipped = 3002;
    public const int StepRedone = 3003;
    public const int FingerprintDiffers = 3004;
    public const int JobFinished = 3005;
    public const int JobFailed = 3006;

    // 4xxx checkpoints
    public const int CheckpointPublished = 4001;
    public const int CheckpointSkipped = 4002;
    public const int CheckpointFailed = 4003;
    public const int CheckpointDeleted = 4004;

    // 5xxx journal and lease
    public const int LeaseTaken = 5001;
    public const int LeaseLost = 5002;
    public const int JournalRefused = 5003;

    // 6xxx network
    public const int LinkUp = 6001;
    public const int LinkDown = 6002;
    public const int FrameDamaged = 6003;

    /// <summary>Writes a line that begins with its number.</summary>
    public static void Event(this ILogSink log, int id, LogLevel level, string source, string text,
        Exception? exception = null) =>
        log.Write(level, source, $"[{id}] {text}", exception);
}
