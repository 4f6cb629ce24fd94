using Convoy.Actors.Remoting.Frames;
using Convoy.Actors.Remoting.Session;
using Convoy.Actors.Runtime;

namespace Convoy.Actors.Remoting;

/// <summary>
/// Death watch over the link, in both directions. When the session ends, every watched actor there counts as
/// unreachable.
/// </summary>
internal abstract partial class Link
{
    private const int WatchesMax = 100_000;

    // ours, by their name
    private readonly Dictionary<string, List<InternalActorRef>> _watchers = new(StringComparer.Ordinal);
    // theirs, by our name
    private readonly Dictionary<string, RemoteWatcher> _remoteWatches = new(StringComparer.Ordinal);

    public void AddWatcher(RemoteActorRef subject, InternalActorRef watcher)
    {
        var first = false;
        using (_gate.Enter())
        {
            if (!_closed && _session.Status != SessionStatus.Over)
            {
                if (!_watchers.TryGetValue(subject.Name, out var list)) _watchers.Add(subject.Name, list = []);
                first = list.Count == 0;
                if (!list.Contains(watcher)) list.Add(watcher);
                watcher = NobodyRef.Instance;
            }
        }

        if (first) Send(new ControlContent(FrameKind.Watch, subject.Name, ""));
        if (watcher != NobodyRef.Instance) watcher.SendSystem(new DeathNotice(subject, false, addressTerminated: true));
    }

    public void RemoveWatcher(RemoteActorRef subject, InternalActorRef watcher)
    {
        using (_gate.Enter())
        {
            if (!_watchers.TryGetValue(subject.Name, out var list) || !list.Remove(watcher) || list.Count > 0) return;
            _watchers.Remove(subject.Name);
        }

        Send(new ControlContent(FrameKind.Unwatch, subject.Name, ""));
    }

    private void OnRemoteDeath(string name, bool existed)
    {
        List<InternalActorRef>? watchers;
        using (_gate.Enter())
        {
            if (!_watchers.Remove(name, out watchers)) return;
        }

        var subject = new RemoteActorRef(this, name);
        foreach (var watcher in watchers)
            watcher.SendSystem(new DeathNotice(subject, existed, addressTerminated: false));
    }

    private void OnRemoteWatch(string name)
    {
        RemoteWatcher? watcher = null;
        using (_gate.Enter())
        {
            if (_session.Status == SessionStatus.Over || _remoteWatches.ContainsKey(name)) return;
            if (Remoting.Names.Find(name) is InternalActorRef target && _remoteWatches.Count < WatchesMax)
                _remoteWatches.Add(name, watcher = new RemoteWatcher(this, name, target));
        }

        if (watcher is null) Send(new ControlContent(FrameKind.Death, name, ""));
        else watcher.Target.SendSystem(new WatchMessage(watcher));
    }

    private void OnRemoteUnwatch(string name)
    {
        RemoteWatcher? watcher;
        using (_gate.Enter())
        {
            if (!_remoteWatches.Remove(name, out watcher)) return;
        }

        watcher.Target.SendSystem(new UnwatchMessage(watcher));
    }

    private void EndWatches()
    {
        List<(string Name, List<InternalActorRef> Watchers)> ours;
        List<RemoteWatcher> theirs;
        using (_gate.Enter())
        {
            ours = [.. _watchers.Select(w => (w.Key, w.Value)).OrderBy(w => w.Key, StringComparer.Ordinal)];
            theirs = [.. _remoteWatches.Values];
            _watchers.Clear();
            _remoteWatches.Clear();
        }

        foreach (var (name, watchers) in ours)
        {
            var subject = new RemoteActorRef(this, name);
            foreach (var watcher in watchers)
                watcher.SendSystem(new DeathNotice(subject, false, addressTerminated: true));
        }

        foreach (var watcher in theirs) watcher.Target.SendSystem(new UnwatchMessage(watcher));
    }

    /// <summary>Stands at a local actor for the watchers at the other end.</summary>
    private sealed class RemoteWatcher(Link link, string name, InternalActorRef target) : InternalActorRef
    {
        public InternalActorRef Target => target;

        public override ActorPath Path => NobodyRef.Instance.Path;

        public override void Tell(object message, IActorRef? sender)
        {
        }

        public override void SendSystem(SystemMessage message)
        {
            if (message is not DeathNotice notice) return;
            using (link._gate.Enter())
            {
                if (!link._remoteWatches.Remove(name)) return;
            }

            link.Send(new ControlContent(FrameKind.Death, name, "")
            { Code = notice.ExistenceConfirmed ? (byte)1 : (byte)0 });
        }
    }
}
