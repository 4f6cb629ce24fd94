namespace Convoy.Actors.Runtime;

/// <summary>
/// Travels ahead of user messages. Linked through <see cref="Next"/>, so each object is sent to one mailbox only.
/// </summary>
internal abstract class SystemMessage
{
    internal SystemMessage? Next;
}

internal sealed class CreateMessage : SystemMessage;

internal sealed class SuspendMessage : SystemMessage;

internal sealed class ResumeMessage(Exception cause) : SystemMessage
{
    public Exception Cause { get; } = cause;
}

internal sealed class RecreateMessage(Exception cause) : SystemMessage
{
    public Exception Cause { get; } = cause;
}

internal sealed class TerminateMessage : SystemMessage;

internal sealed class WatchMessage(InternalActorRef watcher) : SystemMessage
{
    public InternalActorRef Watcher { get; } = watcher;
}

internal sealed class UnwatchMessage(InternalActorRef watcher) : SystemMessage
{
    public InternalActorRef Watcher { get; } = watcher;
}

internal sealed class DeathNotice(InternalActorRef actor, bool existenceConfirmed, bool addressTerminated)
    : SystemMessage
{
    public InternalActorRef Actor { get; } = actor;
    public bool ExistenceConfirmed { get; } = existenceConfirmed;
    public bool AddressTerminated { get; } = addressTerminated;
}

/// <summary>A child failed and is suspended until its parent has decided.</summary>
internal sealed class FailedMessage(LocalActorRef child, Exception cause) : SystemMessage
{
    public LocalActorRef Child { get; } = child;
    public Exception Cause { get; } = cause;
}

/// <summary>The back-off of a restart is over.</summary>
internal sealed class RestartDueMessage(LocalActorRef child, Exception cause) : SystemMessage
{
    public LocalActorRef Child { get; } = child;
    public Exception Cause { get; } = cause;
}

/// <summary>A user message that overtakes the mailbox.</summary>
internal sealed class UrgentMessage(object message, IActorRef? sender) : SystemMessage
{
    public object Message { get; } = message;
    public IActorRef? Sender { get; } = sender;
}

internal readonly record struct Envelope(object Message, IActorRef? Sender);

/// <summary>A timer of an actor fired; dropped when the timer was replaced or cancelled meanwhile.</summary>
internal sealed class TimerFired(ActorTimers owner, object key, long version, object message)
{
    public ActorTimers Owner { get; } = owner;
    public object Key { get; } = key;
    public long Version { get; } = version;
    public object Message { get; } = message;
}

internal sealed class ReceiveTimeoutCheck
{
    public static readonly ReceiveTimeoutCheck Instance = new();
}
