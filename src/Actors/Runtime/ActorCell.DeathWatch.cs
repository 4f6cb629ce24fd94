namespace Convoy.Actors.Runtime;

internal sealed partial class ActorCell
{
    private List<InternalActorRef>? _watchers; // in order of registration: deaths are told in that order
    private Dictionary<IActorRef, object?>? _watching;

    public IActorRef Watch(IActorRef subject) => WatchCore(subject, null);

    public IActorRef WatchWith(IActorRef subject, object message) => WatchCore(subject, message);

    public IActorRef Unwatch(IActorRef subject)
    {
        if (_watching?.Remove(subject) == true && subject is InternalActorRef target)
            target.SendSystem(new UnwatchMessage(_self));
        return subject;
    }

    private IActorRef WatchCore(IActorRef subject, object? message)
    {
        if (subject == (IActorRef)_self || subject is not InternalActorRef target) return subject;
        _watching ??= [];
        var isNew = !_watching.ContainsKey(subject);
        _watching[subject] = message;
        if (isNew) target.SendSystem(new WatchMessage(_self));
        return subject;
    }

    private void OnWatch(InternalActorRef watcher)
    {
        _watchers ??= [];
        if (!_watchers.Contains(watcher)) _watchers.Add(watcher);
    }

    private void TellWatchers()
    {
        if (_watchers is null) return;
        foreach (var watcher in _watchers)
            if (watcher != _parent) watcher.SendSystem(new DeathNotice(_self, true, false));
    }

    private void UnwatchAll()
    {
        if (_watching is null) return;
        foreach (var subject in _watching.Keys)
            if (subject is InternalActorRef target) target.SendSystem(new UnwatchMessage(_self));
        _watching = null;
    }

    private void OnDeathNotice(DeathNotice m)
    {
        var wasChild = RemoveChild(m.Actor);
        DeliverTerminated(m);
        if (!wasChild) return;
        if (_terminating)
        {
            if (!HasChildren) FinishTerminate();
        }
        else if (_recreateWhenChildless is { } cause && !AnyChildStopping())
        {
            FinishRecreate(cause);
        }
    }

    private void DeliverTerminated(DeathNotice m)
    {
        if (_terminating || _watching is null || !_watching.ContainsKey(m.Actor)) return;
        Mailbox.PrependDeath(m);
    }

    /// <summary>The notice's turn has come; the watch may have been given up meanwhile.</summary>
    private void ReceiveDeath(DeathNotice m)
    {
        if (_watching is null || !_watching.Remove(m.Actor, out var own)) return;
        ReceiveMessage(own ?? new Terminated(m.Actor, m.ExistenceConfirmed, m.AddressTerminated));
    }
}
