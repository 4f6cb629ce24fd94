namespace Convoy.Actors.TestKit;

/// <summary>
/// A clock that stands still until a test moves it. Timers fire inside <see cref="Advance"/>, in due order, and while
/// one fires the clock shows its due time.
/// </summary>
public sealed class ManualTime : TimeProvider
{
    private readonly Lock _lock = new();
    private readonly List<ManualTimer> _timers = [];
    private readonly DateTimeOffset _start;
    private long _elapsedTicks;
    private long _order;

    public ManualTime(DateTimeOffset? start = null) =>
        _start = start ?? new DateTimeOffset(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    public TimeSpan Elapsed => TimeSpan.FromTicks(Interlocked.Read(ref _elapsedTicks));

    /// <summary>How long until the next timer; null when there is none.</summary>
    public TimeSpan? NextDue
    {
        get
        {
            lock (_lock) return Earliest() is { } timer
                ? TimeSpan.FromTicks(Math.Max(0, timer.Due - _elapsedTicks)) : null;
        }
    }

    public override DateTimeOffset GetUtcNow() => _start + Elapsed;

    public override long GetTimestamp() => Interlocked.Read(ref _elapsedTicks);

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new ManualTimer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    /// <param name="by">How far to move.</param>
    /// <param name="afterEachTimer">Runs after each timer that fired, at its time: for a dispatcher that waits to be
    /// run.</param>
    public void Advance(TimeSpan by, Action? afterEachTimer = null)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(by, TimeSpan.Zero);
        var until = Interlocked.Read(ref _elapsedTicks) + by.Ticks;
        while (TakeDue(until) is { } timer)
        {
            timer.Fire();
            afterEachTimer?.Invoke();
        }

        Interlocked.Exchange(ref _elapsedTicks, Math.Max(until, _elapsedTicks));
    }

    private ManualTimer? TakeDue(long until)
    {
        lock (_lock)
        {
            if (Earliest() is not { } timer || timer.Due > until) return null;
            Interlocked.Exchange(ref _elapsedTicks, Math.Max(_elapsedTicks, timer.Due));
            if (timer.Period > 0) timer.Due += timer.Period;
            else _timers.Remove(timer);
            return timer;
        }
    }

    private ManualTimer? Earliest()
    {
        ManualTimer? first = null;
        foreach (var timer in _timers)
            if (first is null || timer.Due < first.Due || (timer.Due == first.Due && timer.Order < first.Order))
                first = timer;
        return first;
    }

    private sealed class ManualTimer(ManualTime owner, TimerCallback callback, object? state) : ITimer
    {
        public long Due { get; set; }
        public long Period { get; private set; }
        public long Order { get; private set; }

        public void Fire() => callback(state);

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            lock (owner._lock)
            {
                owner._timers.Remove(this);
                if (dueTime == Timeout.InfiniteTimeSpan) return true;
                Due = owner._elapsedTicks + Math.Max(0, dueTime.Ticks);
                Period = period == Timeout.InfiniteTimeSpan ? 0 : period.Ticks;
                Order = owner._order++;
                owner._timers.Add(this);
                return true;
            }
        }

        public void Dispose()
        {
            lock (owner._lock) owner._timers.Remove(this);
        }

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
