using System.Net.Sockets;
using Convoy.Actors.Remoting.Security;
using Convoy.Shared.Ids;
using Convoy.Shared.Time;

namespace Convoy.Actors.Remoting;

public sealed record RemotingOptions
{
    /// <summary>Stable name of this node, 1 to 128 characters.</summary>
    public required string NodeName { get; init; }

    /// <summary>Random number of this process start.</summary>
    public required Incarnation Incarnation { get; init; }

    /// <summary>host:port; port 0 takes a free one. Without <see cref="Security"/> loopback only.</summary>
    public string Listen { get; init; } = "127.0.0.1:0";

    /// <summary>Where others dial this process, host[:port] with commas. Null: where it listens, or every address of
    /// this machine when it listens on all.</summary>
    public string? Advertise { get; init; }

    /// <summary>What both ends must be built from; compared in the handshake (R20).</summary>
    public string BuildId { get; init; } =
        typeof(RemotingOptions).Assembly.ManifestModule.ModuleVersionId.ToString("N");

    /// <summary>Names of optional behaviour that both ends must share; compared in the handshake.</summary>
    public IReadOnlyList<string> Features { get; init; } = [];

    public TimeProvider Time { get; init; } = TimeProvider.System;

    public ClockTable Clocks { get; init; } = new();

    /// <summary>
    /// Gets a connection whose first bytes are not ours, such as HTTP. True: it owns the socket now, from which nothing
    /// was consumed. False, or no callback: the socket is closed.
    /// </summary>
    public Func<Socket, ReadOnlyMemory<byte>, bool>? Foreign { get; init; }

    /// <summary>First value of <see cref="Remoting.NotYet"/>.</summary>
    public string? NotYet { get; init; }

    /// <summary>TLS with certificates on every connection. Null: plain, and loopback only.</summary>
    public LinkSecurity? Security { get; init; }

    /// <summary>Messages that overtake the mailbox of their receiver, such as fences. Null: none.</summary>
    public Func<Google.Protobuf.IMessage, bool>? Urgent { get; init; }

    /// <summary>Bytes that may wait on one bulk lane before <see cref="Peer.TrySendBulk"/> says false.</summary>
    public long BulkQueueBytesMax { get; init; } = 64L << 20;

    /// <summary>Frames that may wait on one bulk lane.</summary>
    public int BulkQueueFramesMax { get; init; } = 4_096;

    /// <summary>Bulk lanes that get two threads of their own; those beyond share the pool.</summary>
    public int BulkThreadPairsMax { get; init; } = 32;

    /// <summary>Whether bulk lanes to processes of this machine may go through shared memory.</summary>
    public bool SharedMemory { get; init; } = true;

    /// <summary>Whether they may go through a Unix socket where shared memory is not to be had.</summary>
    public bool UnixSockets { get; init; } = true;

    /// <summary>
    /// Where rings of shared memory have their names until both ends have mapped them; only for this user.
    /// </summary>
    public string SharedMemoryFolder { get; init; } =
        global::Convoy.Actors.Remoting.SharedMemory.SharedFolder.DefaultFolder;

    /// <summary>
    /// Control messages of one link that wait for acknowledgement; over it a message comes back at once.
    /// </summary>
    public int UnackedMessagesMax { get; init; } = 65_536;

    /// <summary>Bytes of control messages of one link that wait for acknowledgement.</summary>
    public long UnackedBytesMax { get; init; } = 256L << 20;

    /// <summary>Connections that may be shaking hands at a time.</summary>
    public int HandshakesMax { get; init; } = 64;

    /// <summary>Of these, from one address other than loopback.</summary>
    public int HandshakesPerAddressMax { get; init; } = 16;

    /// <summary>Connections from one address that may be refused in a row before it has to wait.</summary>
    public int RefusalsMax { get; init; } = 64;

    /// <summary>How fast an address gets these back.</summary>
    public double RefusalsPerSecond { get; init; } = 8;

    /// <summary>A connection that has not shaken hands after this is closed.</summary>
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(5);
}
