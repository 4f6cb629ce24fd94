using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Storage;
using Convoy.Shared.Time;

namespace Convoy.Coordinator.Recovery;

// Who leads is what the lease in the journal says (docs/protocols/takeover.md). The journal compares and sets the
// token; this class knows when to ask it, and until when its last answer may be relied on.
//
// L1  At most one token can append: the journal refuses every older one.
// L2  By its own clock a leader acts until (last renewal sent) + life - margin, so never beside its successor.
internal enum LeadershipStatus
{
    Standby,    // another leads, or nobody yet
    Leading,    // the lease is ours
    Deposed,    // another token is current: nothing of this process has an effect any more
}

/// <summary>Pure: no clock, no I/O, no thread.</summary>
internal sealed class LeadershipProtocol(ClockTable clocks)
{
    public static readonly (LeadershipStatus From, LeadershipStatus To, string On)[] Transitions =
    [
        (LeadershipStatus.Standby, LeadershipStatus.Leading, "nobody holds the lease, it expired, or its holder is gone"),
        (LeadershipStatus.Leading, LeadershipStatus.Deposed, "a renewal or an append is refused: another token is current"),
    ];

    /// <summary>A standby looks at the lease this often.</summary>
    public static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(200);

    private Instant? _askedAt;
    private Instant _renewedAt;

    public LeadershipStatus Status { get; private set; } = LeadershipStatus.Standby;

    public LeaderToken Token { get; private set; }

    /// <summary>A standby should try to take the lease now.</summary>
    public bool IsAcquireDue(Instant now) =>
        Status == LeadershipStatus.Standby && (_askedAt is not { } at || now - at >= LookEvery);

    public void OnAcquireAnswered(Lease? lease, Instant sentAt)
    {
        Invariant.Check(Status == LeadershipStatus.Standby, "L1 only a standby takes the lease");
        _askedAt = sentAt;
        if (lease is null) return;
        (Token, _renewedAt) = (lease.Token, sentAt);
        Become(LeadershipStatus.Leading);
    }

    public bool IsRenewDue(Instant now) => Status == LeadershipStatus.Leading && now - _renewedAt >= clocks.LeaseRenew;

    /// <summary>False: the lease may have run out while this process was busy or stopped, so it asks before it
    /// acts.</summary>
    public bool MayAct(Instant now) =>
        Status == LeadershipStatus.Leading && now - _renewedAt < clocks.Lease - clocks.LeaseMargin;

    /// <param name="holds">The journal still has this token.</param>
    /// <param name="sentAt">When it was asked, not when it answered.</param>
    public void OnRenewAnswered(bool holds, Instant sentAt)
    {
        if (Status != LeadershipStatus.Leading) return;
        if (holds) _renewedAt = sentAt;
        else Become(LeadershipStatus.Deposed);
    }

    private void Become(LeadershipStatus next)
    {
        Invariant.Check(TransitionTable.Allows(Transitions, Status, next), $"L1 no way from {Status} to {next}");
        Status = next;
    }
}
