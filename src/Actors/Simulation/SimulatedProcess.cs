using Convoy.Actors.Runtime;
using Convoy.Shared.Diagnostics;

namespace Convoy.Actors.Simulation;

/// <summary>
/// One process on one machine: a clock that is its own, actors, and a life that ends when the world says so.
/// </summary>
internal sealed class SimulatedProcess
{
    private readonly List<SimulatedEvent> _held = [];
    private readonly List<Mailbox> _mailboxes = [];
    private long _allocatedBefore;
    private TimeSpan _pausedBefore;

    /// <param name="world">Where it runs.</param>
    /// <param name="name">Unique among the processes that ever were.</param>
    /// <param name="host">The machine; a restarted process has the same.</param>
    /// <param name="skewPpm">Its clock runs faster by this many millionths.</param>
    /// <param name="utcOffset">What its calendar clock is off.</param>
    /// <param name="log">Gets what its actors log.</param>
    public SimulatedProcess(
        SimulatedWorld world, string name, string host, int skewPpm, TimeSpan utcOffset, ILogSink? log = null)
    {
        (World, Name, Host) = (world, name, host);
        Time = new SimulatedTime(this, skewPpm, utcOffset);
        System = ActorSystem.Create(host, new ActorSystemOptions
        {
            Time = Time, Dispatcher = new Dispatcher(this), LogSink = log, DeadLetterSink = _ => DeadLetters++,
        });
    }

    public SimulatedWorld World { get; }
    public string Name { get; }
    public string Host { get; }
    public SimulatedTime Time { get; }
    public ActorSystem System { get; }
    public bool IsGone { get; private set; }
    public bool IsStopped { get; private set; }
    public long DeadLetters { get; private set; }

    /// <summary>
    /// What the actor with this name needs for this message: devices compute, disks write. It is spent before the
    /// message is handled. Null: nothing takes time.
    /// </summary>
    public Func<string, object, TimeSpan>? TurnTime { get; set; }

    /// <summary>Measures <see cref="Busy"/>; null: nothing is measured.</summary>
    public TimeProvider? Meter { get; init; }

    /// <summary>
    /// Real time in which this process ran, without the collector's pauses: they are as long as everybody's memory is
    /// large, and come in whose turn they like.
    /// </summary>
    public TimeSpan Busy { get; set; }

    /// <summary>Bytes that it allocated; measured with <see cref="Meter"/>.</summary>
    public long Allocated { get; set; }

    /// <summary>Something of this process runs now, until <see cref="Leave"/> with what this says.</summary>
    internal long Enter()
    {
        if (Meter is not { } meter) return 0;
        _allocatedBefore = GC.GetAllocatedBytesForCurrentThread();
        _pausedBefore = GC.GetTotalPauseDuration();
        return meter.GetTimestamp();
    }

    internal void Leave(long started)
    {
        if (Meter is not { } meter) return;
        Busy += meter.GetElapsedTime(started) - (GC.GetTotalPauseDuration() - _pausedBefore);
        Allocated += GC.GetAllocatedBytesForCurrentThread() - _allocatedBefore;
    }

    /// <summary>Messages that wait in the fullest mailbox, and whose it is.</summary>
    public (int Waiting, ActorPath? Actor) FullestMailbox()
    {
        Mailbox? fullest = null;
        var most = 0;
        foreach (var box in _mailboxes)
            if (box.Count > most) (most, fullest) = (box.Count, box);
        return (most, fullest?.Path);
    }

    internal void Note(Mailbox box)
    {
        if (box.Known) return;
        box.Known = true;
        _mailboxes.RemoveAll(static b => b.IsClosed);
        _mailboxes.Add(box);
    }

    /// <summary>Ends it between two events: nothing of it runs any more.</summary>
    public void Kill()
    {
        IsGone = true;
        _held.Clear();
    }

    /// <summary>SIGSTOP: time goes on without it; what comes for it waits.</summary>
    public void Stop() => IsStopped = true;

    /// <summary>SIGCONT: what waited happens now, in its order.</summary>
    public void Continue()
    {
        if (!IsStopped) return;
        IsStopped = false;
        foreach (var what in _held) World.After(this, TimeSpan.Zero, what);
        _held.Clear();
    }

    internal bool Takes(SimulatedEvent what)
    {
        if (IsGone) return false;
        if (!IsStopped) return true;
        _held.Add(what);
        return false;
    }

    internal bool TakesTurn(IRunnable mailbox)
    {
        if (IsGone) return false;
        if (!IsStopped) return true;
        _held.Add(new SimulatedCall(mailbox.Run));
        return false;
    }

    public override string ToString() => Name;

    private sealed class Dispatcher(SimulatedProcess process) : MessageDispatcher
    {
        public override void Execute(IRunnable mailbox) => process.World.MakeReady(process, mailbox);
    }
}

/// <summary>
/// The clocks of one process: a monotonic one with its own rate, and a calendar clock that is off and may jump. Timers
/// follow the monotonic one.
/// </summary>
internal sealed class SimulatedTime(SimulatedProcess process, int skewPpm, TimeSpan utcOffset) : TimeProvider
{
    private static readonly DateTimeOffset Epoch = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);
    private const long Million = 1_000_000;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override TimeZoneInfo LocalTimeZone => TimeZoneInfo.Utc;

    /// <summary>An operator, or a time service, set the calendar clock.</summary>
    public TimeSpan UtcJump { get; set; }

    /// <summary>Timers do not fire any more: a bug that tests of the checkers plant.</summary>
    public bool TimersAreDead { get; set; }

    public override long GetTimestamp()
    {
        var ticks = process.World.Now.Microseconds * TimeSpan.TicksPerMicrosecond;
        return ticks + (ticks / Million * skewPpm);
    }

    public override DateTimeOffset GetUtcNow() => Epoch + utcOffset + UtcJump + TimeSpan.FromTicks(GetTimestamp());

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        var timer = new Timer(this, callback, state);
        timer.Change(dueTime, period);
        return timer;
    }

    private void After(TimeSpan local, SimulatedEvent what) =>
        process.World.After(process, TimeSpan.FromTicks(local.Ticks - (local.Ticks / Million * skewPpm)), what);

    private sealed class Timer(SimulatedTime time, TimerCallback callback, object? state) : ITimer
    {
        private long _version;

        public bool Change(TimeSpan dueTime, TimeSpan period)
        {
            var version = ++_version;
            if (dueTime != Timeout.InfiniteTimeSpan) Arm(version, dueTime, period);
            return true;
        }

        private void Arm(long version, TimeSpan due, TimeSpan period) =>
            time.After(due, new Due(this, version, period));

        private void OnDue(long version, TimeSpan period)
        {
            if (version != _version || time.TimersAreDead) return;
            if (period > TimeSpan.Zero) Arm(version, period, period);
            callback(state);
        }

        private sealed class Due(Timer timer, long version, TimeSpan period) : SimulatedEvent
        {
            public override void Happen() => timer.OnDue(version, period);
        }

        public void Dispose() => _version++;

        public ValueTask DisposeAsync()
        {
            Dispose();
            return ValueTask.CompletedTask;
        }
    }
}
