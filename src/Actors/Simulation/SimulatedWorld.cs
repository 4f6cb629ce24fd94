// Everything of a simulated cluster happens in here, on one thread, in the order of virtual time. Events of equal time
// run in the order in which they were asked for; actors that have work at the same moment run in an order that the seed
// chooses, because on real machines nobody promises one.
// SW-1  Time never goes back, and moves only between events.
// SW-2  An event of a process that has ended does nothing; one of a stopped process waits until it goes on.
// SW-3  The same seed and the same calls give the same events, to the byte.
using Convoy.Actors.Runtime;
using Convoy.Shared.Time;

namespace Convoy.Actors.Simulation;

internal sealed class SimulatedWorld
{
    private readonly EventQueue _due = new();
    private readonly List<(SimulatedProcess Process, IRunnable Mailbox)> _ready = [];
    private readonly Queue<(SimulatedProcess Process, SimulatedEvent What)> _then = new();
    private readonly Action<string>? _trace;
    private long _now;

    public SimulatedWorld(ulong seed, Action<string>? trace = null)
    {
        Choice = new SeededChoice(seed);
        _trace = trace;
    }

    public SeededChoice Choice { get; }

    public Instant Now => new(_now);

    /// <summary>Events that ran, and turns of mailboxes.</summary>
    public long Events { get; private set; }

    public long Turns { get; private set; }

    /// <summary>Events that wait for their time.</summary>
    public int Waiting => _due.Count;

    public bool Traces => _trace is not null;

    public void Trace(string text) => _trace?.Invoke($"{_now / 1000,7}.{_now % 1000:000} {text}");

    /// <param name="process">The event belongs to it (SW-2); null: to the world.</param>
    public void After(SimulatedProcess? process, TimeSpan delay, Action action) =>
        At(process, _now + Math.Max(0, (long)Math.Ceiling(delay.TotalMicroseconds)), action);

    public void At(SimulatedProcess? process, long microseconds, Action action) =>
        At(process, microseconds, new SimulatedCall(action));

    public void After(SimulatedProcess? process, TimeSpan delay, SimulatedEvent what) =>
        At(process, _now + Math.Max(0, (long)Math.Ceiling(delay.TotalMicroseconds)), what);

    public void At(SimulatedProcess? process, long microseconds, SimulatedEvent what) =>
        _due.Enqueue(process, what, Math.Max(_now, microseconds));

    /// <summary>Nothing that waits happens any more: the run is over, and what is looked at is what it left.</summary>
    public void DropEvents()
    {
        _due.Clear();
        _then.Clear();
    }

    /// <summary>Runs the next event and all that follows from it at once; false: there is none until then.</summary>
    public bool RunNext(Instant until)
    {
        if (_due.Count == 0 || _due.NextAt > until.Microseconds) return false;
        _now = _due.NextAt;
        var (process, what) = _due.Dequeue();
        if (process is not null && !process.Takes(what)) return true;
        Events++;
        var started = process?.Enter() ?? 0;
        what.Happen();
        process?.Leave(started);
        RunReady();
        return true;
    }

    public void RunUntil(Instant until)
    {
        while (RunNext(until))
        {
        }

        _now = Math.Max(_now, until.Microseconds);
    }

    internal void MakeReady(SimulatedProcess process, IRunnable mailbox)
    {
        if (process.IsGone) return;
        var delay = TimeSpan.Zero;
        if (mailbox is Mailbox box)
        {
            process.Note(box);
            if (process.TurnTime is { } time && box.Next is { } message) delay = time(box.Path.Name, message);
            if (delay > TimeSpan.Zero) box.TurnMax = 1; // the message behind it takes its own time
        }

        if (delay > TimeSpan.Zero) After(process, delay, mailbox.Run);
        else _ready.Add((process, mailbox));
    }

    /// <summary>At this moment, when no actor has anything to do any more: what a turn left to be done at its end.
    /// </summary>
    internal void Then(SimulatedProcess process, SimulatedEvent what) => _then.Enqueue((process, what));

    /// <summary>Runs mailboxes that were made ready outside of an event, such as by the start of a process.</summary>
    public void RunReady()
    {
        while (true)
        {
            if (_ready.Count > 0)
            {
                var at = _ready.Count == 1 ? 0 : Choice.Below(_ready.Count);
                var (process, mailbox) = _ready[at];
                _ready[at] = _ready[^1];
                _ready.RemoveAt(_ready.Count - 1);
                if (!process.TakesTurn(mailbox)) continue;
                Turns++;
                var started = process.Enter();
                mailbox.Run();
                process.Leave(started);
            }
            else if (_then.TryDequeue(out var next))
            {
                if (!next.Process.Takes(next.What)) continue;
                Events++;
                var started = next.Process.Enter();
                next.What.Happen();
                next.Process.Leave(started);
            }
            else
            {
                return;
            }
        }
    }
}
