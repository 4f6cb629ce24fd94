namespace Convoy.Actors;

/// <summary>
/// A watched actor has ended. Delivered once per watch, ahead of what waits, but after the last words of the dead.
/// </summary>
/// <param name="ActorRef">Who was watched.</param>
/// <param name="ExistenceConfirmed">False when nobody was there in the first place.</param>
/// <param name="AddressTerminated">True when only the link to its process ended: the actor may still live.</param>
public sealed record Terminated(IActorRef ActorRef, bool ExistenceConfirmed, bool AddressTerminated);

/// <summary>Stops the actor when its turn comes, after the messages that were told before it.</summary>
public sealed class PoisonPill
{
    public static readonly PoisonPill Instance = new();
}

/// <summary>Makes the actor fail with <see cref="ActorKilledException"/>; its supervisor decides.</summary>
public sealed class Kill
{
    public static readonly Kill Instance = new();
}

/// <summary>Nothing was received for the time set by <see cref="IActorContext.SetReceiveTimeout"/>.</summary>
public sealed class ReceiveTimeout
{
    public static readonly ReceiveTimeout Instance = new();
}

/// <summary>A message that does not restart the receive timeout.</summary>
public interface INotInfluenceReceiveTimeout
{
}

/// <summary>A message that reached nobody.</summary>
public sealed record DeadLetter(object Message, IActorRef? Sender, IActorRef Recipient, UndeliverableReason Reason);

/// <summary>Answer of an operation as a message.</summary>
public abstract record Status
{
    public sealed record Success(object? Value) : Status;

    public sealed record Failure(Exception Cause) : Status;
}

/// <summary>Why a message did not arrive.</summary>
public enum UndeliverableReason
{
    /// <summary>The receiver has ended.</summary>
    ReceiverGone,
    /// <summary>The receiver's mailbox is at its limit.</summary>
    MailboxFull,
    /// <summary>The message is larger than its limit.</summary>
    TooLarge,
    /// <summary>The type is not one of the control messages.</summary>
    UnknownType,
    /// <summary>No actor is registered under the name at the peer.</summary>
    UnknownTarget,
    /// <summary>The peer is another process start than the one the message was meant for.</summary>
    PeerRestarted,
    /// <summary>The link went down before the message was acknowledged: whether it arrived is unknown.</summary>
    LinkDown,
    /// <summary>Too many messages wait for acknowledgement on the link.</summary>
    LinkFull,
    /// <summary>The peer could not read the payload.</summary>
    Unreadable,
}

/// <summary>How far a message came that was not delivered.</summary>
public enum DeliveryHop
{
    /// <summary>It did not leave the sender's process.</summary>
    Sender,
    /// <summary>It was sent and not confirmed: whether it arrived is unknown.</summary>
    Link,
    /// <summary>It arrived at the receiver's process, which had nobody to give it to.</summary>
    Receiver,
}

/// <summary>
/// A message that could not be delivered comes back to its sender as this (R28). It never carries the payload.
/// </summary>
/// <param name="Reason">Why.</param>
/// <param name="Size">Bytes of the message, or messages waiting when a queue was full.</param>
/// <param name="Limit">The bound that was passed; 0 when size was not the reason.</param>
/// <param name="Peer">Receiver: an actor path, or node name and address.</param>
/// <param name="MessageType">Short type name of the message.</param>
public sealed record Undeliverable(UndeliverableReason Reason, long Size, long Limit, string Peer, string MessageType)
{
    /// <summary>How far it came.</summary>
    public DeliveryHop Hop { get; init; }

    public override string ToString() =>
        $"{MessageType} to {Peer} was not delivered: {Reason}" + (Limit > 0 ? $" ({Size}, limit {Limit})" : "");
}
