namespace Convoy.Actors.Runtime;

internal sealed class ActorTimers(ActorCell cell) : ITimerScheduler
{
    private readonly Dictionary<object, (long Version, bool Periodic, TimerEntry Entry)> _timers = [];
    private long _version;

    public void StartPeriodicTimer(object key, object message, TimeSpan interval) =>
        StartPeriodicTimer(key, message, interval, interval);

    public void StartPeriodicTimer(object key, object message, TimeSpan initialDelay, TimeSpan interval)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(interval, TimeSpan.Zero);
        Start(key, message, initialDelay, interval);
    }

    public void StartSingleTimer(object key, object message, TimeSpan timeout) => Start(key, message, timeout, null);

    public bool IsTimerActive(object key) => _timers.ContainsKey(key);

    public void Cancel(object key)
    {
        if (_timers.Remove(key, out var timer)) timer.Entry.Cancel();
    }

    public void CancelAll()
    {
        foreach (var timer in _timers.Values) timer.Entry.Cancel();
        _timers.Clear();
    }

    /// <summary>False when the timer was replaced or cancelled after it fired.</summary>
    public bool Accept(TimerFired fired)
    {
        if (!_timers.TryGetValue(fired.Key, out var timer) || timer.Version != fired.Version) return false;
        if (!timer.Periodic) _timers.Remove(fired.Key);
        return true;
    }

    private void Start(object key, object message, TimeSpan delay, TimeSpan? interval)
    {
        Cancel(key);
        if (cell.IsTerminating) return;
        var version = ++_version;
        var fired = new TimerFired(this, key, version, message);
        var self = cell.SelfRef;
        var entry = cell.System.Timers.Schedule(delay, () => self.Tell(fired, self), interval);
        _timers.Add(key, (version, interval is not null, entry));
    }
}
