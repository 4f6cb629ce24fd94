using Convoy.Coordinator.Api;
using Convoy.Shared.Threading;

namespace Convoy.Coordinator.Hosting;

/// <summary>
/// What status shows. Actors put immutable pieces here after each message; readers never wait for a mailbox, so a
/// wedged actor can still be looked at (protocols 1.6).
/// </summary>
internal sealed class StatusBoard
{
    private const int EventsMax = 100;

    private readonly OrderedLock _lock = new("the board of a job", LockRank.Record);
    private readonly Queue<string> _events = new();
    private StatusReport _job = new();
    private StatusReport _membership = new();

    public void PutJob(StatusReport job)
    {
        using (_lock.Enter()) _job = job;
    }

    public void PutMembership(StatusReport membership)
    {
        using (_lock.Enter()) _membership = membership;
    }

    public void AddEvent(string text)
    {
        using (_lock.Enter())
        {
            _events.Enqueue(text);
            if (_events.Count > EventsMax) _events.Dequeue();
        }
    }

    public StatusReport Read()
    {
        using (_lock.Enter())
        {
            return _job with
            {
                Membership = _membership.Membership,
                Generation = _membership.Generation,
                Workers = _membership.Workers,
                Reasons = [.. _job.Reasons.Concat(_membership.Reasons)],
                Events = [.. _events],
            };
        }
    }
}
