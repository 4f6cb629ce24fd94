using Convoy.Shared;

namespace Convoy.Actors.Runtime;

internal sealed class ChildStats(LocalActorRef child)
{
    private long _windowStart;
    private int _restarts;

    public LocalActorRef Child { get; } = child;
    public bool Stopping { get; set; }

    /// <summary>Restarts inside the window, this one included.</summary>
    public int NoteRestart(TimeProvider time, TimeSpan window)
    {
        if (_restarts == 0 || (window > TimeSpan.Zero && time.GetElapsedTime(_windowStart) > window))
        {
            _windowStart = time.GetTimestamp();
            _restarts = 0;
        }

        return ++_restarts;
    }
}

internal sealed partial class ActorCell
{
    // In order of creation; guarded by a lock of the system's, because ActorSystem.ActorOf comes from any thread.
    private readonly List<ChildStats> _children = [];
    private Dictionary<string, ChildStats>? _childrenByName;
    private long _unnamed;
    private bool _closedForChildren;

    public IActorRef ActorOf(Props props, string? name = null)
    {
        if (name is not null && IllegalName(name) is { } why) throw new InvalidActorNameException($"{name}: {why}");
        LocalActorRef child;
        using (System.ChildrenLock.Enter())
        {
            if (_closedForChildren || _terminating)
                throw new InvalidOperationException($"{_self.Path} is stopping: it takes no child");
            name ??= "$" + _unnamed++.ToString(global::System.Globalization.CultureInfo.InvariantCulture);
            _childrenByName ??= new(StringComparer.Ordinal);
            if (_childrenByName.ContainsKey(name))
                throw new InvalidActorNameException($"{_self.Path} has a child named {name}");
            child = new ActorCell(System, props, _self, _self.Path.Child(name, System.NextUid())).SelfRef;
            var stats = new ChildStats(child);
            _children.Add(stats);
            _childrenByName.Add(name, stats);
        }

        child.SendSystem(new CreateMessage());
        return child;
    }

    public void Stop(IActorRef child)
    {
        if (child is not LocalActorRef local)
        {
            // A remote actor belongs to its own process: only its own parent may stop it.
            Invariant.Check(child is not Remoting.RemoteActorRef, "AC-2 Stop on a remote actor");
            return;
        }

        if (StatsOf(local) is { } stats) stats.Stopping = true;
        local.SendSystem(new TerminateMessage());
    }

    public IReadOnlyList<IActorRef> GetChildren() => ChildRefs();

    public IActorRef Child(string name)
    {
        using (System.ChildrenLock.Enter())
            return _childrenByName is not null && _childrenByName.TryGetValue(name, out var stats)
                ? stats.Child
                : ActorRefs.Nobody;
    }

    private LocalActorRef[] ChildRefs()
    {
        using (System.ChildrenLock.Enter()) return _children.Count == 0 ? [] : [.. _children.Select(c => c.Child)];
    }

    /// <summary>This cell and all below it.</summary>
    internal void AddTo(List<ActorCell> cells)
    {
        cells.Add(this);
        foreach (var child in ChildRefs()) child.Cell.AddTo(cells);
    }

    private bool HasChildren
    {
        get
        {
            using (System.ChildrenLock.Enter())
            {
                _closedForChildren |= _terminating;
                return _children.Count > 0;
            }
        }
    }

    private bool AnyChildStopping()
    {
        using (System.ChildrenLock.Enter()) return _children.Exists(c => c.Stopping);
    }

    private ChildStats? StatsOf(LocalActorRef child)
    {
        using (System.ChildrenLock.Enter())
            return _childrenByName is not null && _childrenByName.TryGetValue(child.Path.Name, out var stats)
                && stats.Child == child ? stats : null;
    }

    private bool RemoveChild(InternalActorRef actor)
    {
        if (actor is not LocalActorRef local) return false;
        using (System.ChildrenLock.Enter())
        {
            var index = _children.FindIndex(c => c.Child == local);
            if (index < 0) return false;
            _children.RemoveAt(index);
            _childrenByName!.Remove(local.Path.Name);
            return true;
        }
    }

    private static string? IllegalName(string name)
    {
        if (name.Length is 0 or > 256) return "an actor name has 1 to 256 characters";
        if (name[0] == '$') return "names that start with $ are the runtime's";
        foreach (var c in name)
            if (!char.IsAsciiLetterOrDigit(c) && !"-_.*+:@&=,!~';()".Contains(c, StringComparison.Ordinal))
                return $"'{c}' cannot be part of an actor name";
        return null;
    }
}
