using Convoy.Shared.Threading;
using Convoy.Shared.Time;

namespace Convoy.Coordinator.Recovery;

/// <summary>
/// The right of this process to act as the leader. Its actors ask before they handle anything, so that one that was
/// stopped for a while asks the journal before its first word. Thread-safe.
/// </summary>
internal sealed class LeaderLease(LeadershipProtocol protocol, ControlJournal journal, MonotonicClock clock,
    ClockTable clocks)
{
    private readonly OrderedLock _lock = new("the lease of the leader", LockRank.Service);

    /// <exception cref="LeaseLostException">Another coordinator leads.</exception>
    public void MustHold()
    {
        using (_lock.Enter())
        {
            var now = clock.Now;
            if (journal.IsHandedOver || !protocol.MayAct(now) || protocol.IsRenewDue(now)) Ask(now);
        }
    }

    /// <summary>As <see cref="MustHold"/>, but always by asking the journal: before files that a successor may use are
    /// renamed or deleted.</summary>
    /// <exception cref="LeaseLostException">Another coordinator leads.</exception>
    public void MustHoldNow()
    {
        using (_lock.Enter()) Ask(clock.Now);
    }

    private void Ask(Instant now)
    {
        if (protocol.Status == LeadershipStatus.Leading)
            protocol.OnRenewAnswered(journal.Renew(clocks.Lease), now);
        if (protocol.Status == LeadershipStatus.Leading) return;
        throw new LeaseLostException($"another coordinator leads: the lease of {journal.Token} is lost, "
            + "nothing of it has an effect any more");
    }
}
