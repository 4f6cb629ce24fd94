// All timers of an actor system: one indexed heap ordered by (due, order of scheduling), and one timer of the
// TimeProvider armed for the earliest. A heap and not a wheel of ticks, because a wheel rounds: under virtual time two
// timers must fire exactly in due order. Scheduling, cancelling and firing cost O(log n); an idle system never wakes
// up. TQ-1  A timer fires at or after its due time, at most once per period, never after Cancel has returned on the
//       thread that also drives the time.
// TQ-2  Callbacks run outside the lock.
using Convoy.Shared.Threading;

namespace Convoy.Actors.Runtime;

internal sealed class TimerEntry(TimerQueue queue, Action callback, long periodTicks) : ICancelable
{
    internal const int NotQueued = -1;

    internal Action Callback { get; } = callback;
    internal long PeriodTicks { get; } = periodTicks;
    internal long DueTicks { get; set; }
    internal long Order { get; set; }
    internal int Index { get; set; } = NotQueued;
    internal volatile bool Cancelled;

    public bool IsCancellationRequested => Cancelled;

    public void Cancel() => queue.Cancel(this);
}

internal sealed class TimerQueue : IDisposable
{
    private readonly OrderedLock _lock = new("timers", LockRank.Runtime);
    private readonly TimeProvider _time;
    private readonly long _origin;
    private readonly ITimer _timer;
    private TimerEntry[] _heap = new TimerEntry[64];
    private int _count;
    private long _order;
    private long _armedFor = long.MaxValue;
    private bool _closed;

    public TimerQueue(TimeProvider time)
    {
        _time = time;
        _origin = time.GetTimestamp();
        _timer = time.CreateTimer(
            static queue => ((TimerQueue)queue!).FireDue(), this, Timeout.InfiniteTimeSpan, Timeout.InfiniteTimeSpan);
    }

    public int Count
    {
        get
        {
            using (_lock.Enter()) return _count;
        }
    }

    private long NowTicks => _time.GetElapsedTime(_origin).Ticks;

    public TimerEntry Schedule(TimeSpan delay, Action callback, TimeSpan? period = null)
    {
        var entry = new TimerEntry(this, callback, period?.Ticks ?? 0);
        using (_lock.Enter())
        {
            if (_closed) return entry;
            entry.DueTicks = NowTicks + Math.Max(0, delay.Ticks);
            Push(entry);
            Arm();
        }

        return entry;
    }

    public void Cancel(TimerEntry entry)
    {
        entry.Cancelled = true;
        using (_lock.Enter())
        {
            if (entry.Index != TimerEntry.NotQueued) RemoveAt(entry.Index);
        }
    }

    public void Dispose()
    {
        using (_lock.Enter())
        {
            _closed = true;
            _count = 0;
            _heap = [];
        }

        _timer.Dispose();
    }

    private void FireDue()
    {
        while (TakeDue() is { } entry)
            if (!entry.Cancelled) entry.Callback();
    }

    private TimerEntry? TakeDue()
    {
        using (_lock.Enter())
        {
            _armedFor = long.MaxValue;
            var now = NowTicks;
            if (_closed || _count == 0 || _heap[0].DueTicks > now)
            {
                Arm();
                return null;
            }

            var entry = _heap[0];
            RemoveAt(0);
            if (entry.PeriodTicks > 0)
            {
                // A late queue skips the periods it missed instead of firing them in a burst.
                var missed = (now - entry.DueTicks) / entry.PeriodTicks;
                entry.DueTicks += (missed + 1) * entry.PeriodTicks;
                Push(entry);
            }

            return entry;
        }
    }

    private void Arm()
    {
        if (_closed || _count == 0 || _heap[0].DueTicks >= _armedFor) return;
        _armedFor = _heap[0].DueTicks;
        // Rounded up to the millisecond, which is what real timers resolve.
        var wait = TimeSpan.FromTicks(Math.Max(0, _armedFor - NowTicks));
        _timer.Change(wait, Timeout.InfiniteTimeSpan);
    }

    private void Push(TimerEntry entry)
    {
        if (_count == _heap.Length) Array.Resize(ref _heap, _count * 2);
        entry.Order = _order++;
        Place(_count++, entry);
        SiftUp(entry.Index);
    }

    private void RemoveAt(int index)
    {
        var removed = _heap[index];
        var last = _heap[--_count];
        _heap[_count] = null!;
        removed.Index = TimerEntry.NotQueued;
        if (index == _count) return;
        Place(index, last);
        SiftUp(index);
        SiftDown(last.Index);
    }

    private void SiftUp(int index)
    {
        while (index > 0)
        {
            var parent = (index - 1) / 2;
            if (!IsBefore(_heap[index], _heap[parent])) return;
            Swap(index, parent);
            index = parent;
        }
    }

    private void SiftDown(int index)
    {
        while (true)
        {
            var child = 2 * index + 1;
            if (child >= _count) return;
            if (child + 1 < _count && IsBefore(_heap[child + 1], _heap[child])) child++;
            if (!IsBefore(_heap[child], _heap[index])) return;
            Swap(index, child);
            index = child;
        }
    }

    private static bool IsBefore(TimerEntry a, TimerEntry b) =>
        a.DueTicks < b.DueTicks || (a.DueTicks == b.DueTicks && a.Order < b.Order);

    private void Swap(int a, int b)
    {
        var entry = _heap[a];
        Place(a, _heap[b]);
        Place(b, entry);
    }

    private void Place(int index, TimerEntry entry)
    {
        _heap[index] = entry;
        entry.Index = index;
    }
}
