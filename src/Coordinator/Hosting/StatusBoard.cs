using Convoy.Coordinator.Api;

namespace Convoy.Coordinator.Hosting;

/// <summary>
/// What status shows. Actors put immutable pieces here after each message; readers never wait for a mailbox, so a
/// wedged actor can still be looked at (protocols 1.6).
/// </summary>
internal sealed class StatusBoard
{
    private const int EventsMax = 100;

    private readonly Lock _lock = new();
    private readonly Queue<string> _events = new();
    private StatusReport _job = new();
    private StatusReport _membership = new();

    public void PutJob(StatusReport job)
    {
        lock (_lock) _job = job;
    }

    public void PutMembership(StatusReport membership)
    {
        lock (_lock) _membership = membership;
    }

    public void AddEvent(string text)
    {
        lock (_lock)
        {
            _events.Enqueue(text);
            if (_events.Count > EventsMax) _events.Dequeue();
        }
    }

    public StatusReport Read()
    {
        lock (_lock)
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
