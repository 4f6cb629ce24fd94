namespace Convoy.Actors.Runtime;

/// <summary>A ref that the runtime can send system messages to.</summary>
internal abstract class InternalActorRef : IActorRef
{
    public abstract ActorPath Path { get; }

    public abstract void Tell(object message, IActorRef? sender);

    public abstract void SendSystem(SystemMessage message);

    public override string ToString() => Path.ToString();
}

internal sealed class NobodyRef : InternalActorRef
{
    public static readonly NobodyRef Instance = new();

    public override ActorPath Path { get; } = new ActorPath("convoy://nobody", null, "", 0).Child("nobody", 0);

    public override void Tell(object message, IActorRef? sender)
    {
    }

    public override void SendSystem(SystemMessage message)
    {
        if (message is WatchMessage watch) watch.Watcher.SendSystem(new DeathNotice(this, false, false));
    }
}

internal sealed class DeadLettersRef(ActorSystem system, ActorPath path) : InternalActorRef
{
    public override ActorPath Path { get; } = path;

    public override void Tell(object message, IActorRef? sender) =>
        system.OnDeadLetter(new DeadLetter(message, sender, this, UndeliverableReason.ReceiverGone));

    public override void SendSystem(SystemMessage message)
    {
        if (message is WatchMessage watch) watch.Watcher.SendSystem(new DeathNotice(this, false, false));
    }
}

internal sealed class LocalActorRef : InternalActorRef
{
    private readonly Mailbox _mailbox;

    public LocalActorRef(ActorCell cell, ActorPath path, MessageDispatcher dispatcher, int capacity)
    {
        Cell = cell;
        Path = path;
        _mailbox = new Mailbox(cell, this, dispatcher, capacity);
    }

    public ActorCell Cell { get; }
    public Mailbox Mailbox => _mailbox;
    public override ActorPath Path { get; }

    public override void Tell(object message, IActorRef? sender) => _mailbox.Post(message, sender);

    public override void SendSystem(SystemMessage message) => _mailbox.PostSystem(message);
}
