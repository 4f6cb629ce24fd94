namespace Convoy.Shared.Time;

/// <summary>
/// Every deadline of the cluster in one place. A user sets two numbers (beat and dead); the rest follows.
/// <see cref="Check"/> refuses values that contradict each other.
/// </summary>
public sealed record ClockTable
{
    public TimeSpan Beat { get; init; } = TimeSpan.FromMilliseconds(250);
    /// <summary>Silence after which a worker with an open connection is lost.</summary>
    public TimeSpan Dead { get; init; } = TimeSpan.FromSeconds(1);
    /// <summary>After a closed connection: time for a re-dial before the worker is lost.</summary>
    public TimeSpan Confirm { get; init; } = TimeSpan.FromMilliseconds(150);
    /// <summary>Collects concurrent losses into one generation change.</summary>
    public TimeSpan Coalesce { get; init; } = TimeSpan.FromMilliseconds(100);
    /// <summary>Collects voluntary changes (joins, scale) into one generation change.</summary>
    public TimeSpan Debounce { get; init; } = TimeSpan.FromMilliseconds(300);
    /// <summary>Voluntary changes come at most this often (and at most once in ten steps): M7.</summary>
    public TimeSpan VoluntarySpacing { get; init; } = TimeSpan.FromSeconds(5);
    /// <summary>At the start: wait this long for the expected workers before training with fewer.</summary>
    public TimeSpan Form { get; init; } = TimeSpan.FromSeconds(5);
    /// <summary>A worker lost three times inside the window may not join for the quarantine.</summary>
    public TimeSpan FlapWindow { get; init; } = TimeSpan.FromSeconds(60);
    public TimeSpan Quarantine { get; init; } = TimeSpan.FromSeconds(15);
    /// <summary>Answer to a hard fence; the shell raises it to twice the longest kernel seen.</summary>
    public TimeSpan Fence { get; init; } = TimeSpan.FromMilliseconds(500);
    /// <summary>Answer to a soft fence: it waits for up to three whole steps.</summary>
    public TimeSpan SoftFence { get; init; } = TimeSpan.FromSeconds(10);
    /// <summary>From Open to Aligned when no state has to move.</summary>
    public TimeSpan Align { get; init; } = TimeSpan.FromSeconds(2);
    /// <summary>From Open to Aligned when a member loads a snapshot or a checkpoint.</summary>
    public TimeSpan AlignWithState { get; init; } = TimeSpan.FromSeconds(30);
    /// <summary>From a cast to the receipt of the one it was sent to; then those below it are told by the sender.</summary>
    public TimeSpan CastHop { get; init; } = TimeSpan.FromMilliseconds(200);
    /// <summary>Answers to a cast wait this long for others that go the same way up.</summary>
    public TimeSpan CastGather { get; init; } = TimeSpan.FromMilliseconds(25);
    /// <summary>No progress in a step for this long names who waits on whom (R1).</summary>
    public TimeSpan StepOverdue { get; init; } = TimeSpan.FromSeconds(2);
    /// <summary>From Assign to Ready: data opened, graph compiled.</summary>
    public TimeSpan Prepare { get; init; } = TimeSpan.FromSeconds(60);
    /// <summary>From a due save to its publication.</summary>
    public TimeSpan Save { get; init; } = TimeSpan.FromSeconds(60);
    public TimeSpan Evaluate { get; init; } = TimeSpan.FromMinutes(10);
    /// <summary>Grace of a drain.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>The table for the two numbers of a job; deadlines that must lie above dead grow with it.</summary>
    public static ClockTable From(int beatMs, int deadMs)
    {
        var dead = TimeSpan.FromMilliseconds(deadMs);
        return new ClockTable
        {
            Beat = TimeSpan.FromMilliseconds(beatMs),
            Dead = dead,
            Confirm = TimeSpan.FromMilliseconds(Math.Min(150, deadMs / 4)),
            StepOverdue = TimeSpan.FromMilliseconds(Math.Max(2_000L, 2L * deadMs)),
            CastHop = TimeSpan.FromMilliseconds(Math.Min(200, deadMs / 4.0)),
            CastGather = TimeSpan.FromMilliseconds(Math.Min(25, deadMs / 16.0)),
        };
    }

    /// <summary>Returns the broken rule as text, or null when every rule holds.</summary>
    public string? Check() =>
        3 * Beat >= Dead ? $"3 x beat ({3 * Beat}) must be below dead ({Dead})"
        : Confirm >= Dead ? $"confirm ({Confirm}) must be below dead ({Dead})"
        : Coalesce >= Fence ? $"coalesce ({Coalesce}) must be below fence ({Fence})"
        : CastGather >= CastHop ? $"cast gather ({CastGather}) must be below cast hop ({CastHop})"
        : CastHop >= Dead ? $"cast hop ({CastHop}) must be below dead ({Dead})"
        : Dead >= StepOverdue ? $"dead ({Dead}) must be below step overdue ({StepOverdue})"
        : null;
}
