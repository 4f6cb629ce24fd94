using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;
using Google.Protobuf;

namespace Convoy.Coordinator.Membership;

/// <summary>What the membership protocol is told. Time comes beside it, never inside.</summary>
internal abstract record MembershipInput;

/// <summary>A connection said who it is. Everything it says later comes as <see cref="FromWorker"/>.</summary>
internal sealed record HelloReceived(Hello Message) : MembershipInput;

internal sealed record FromWorker(WorkerId Worker, Incarnation Incarnation, IMessage Message) : MembershipInput;

/// <summary>
/// The control connection closed. Final: the transport has already tried to re-dial within the grace.
/// </summary>
internal sealed record LinkLost(Incarnation Incarnation, string Evidence, bool Final) : MembershipInput;

internal sealed record LinkRestored(Incarnation Incarnation) : MembershipInput;

/// <summary>The launcher saw the process end: no confirmation is needed.</summary>
internal sealed record ProcessExited(string WorkerName, int ExitCode) : MembershipInput;

/// <summary>The worker has the job's data and graph, and they equal the others'.</summary>
internal sealed record WorkerPrepared(WorkerId Worker, Incarnation Incarnation) : MembershipInput;

/// <summary>The worker cannot take part: it is told why and let go.</summary>
internal sealed record WorkerUnfit(
    WorkerId Worker, Incarnation Incarnation, int ExitCode, string Reason) : MembershipInput;

/// <summary>No progress by a worker that others wait for: it is let go, though it beats (R1).</summary>
internal sealed record WorkerHangs(WorkerId Worker, Incarnation Incarnation, string Text) : MembershipInput;

/// <summary>A job was submitted; its terms follow when the first worker has prepared it.</summary>
internal sealed record JobAnnounced(string JobId) : MembershipInput;

internal sealed record JobStarted(JobTerms Terms) : MembershipInput;

/// <summary>The newest state that is safe on disk.</summary>
internal sealed record CheckpointKnown(StateOrigin Origin) : MembershipInput;

/// <summary>Other jobs want workers: who is let go by this one stays in the cluster.</summary>
internal sealed record OthersWait(bool Wait) : MembershipInput;

/// <summary>Another job gets this worker, unless it is a member by now.</summary>
internal sealed record GiveAway(Incarnation Incarnation, string Reason) : MembershipInput;

internal sealed record ScaleTo(int Workers) : MembershipInput;

/// <summary>Save at the next boundary and stay there.</summary>
internal sealed record StopJob(string Reason) : MembershipInput;

/// <summary>The job is over: everybody is released with this exit code.</summary>
/// <param name="ExitCode">Exit code of a worker.</param>
/// <param name="Reason">In words.</param>
/// <param name="NoMore">No other job follows: whoever says Hello from now on is released too.</param>
internal sealed record JobEnded(int ExitCode, string Reason, bool NoMore = false) : MembershipInput;

/// <summary>What membership needs to know of a job.</summary>
internal sealed record JobTerms
{
    public required string JobId { get; init; }
    public required int Slices { get; init; }
    public int MembersMin { get; init; } = 1;
    public int MembersMax { get; init; } = int.MaxValue;
    /// <summary>Form with this many if they come in time; 0: with the minimum.</summary>
    public int MembersExpected { get; init; }
    /// <summary>State at which this run ends.</summary>
    public required StepNumber Until { get; init; }
    public StateOrigin Origin { get; init; } = StateOrigin.Initial;
    public CommitPlan Commit { get; init; } = CommitPlan.Local;
    public ClockTable Clocks { get; init; } = new();
}
