using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;

namespace Convoy.Actors.Remoting;

/// <summary>One process start of a node. A restarted node has another incarnation.</summary>
public readonly record struct PeerId(string Node, Incarnation Incarnation)
{
    public override string ToString() => $"{Node}/{Incarnation}";
}

public enum LinkState
{
    /// <summary>Dialling, or shaking hands: messages wait.</summary>
    Connecting,
    /// <summary>Both lanes are open.</summary>
    Up,
    /// <summary>A lane was lost and may come back within the grace: messages wait.</summary>
    Suspect,
    /// <summary>The session is over. A dialled peer is tried again; an accepted one stays down.</summary>
    Down,
    /// <summary>Closed by its owner, or refused by the other side: it is not tried again.</summary>
    Closed,
}

/// <summary>
/// The other end of a link: a control lane for messages and a bulk lane for tensors. Thread-safe.
/// A dialled peer outlives its sessions; an accepted one is one session.
/// </summary>
public abstract class Peer
{
    /// <summary>Who is there; null until the first handshake.</summary>
    public abstract PeerId? Id { get; }

    /// <summary>Dialled: the address that was dialled. Accepted: where the connection came from.</summary>
    public abstract string Address { get; }

    public abstract LinkState State { get; }

    /// <summary>
    /// The actor registered under this name at the peer. Tell it messages of <see cref="ControlMessages"/>; a sender
    /// arrives there as a ref that answers can be told to. What is lost comes back as <see cref="Undeliverable"/>.
    /// </summary>
    public abstract IActorRef Actor(string name);

    /// <summary>
    /// Queues a frame on the bulk lane. The payload is read from the caller's memory until <paramref name="done"/> is
    /// called; its length is the frame's length and its checksum is computed here, whatever the header says of both.
    /// </summary>
    /// <returns>False when the queue is full or the link is not up: nothing was taken and <paramref name="done"/> is
    /// not called.</returns>
    public abstract bool TrySendBulk(in BulkHeader header, ReadOnlyMemory<byte> payload, IBulkCompletion? done = null);

    /// <summary>
    /// As <see cref="TrySendBulk"/>, but a sender whom the lane has no room for waits until it has: for senders that
    /// may be held up, such as copies of a state. Frames of one sender keep their order when it awaits each.
    /// </summary>
    public async ValueTask<BulkSend> SendBulkAsync(
        BulkHeader header, ReadOnlyMemory<byte> payload, BulkWait wait, IBulkCompletion? done = null)
    {
        if (TrySendBulk(header, payload, done)) return BulkSend.Taken;
        var start = Clock.GetTimestamp();
        while (true)
        {
            var room = Room.Next();
            if (TrySendBulk(header, payload, done)) return BulkSend.Taken;
            if (State is not (LinkState.Up or LinkState.Suspect))
                return new BulkSend(false, $"{wait.Name}: the link to {this} is {State}");
            var left = wait.Limit - Clock.GetElapsedTime(start);
            try
            {
                if (left > TimeSpan.Zero) await room.WaitAsync(left, Clock).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                left = TimeSpan.Zero;
            }

            if (left <= TimeSpan.Zero)
                return new BulkSend(false,
                    $"{wait.Name} waited {wait.Limit.TotalSeconds:0.###} s for room on the bulk lane to {this}");
        }
    }

    /// <summary>Woken whenever a frame has left the queue, and at the end of the link.</summary>
    internal BulkRoom Room { get; } = new();

    private protected virtual TimeProvider Clock => TimeProvider.System;

    /// <summary>Says goodbye and ends the link. Its owner gets a last <see cref="LinkDown"/> if it was up.</summary>
    public abstract void Close();

    /// <summary>
    /// Dialled: others who may answer instead of this peer. They are tried first once its session is over, and it is
    /// given up sooner, for there is somewhere else to go. Of an accepted peer nothing changes.
    /// </summary>
    /// <param name="address">host:port with commas; what it was dialled at stays.</param>
    /// <param name="silence">A peer that acknowledges nothing for this long is given up.</param>
    /// <exception cref="Convoy.Shared.UserException">The addresses cannot be understood, or may not be
    /// dialled.</exception>
    public virtual void AlsoAt(string address, TimeSpan silence)
    {
    }

    public override string ToString() => Id is { } id ? $"{id.Node} at {Address}" : Address;
}

/// <summary>Owner of a payload that is being sent.</summary>
public interface IBulkCompletion
{
    /// <summary>
    /// The payload's memory belongs to its owner again. Called once, on an I/O thread.
    /// </summary>
    /// <param name="header">As it was sent.</param>
    /// <param name="sent">True: handed to the operating system whole. False: the link ended first.</param>
    void Completed(in BulkHeader header, bool sent);
}

/// <summary>Takes bulk frames, on the receiving I/O thread: it must be quick and must not throw.</summary>
public interface IBulkReceiver
{
    /// <summary>Memory for the payload, at least <see cref="BulkHeader.PayloadBytes"/> long; empty refuses the frame,
    /// whose payload is then drained. Not called for an empty payload.</summary>
    Memory<byte> Rent(Peer from, in BulkHeader header);

    /// <summary>The payload is complete and its checksum holds. The memory belongs to the receiver again.</summary>
    void Received(Peer from, in BulkHeader header, Memory<byte> payload);

    /// <summary>The payload's checksum differs, or the link ended inside the frame.</summary>
    void Damaged(Peer from, in BulkHeader header, string why);

    /// <summary>Memory that was rented and will not be received into; called before <see cref="Damaged"/>.</summary>
    void Return(Memory<byte> rented)
    {
    }
}
