using System.Net.Sockets;

namespace Convoy.Actors.Remoting.Connections;

/// <summary>
/// A stream of bytes to one peer, both ways, in order: a TCP socket, TLS over one, or a simulated wire. One send and one
/// receive may be under way at a time, not two of a kind. A lost connection throws what <see cref="ConnectionLoss.Is"/>
/// recognises; so does every call after <c>Dispose</c>, which also ends the calls under way. Calls are per system call,
/// never per message, and allocate nothing once a connection is warm.
/// </summary>
internal interface IConnection : IDisposable
{
    /// <summary>For people: host:port of the peer, or what stands for it.</summary>
    string RemoteAddress { get; }

    /// <summary>Both ends are on this machine, and the path between them leaves it nowhere.</summary>
    bool IsLoopback { get; }

    /// <summary>Completes when all bytes are handed to the operating system; their memory is free again then.</summary>
    ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel = default);

    /// <summary>As one send of all the buffers in their order, with as few system calls as the connection can.</summary>
    ValueTask SendAsync(List<ReadOnlyMemory<byte>> buffers, CancellationToken cancel = default);

    /// <summary>At least one byte, or 0 when the peer sends no more.</summary>
    ValueTask<int> ReceiveAsync(Memory<byte> into, CancellationToken cancel = default);
}

internal static class ConnectionLoss
{
    /// <summary>The connection is gone: an ordinary event of a network, not a fault of the program.</summary>
    public static bool Is(Exception exception) => exception is SocketException or ObjectDisposedException or IOException;
}
