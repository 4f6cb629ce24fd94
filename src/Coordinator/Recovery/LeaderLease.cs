using Convoy.Shared.Time;

namespace Convoy.Coordinator.Recovery;

/// <summary>
/// The right of this process to act as the leader. Its actors ask before they handle anything, so that one that was
/// stopped for a while asks the journal before its first word. Thread-safe.
/// </summary>
internal sealed class LeaderLease(LeadershipProtocol protocol, ControlJournal journal, MonotonicClock clock,
    ClockTable clocks)
{
    private readonly Lock _lock = new();

    /// <exception cref="LeaseLostException">Another coordinator leads.</exception>
    public void MustHold()
    {
        lock (_lock)
        {
            var now = clock.Now;
            if (protocol.MayAct(now) && !protocol.IsRenewDue(now)) return;
            if (protocol.Status == LeadershipStatus.Leading)
                protocol.OnRenewAnswered(journal.Renew(clocks.Lease), now);
            if (protocol.Status != LeadershipStatus.Leading)
                throw new LeaseLostException(
                    $"another coordinator leads: the lease of {journal.Token} is lost, nothing of it has an effect any more");
        }
    }
}
