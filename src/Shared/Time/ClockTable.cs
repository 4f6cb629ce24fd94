namespace Convoy.Shared.Time;

/// <summary>
/// Every deadline of the cluster in one place. A user sets three numbers (beat, dead and stall); the rest follows.
/// <see cref="Check"/> refuses values that contradict each other.
/// </summary>
public sealed record ClockTable
{
    public TimeSpan Beat { get; init; } = TimeSpan.FromMilliseconds(250);
    /// <summary>
    /// Silence after which a worker with an open connection is lost on a steady network; twice as long where beats come
    /// unsteadily (docs/protocols/detector.md).
    /// </summary>
    public TimeSpan Dead { get; init; } = TimeSpan.FromSeconds(1);
    /// <summary>A stall of a living worker that is forgiven: it is added to every wait for a member's answer.</summary>
    public TimeSpan Stall { get; init; } = TimeSpan.Zero;
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
    /// <summary>Members wait at most this long for a joiner that copies the state while they stand (J4).</summary>
    public TimeSpan JoinStall { get; init; } = TimeSpan.FromSeconds(2);
    /// <summary>A learner takes a frame within this, or its transfer ends; a donor sends one.</summary>
    public TimeSpan LearnerChunk { get; init; } = TimeSpan.FromSeconds(5);
    /// <summary>
    /// A piece of a step that members have applied reaches a learner within this, and four steps' time; then it is
    /// asked for once more, and after as long again the learner copies a state anew.
    /// </summary>
    public TimeSpan LearnerPiece { get; init; } = TimeSpan.FromSeconds(10);
    /// <summary>
    /// From a cast to the receipt of the one it was sent to; then those below it are told by the sender.
    /// </summary>
    public TimeSpan CastHop { get; init; } = TimeSpan.FromMilliseconds(200);
    /// <summary>Answers to a cast wait this long for others that go the same way up.</summary>
    public TimeSpan CastGather { get; init; } = TimeSpan.FromMilliseconds(25);
    /// <summary>
    /// No progress in a step for this long names who waits on whom; with a beat that is late, within two seconds (R1).
    /// </summary>
    public TimeSpan StepOverdue { get; init; } = TimeSpan.FromSeconds(1.5);
    /// <summary>From Assign to Ready: data opened, graph compiled.</summary>
    public TimeSpan Prepare { get; init; } = TimeSpan.FromSeconds(60);
    /// <summary>From a due save to its publication.</summary>
    public TimeSpan Save { get; init; } = TimeSpan.FromSeconds(60);
    /// <summary>
    /// A step waits at most this long for room for its save: whatever is collected is given up earlier (CP-5).
    /// </summary>
    public TimeSpan SaveRoom { get; init; } = TimeSpan.FromSeconds(90);
    public TimeSpan Evaluate { get; init; } = TimeSpan.FromMinutes(10);
    /// <summary>The lease of the leader, by the journal's clock, unless it is renewed.</summary>
    public TimeSpan Lease { get; init; } = TimeSpan.FromSeconds(3);
    public TimeSpan LeaseRenew { get; init; } = TimeSpan.FromSeconds(1);
    /// <summary>
    /// By its own clock a leader acts this much shorter than its lease: clocks differ, and words travel.
    /// </summary>
    public TimeSpan LeaseMargin { get; init; } = TimeSpan.FromMilliseconds(500);
    /// <summary>A new leader waits this long for the members of the generation that it found.</summary>
    public TimeSpan Recover { get; init; } = TimeSpan.FromSeconds(1);
    /// <summary>Grace of a drain.</summary>
    public TimeSpan Grace { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>From the death of a leader to Stable under the next one, at most (L5).</summary>
    public static readonly TimeSpan TakeOver = TimeSpan.FromSeconds(5);

    /// <summary>
    /// A leader that was stopped keeps its connections: workers notice by silence, then dial the others.
    /// </summary>
    public TimeSpan RecoverAlone => LinkSilence + 2 * Recover;

    /// <summary>
    /// A worker that knows who stands by gives a silent leader up after this: its lease is over, and somebody has
    /// looked.
    /// </summary>
    public TimeSpan LeaderSilence => Lease + (2 * Beat);

    /// <summary>Back-stop of a link whose peer acknowledges nothing; beats notice earlier.</summary>
    public TimeSpan LinkSilence => 5 * Dead > 2 * (Dead + Stall) ? 5 * Dead : 2 * (Dead + Stall);

    /// <summary>
    /// The table for the numbers of a job; deadlines that must lie above dead and stall grow with them.
    /// </summary>
    public ClockTable With(int beatMs, int deadMs, int stallMs)
    {
        var (dead, stall) = (TimeSpan.FromMilliseconds(deadMs), TimeSpan.FromMilliseconds(stallMs));
        return this with
        {
            Beat = TimeSpan.FromMilliseconds(beatMs),
            Dead = dead,
            Stall = stall,
            Confirm = Confirm < dead / 4 ? Confirm : dead / 4,
            StepOverdue = StepOverdue > 2 * (dead + stall) ? StepOverdue : 2 * (dead + stall),
            CastHop = CastHop < dead / 4 ? CastHop : dead / 4,
            CastGather = CastGather < dead / 16 ? CastGather : dead / 16,
        };
    }

    /// <summary>Returns the broken rule as text, or null when every rule holds.</summary>
    public string? Check() =>
        3 * Beat >= Dead ? $"3 x beat ({3 * Beat}) must be below dead ({Dead})"
        : Confirm >= Dead ? $"confirm ({Confirm}) must be below dead ({Dead})"
        : Coalesce >= Fence ? $"coalesce ({Coalesce}) must be below fence ({Fence})"
        : CastGather >= CastHop ? $"cast gather ({CastGather}) must be below cast hop ({CastHop})"
        : CastHop >= Dead ? $"cast hop ({CastHop}) must be below dead ({Dead})"
        : Fence >= StepOverdue ? $"fence ({Fence}) must be below step overdue ({StepOverdue})"
        : Dead + Stall >= StepOverdue ? $"dead + stall ({Dead + Stall}) must be below step overdue ({StepOverdue})"
        : LearnerChunk >= LearnerPiece
            ? $"learner chunk ({LearnerChunk}) must be below learner piece ({LearnerPiece})"
        : Save >= SaveRoom ? $"save ({Save}) must be below save room ({SaveRoom})"
        : Align >= AlignWithState ? $"align ({Align}) must be below align with state ({AlignWithState})"
        : 2 * LeaseRenew + LeaseMargin >= Lease
            ? $"2 x lease renew + margin ({2 * LeaseRenew + LeaseMargin}) must be below lease ({Lease})"
        : Lease + Recover + Fence >= TakeOver
            ? $"lease + recover + fence ({Lease + Recover + Fence}) must be below {TakeOver}, the longest take-over"
        : Debounce >= VoluntarySpacing ? $"debounce ({Debounce}) must be below voluntary spacing ({VoluntarySpacing})"
        : null;
}
