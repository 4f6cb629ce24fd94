// Finds actors that do not come out of a handler. It asks no actor: a wedged one could not answer. It walks the tree of
// actors at a slow pace and compares what each mailbox has handled; a message costs one increment.
// WD-1  A handler is reported once, between its bound and one and a half of it, and never before its bound.
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Threading;

namespace Convoy.Actors.Runtime;

internal sealed class Watchdog
{
    private const int LooksPerBound = 4;

    private readonly ActorSystem _system;
    private readonly TimeSpan _bound;
    private readonly OrderedLock _lock = new("the look for wedged actors", LockRank.Leaf);
    private Dictionary<ActorCell, Seen> _seen = [];

    public Watchdog(ActorSystem system, TimeSpan bound)
    {
        (_system, _bound) = (system, bound);
        system.Timers.Schedule(bound / LooksPerBound, Look, bound / LooksPerBound);
    }

    /// <summary>Actors that have been in one handler for longer than the bound.</summary>
    public IReadOnlyList<WedgedActor> Wedged()
    {
        List<WedgedActor> wedged = [];
        using (_lock.Enter())
        {
            foreach (var (cell, seen) in _seen)
                if (IsOver(seen) && Describe(cell, seen) is { } actor) wedged.Add(actor);
        }

        return [.. wedged.OrderBy(w => w.Actor, StringComparer.Ordinal)];
    }

    private void Look()
    {
        List<WedgedActor> told = [];
        using (_lock.Enter())
        {
            var next = new Dictionary<ActorCell, Seen>();
            foreach (var cell in _system.Cells())
            {
                if (cell.HandledNow is null) continue;
                var handled = cell.Mailbox.Handled;
                var seen = _seen.GetValueOrDefault(cell);
                if (seen?.Handled != handled) seen = new Seen(handled, _system.Time.GetTimestamp());
                next.Add(cell, seen);
                if (seen.IsTold || !IsOver(seen) || Describe(cell, seen) is not { } actor) continue;
                seen.IsTold = true;
                told.Add(actor);
            }

            _seen = next;
        }

        foreach (var actor in told) _system.Log(LogLevel.Warning, actor.Actor, actor.ToString(), null);
    }

    private bool IsOver(Seen seen) => _system.Time.GetElapsedTime(seen.Since) >= _bound;

    /// <summary>Null: the handler has just come to its end.</summary>
    private WedgedActor? Describe(ActorCell cell, Seen seen) =>
        cell.HandledNow is { } message && cell.Mailbox.Handled == seen.Handled
            ? new WedgedActor(
                cell.Self.Path.ToString(), message.GetType().Name, _system.Time.GetElapsedTime(seen.Since),
                cell.Mailbox.Count)
            : null;

    private sealed class Seen(long handled, long since)
    {
        public long Handled => handled;
        public long Since => since;
        public bool IsTold { get; set; }
    }
}
