using Convoy.Shared.Ids;
using Convoy.Shared.Tensors;

namespace Convoy.Coordinator.Membership;

/// <summary>What membership tells the rest of the coordinator.</summary>
internal abstract record MembershipNews;

/// <summary>A worker may be given the job to prepare.</summary>
internal sealed record WorkerAdmitted(WorkerId Worker, Incarnation Incarnation, string Name) : MembershipNews;

/// <param name="Worker">Who.</param>
/// <param name="Name">Its stable name.</param>
/// <param name="Evidence">How it is known.</param>
/// <param name="WasMember">It took part in the generation.</param>
/// <param name="Charged">A failure; a drained or released worker is a scale event (R25).</param>
internal sealed record WorkerLost(
    WorkerId Worker, string Name, string Evidence, bool WasMember, bool Charged) : MembershipNews;

internal sealed record GenerationBegan(
    Generation Generation, ShareMap Shares, StepNumber Start, StepNumber Until, bool Voluntary) : MembershipNews;

internal sealed record GenerationIsStable(Generation Generation, IReadOnlyList<WorkerId> Members) : MembershipNews;

/// <summary>How many workers the launcher should keep running.</summary>
internal sealed record WorkersAreWanted(int Count) : MembershipNews;

/// <summary>A stop was asked, but no worker has state that could be saved.</summary>
internal sealed record NothingToSave(string Reason) : MembershipNews;

/// <summary>The job cannot go on: repeated failures without progress, or contradicting states.</summary>
internal sealed record JobIsHopeless(string Reason) : MembershipNews;

/// <summary>Another coordinator leads (4.2 row 10).</summary>
internal sealed record LeadershipLost(long TokenSeen) : MembershipNews;

/// <summary>Waiting reasons changed; empty: nothing is waited for.</summary>
internal sealed record ReasonsChanged(IReadOnlyList<WaitReason> Reasons) : MembershipNews;
