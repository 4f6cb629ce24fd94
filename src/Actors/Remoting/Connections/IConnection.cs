using System.Net.Sockets;

namespace Convoy.Actors.Remoting.Connections;

/// <summary>
/// A stream of bytes to one peer, both ways, in order: a TCP socket, TLS over one, or a simulated wire. One send and
/// one receive may be under way at a time, not two of a kind. A lost connection throws what
/// <see cref="ConnectionLoss.Is"/>
/// recognises; so does every call after <c>Dispose</c>, which also ends the calls under way. Calls are per system call,
/// never per message, and allocate nothing once a connection is warm.
/// </summary>
internal interface IConnection : IDisposable
{
    /// <summary>For people: host:port of the peer, or what stands for it.</summary>
    string RemoteAddress { get; }

    /// <summary>Both ends are on this machine, and the path between them leaves it nowhere.</summary>
    bool IsLoopback { get; }

    /// <summary>
    /// Both ends are on this machine, whatever address was dialled: other roads between them may be shorter.
    /// </summary>
    bool IsSameMachine => IsLoopback;

    /// <summary>What it goes through, for people.</summary>
    string Kind { get; }

    /// <summary>Sends and receives can only complete on the thread that calls them.</summary>
    bool OnlyBlocks => false;

    /// <summary>
    /// Asks that sends and receives complete on the thread that calls them, which waits in the kernel: two thread
    /// changes less for each wait than by the pool. False: this connection cannot.
    /// </summary>
    bool TryBlockCaller() => false;

    /// <summary>Completes when all bytes are handed to the operating system; their memory is free again then.</summary>
    ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel = default);

    /// <summary>As one send of both, in one system call where the connection can.</summary>
    async ValueTask SendAsync(ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> second)
    {
        await SendAsync(first).ConfigureAwait(false);
        await SendAsync(second).ConfigureAwait(false);
    }

    /// <summary>
    /// The connection copies a payload itself, and takes its checksum while a piece of it is in the cache: for a
    /// payload that is not gathered the four bytes follow it, and the header's field is 0.
    /// </summary>
    bool SealsPayloads => false;

    /// <summary>
    /// Only where <see cref="SealsPayloads"/>: both, and the payload's checksum. The peer may see the last of them only
    /// after <see cref="Flush"/>.
    /// </summary>
    void SendSealed(ReadOnlyMemory<byte> head, ReadOnlyMemory<byte> payload) => throw new NotSupportedException(Kind);

    /// <summary>Nothing follows at once: the peer sees all that was sent.</summary>
    void Flush()
    {
    }

    /// <summary>Only where <see cref="SealsPayloads"/>: as a receive, and the running checksum of what came.</summary>
    int ReceiveSealed(Span<byte> into, ref uint crc) => throw new NotSupportedException(Kind);

    /// <summary>
    /// So many bytes are sure to come: a receive may wait for them, although it gives what is there. Fewer wake-ups of
    /// both ends; 1 ends it. A hint, without a system call of its own.
    /// </summary>
    void Expect(int bytes)
    {
    }

    /// <summary>At least one byte, or 0 when the peer sends no more.</summary>
    ValueTask<int> ReceiveAsync(Memory<byte> into, CancellationToken cancel = default);

    /// <summary>
    /// As above; what comes beyond <paramref name="into"/> may go to <paramref name="beyond"/> with the same call.
    /// </summary>
    ValueTask<int> ReceiveAsync(Memory<byte> into, Memory<byte> beyond) => ReceiveAsync(into);
}

internal static class ConnectionLoss
{
    /// <summary>The connection is gone: an ordinary event of a network, not a fault of the program.</summary>
    public static bool Is(Exception exception) =>
        exception is SocketException or ObjectDisposedException or IOException;
}
