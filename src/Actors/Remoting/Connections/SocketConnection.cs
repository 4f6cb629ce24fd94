using System.Net;
using System.Net.Sockets;

namespace Convoy.Actors.Remoting.Connections;

/// <summary>A plain socket: TCP, or a Unix socket on this machine.</summary>
internal sealed class SocketConnection : IConnection
{
    private readonly Socket _socket;

    public SocketConnection(Socket socket)
    {
        _socket = socket;
        var peer = PeerOf(socket);
        RemoteAddress = peer?.ToString() ?? "a closed connection";
        IsLoopback = peer is UnixDomainSocketEndPoint || (peer is IPEndPoint ip && IPAddress.IsLoopback(ip.Address));
    }

    public string RemoteAddress { get; }

    public bool IsLoopback { get; }

    /// <summary>For a wrapper that takes the connection over, and for connections that are not ours.</summary>
    public Socket Socket => _socket;

    public async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel = default)
    {
        while (bytes.Length > 0)
            bytes = bytes[await _socket.SendAsync(bytes, SocketFlags.None, cancel).ConfigureAwait(false)..];
    }

    public async ValueTask SendAsync(List<ReadOnlyMemory<byte>> buffers, CancellationToken cancel = default)
    {
        for (var i = 0; i < buffers.Count; i++) await SendAsync(buffers[i], cancel).ConfigureAwait(false);
    }

    public ValueTask<int> ReceiveAsync(Memory<byte> into, CancellationToken cancel = default) =>
        _socket.ReceiveAsync(into, SocketFlags.None, cancel);

    /// <summary>Bytes that stay in the socket; 0: the peer sends no more.</summary>
    public ValueTask<int> PeekAsync(Memory<byte> into, CancellationToken cancel) =>
        _socket.ReceiveAsync(into, SocketFlags.Peek, cancel);

    public void Dispose() => _socket.Dispose();

    private static EndPoint? PeerOf(Socket socket)
    {
        try
        {
            return socket.RemoteEndPoint;
        }
        catch (Exception closed) when (ConnectionLoss.Is(closed))
        {
            return null;
        }
    }
}
