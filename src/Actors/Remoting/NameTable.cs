using System.Collections.Concurrent;
using System.Globalization;
using Convoy.Actors.Runtime;

namespace Convoy.Actors.Remoting;

/// <summary>
/// Names under which actors of this process can be told from others. Registered ones have a name of their own; an actor
/// that merely sends gets a number, so that it can be answered, for as long as it lives.
/// </summary>
internal sealed class NameTable(ActorSystem system) : InternalActorRef
{
    private readonly ConcurrentDictionary<string, IActorRef> _byName = new(StringComparer.Ordinal);
    private readonly ConcurrentDictionary<IActorRef, string> _byRef = [];
    private readonly ActorPath _path = system.NextTempPath();
    private long _numbers;

    public override ActorPath Path => _path;

    public int Count => _byName.Count;

    public void Register(string name, IActorRef actor)
    {
        if (name.Length is 0 or > 64 || name[0] == '$')
            throw new ArgumentException($"'{name}' cannot be registered", nameof(name));
        if (_byName.TryGetValue(name, out var old)) _byRef.TryRemove(KeyValuePair.Create(old, name));
        Add(name, actor);
    }

    public IActorRef? Find(ReadOnlySpan<char> name) =>
        _byName.GetAlternateLookup<ReadOnlySpan<char>>().TryGetValue(name, out var actor) ? actor : null;

    /// <summary>
    /// The name to answer to; empty for nobody, and for actors of other processes, which this one cannot relay to.
    /// </summary>
    public string NameOf(IActorRef? actor)
    {
        if (actor is null or IRemoteRef or NobodyRef or DeadLettersRef) return "";
        if (_byRef.TryGetValue(actor, out var name)) return name;
        name = "$" + Interlocked.Increment(ref _numbers).ToString(CultureInfo.InvariantCulture);
        Add(name, actor);
        return name;
    }

    public override void Tell(object message, IActorRef? sender)
    {
    }

    public override void SendSystem(SystemMessage message)
    {
        if (message is not DeathNotice { Actor: { } dead }) return;
        while (_byRef.TryRemove(dead, out var name)) _byName.TryRemove(KeyValuePair.Create(name, (IActorRef)dead));
    }

    private void Add(string name, IActorRef actor)
    {
        _byName[name] = actor;
        _byRef[actor] = name;
        if (actor is InternalActorRef local) local.SendSystem(new WatchMessage(this));
    }
}
