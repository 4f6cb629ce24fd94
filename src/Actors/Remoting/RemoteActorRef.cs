using Convoy.Actors.Runtime;
using Convoy.Shared;
using Convoy.Shared.Protocol;
using Google.Protobuf;

namespace Convoy.Actors.Remoting;

/// <summary>An actor at the other end of a link, by name. What cannot be sent comes back at once (R28).</summary>
internal sealed class RemoteActorRef(Link link, string name) : InternalActorRef, IRemoteRef, IEquatable<RemoteActorRef>
{
    private ActorPath? _path;

    public string Name => name;
    public Link Link => link;
    public Peer Peer => link;
    public ActorSystem System => link.Remoting.System;

    public override ActorPath Path => _path ??= new ActorPath($"convoy://{link}", null, "", 0).Child(name, 0);

    public override void Tell(object message, IActorRef? sender)
    {
        switch (message)
        {
            case IMessage control:
                TellControl(control, sender);
                break;
            case Undeliverable bounced:
                link.SendBounce(name, sender, bounced);
                break;
            default:
                Refuse(UndeliverableReason.UnknownType, message.GetType().Name, 0, 0, sender);
                break;
        }
    }

    public override void SendSystem(SystemMessage message)
    {
        if (message is WatchMessage watch) link.AddWatcher(this, watch.Watcher);
        else if (message is UnwatchMessage unwatch) link.RemoveWatcher(this, unwatch.Watcher);
    }

    /// <summary>Tells the sender that a message of its own went nowhere.</summary>
    public void Refuse(UndeliverableReason reason, string messageType, long size, long limit, IActorRef? sender)
    {
        System.OnDeadLetter(new DeadLetter(messageType, sender, this, reason));
        var isUnknown = reason is UndeliverableReason.LinkDown or UndeliverableReason.PeerRestarted;
        sender?.Tell(
            new Undeliverable(reason, size, limit, link.ToString(), messageType)
            { Hop = isUnknown ? DeliveryHop.Link : DeliveryHop.Sender },
            this);
    }

    public bool Equals(RemoteActorRef? other) =>
        other is not null && other.Link == link && string.Equals(other.Name, name, StringComparison.Ordinal);

    public override bool Equals(object? obj) => Equals(obj as RemoteActorRef);

    public override int GetHashCode() => name.GetHashCode(StringComparison.Ordinal);

    private void TellControl(IMessage message, IActorRef? sender)
    {
        var number = ControlMessages.IdOf(message);
        if (number == 0)
        {
            Refuse(UndeliverableReason.UnknownType, message.GetType().Name, 0, 0, sender);
            return;
        }

        var size = message.CalculateSize();
        if (size > Limits.ControlMessageBytesMax)
        {
            Refuse(UndeliverableReason.TooLarge, message.GetType().Name, size, Limits.ControlMessageBytesMax, sender);
            return;
        }

        if (link.SendMessage(name, message, number, size, sender) is { } reason)
            Refuse(reason, message.GetType().Name, size, 0, sender);
    }
}
