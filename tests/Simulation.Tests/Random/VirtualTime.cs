using Convoy.Shared.Time;

namespace Convoy.Simulation.Tests.Random;

/// <summary>Things to do, in the order of their time; equal times in the order in which they were asked for.</summary>
internal sealed class VirtualTime
{
    private readonly PriorityQueue<Action, (long, long)> _due = new();
    private long _count;

    public Instant Now { get; private set; } = new(1_000_000);

    public void At(Instant time, Action action) => _due.Enqueue(action, (time.Microseconds, _count++));

    public void After(TimeSpan delay, Action action) => At(Now + delay, action);

    /// <summary>False when nothing is left before <paramref name="end"/>.</summary>
    public bool RunNext(Instant end)
    {
        if (!_due.TryPeek(out _, out var at) || at.Item1 > end.Microseconds) return false;
        Now = new Instant(Math.Max(Now.Microseconds, at.Item1));
        _due.Dequeue()();
        return true;
    }
}
