using System.Net;
using System.Net.Sockets;

namespace Convoy.Actors.Remoting.Connections;

/// <summary>A plain socket: TCP, or a Unix socket on this machine.</summary>
internal sealed class SocketConnection : IConnection
{
    /// <summary>A wait in the kernel ends with its event or with <see cref="Dispose"/>; this only bounds it.</summary>
    private static readonly TimeSpan WaitMax = TimeSpan.FromSeconds(10);

    /// <summary>
    /// On one machine the distance is short, and what is under way should still be in the caches when it is read. Left
    /// alone the kernel lets several megabytes pile up; frames of 256 KB then took twice the processor time
    /// (2026-11-21).
    /// </summary>
    private const int LoopbackBufferBytes = 512 << 10;

    private readonly Socket _socket;
    private bool _blocks;
    private int _expected = 1;
    private int _lowWater = 1; // as the kernel has it

    public SocketConnection(Socket socket)
    {
        _socket = socket;
        var peer = PeerOf(socket);
        RemoteAddress = peer?.ToString() ?? "a closed connection";
        IsTcp = peer is not UnixDomainSocketEndPoint;
        IsLoopback = peer is UnixDomainSocketEndPoint || (peer is IPEndPoint ip && IPAddress.IsLoopback(ip.Address));
    }

    public string RemoteAddress { get; }

    public bool IsSameMachine => IsLoopback
        || (_socket.LocalEndPoint is IPEndPoint here && _socket.RemoteEndPoint is IPEndPoint there
            && here.Address.Equals(there.Address));

    public bool IsLoopback { get; }

    public string Kind => IsTcp ? "TCP" : "a Unix socket";

    private bool IsTcp { get; }

    /// <summary>For a wrapper that takes the connection over, and for connections that are not ours.</summary>
    public Socket Socket => _socket;

    public bool TryBlockCaller()
    {
        if (IsLoopback) _socket.SendBufferSize = LoopbackBufferBytes;
        if (IsLoopback && IsTcp) SendUnpaced();
        _blocks = true;
        return true;
    }

    public ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel = default)
    {
        if (!_blocks) return cancel.CanBeCanceled && QuietWait.IsNeeded
            ? SendQuietlyAsync(bytes, cancel) : SendLaterAsync(bytes, cancel);
        SendNow(bytes.Span);
        return default;
    }

    public async ValueTask SendAsync(ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> second)
    {
        while (_blocks && VectoredIo.IsSupported && first.Length > 0)
        {
            var sent = VectoredIo.Write(_socket, first, second);
            var ofFirst = Math.Min(sent, first.Length);
            (first, second) = (first[ofFirst..], second[(sent - ofFirst)..]);
        }

        await SendAsync(first).ConfigureAwait(false);
        await SendAsync(second).ConfigureAwait(false);
    }

    public void Expect(int bytes) => _expected = bytes;

    /// <summary>
    /// With a token that can be cancelled, which is what handshakes do, the event thread stays out of it.
    /// </summary>
    public ValueTask<int> ReceiveAsync(Memory<byte> into, CancellationToken cancel = default) =>
        _blocks ? new ValueTask<int>(ReceiveNow(into.Span))
        : cancel.CanBeCanceled && QuietWait.IsNeeded ? ReceiveQuietlyAsync(into, SocketFlags.None, cancel)
        : _socket.ReceiveAsync(into, SocketFlags.None, cancel);

    public ValueTask<int> ReceiveAsync(Memory<byte> into, Memory<byte> beyond)
    {
        if (!_blocks || !VectoredIo.IsSupported) return ReceiveAsync(into);
        SetLowWater();
        return new ValueTask<int>(_lowWater > 1 ? ReceiveMuch(into.Span) : VectoredIo.Read(_socket, into, beyond));
    }

    /// <summary>Bytes that stay in the socket; 0: the peer sends no more.</summary>
    public ValueTask<int> PeekAsync(Memory<byte> into, CancellationToken cancel) => QuietWait.IsNeeded
        ? ReceiveQuietlyAsync(into, SocketFlags.Peek, cancel)
        : _socket.ReceiveAsync(into, SocketFlags.Peek, cancel);

    public void Dispose()
    {
        try
        {
            if (_blocks) _socket.Shutdown(SocketShutdown.Both); // wakes threads that wait in the kernel
        }
        catch (Exception gone) when (ConnectionLoss.Is(gone))
        {
            // The peer was faster.
        }

        _socket.Dispose();
    }

    private async ValueTask<int> ReceiveQuietlyAsync(Memory<byte> into, SocketFlags flags, CancellationToken cancel)
    {
        await QuietWait.ForDataAsync(_socket, cancel).ConfigureAwait(false);
        return _socket.Receive(into.Span, flags);
    }

    /// <summary>
    /// What is sent in a handshake fits into the buffers of a connection that is new: this waits for none.
    /// </summary>
    private async ValueTask SendQuietlyAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        await QuietWait.ForRoomAsync(_socket, cancel).ConfigureAwait(false);
        _socket.Send(bytes.Span, SocketFlags.None);
    }

    private async ValueTask SendLaterAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel)
    {
        while (bytes.Length > 0)
            bytes = bytes[await _socket.SendAsync(bytes, SocketFlags.None, cancel).ConfigureAwait(false)..];
    }

    /// <summary>Only after <see cref="TryBlockCaller"/>: waits on this thread.</summary>
    public void SendNow(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            bytes = bytes[_socket.Send(bytes, SocketFlags.None)..];
        }
    }

    /// <summary>Only after <see cref="TryBlockCaller"/>: waits on this thread.</summary>
    public int ReceiveNow(Span<byte> into)
    {
        SetLowWater();
        return _lowWater > 1 ? ReceiveMuch(into) : _socket.Receive(into, SocketFlags.None);
    }

    /// <summary>
    /// A receive that blocks would count what it has taken already towards the mark, and then wait for a whole mark
    /// beyond it, which may never come: so it takes what is there, and only the poll before it waits.
    /// </summary>
    private int ReceiveMuch(Span<byte> into)
    {
        while (true)
        {
            var received = VectoredIo.TryRead(_socket, into);
            if (received >= 0) return received;
            _socket.Poll(WaitMax, SelectMode.SelectRead);
        }
    }

    /// <summary>
    /// A machine that paces its TCP (BBR) spreads a frame over time by an estimate of the path, and on loopback the
    /// estimate follows the sender's own pauses: frames of 256 KB ran at 0.65 of what they do without (2026-11-21).
    /// Reno paces nothing, every Linux has it, and between two processes of one machine there is no congestion to
    /// control.
    /// </summary>
    private void SendUnpaced()
    {
        if (!OperatingSystem.IsLinux()) return;
        const int Tcp = 6;
        const int CongestionControl = 13;
        try
        {
            _socket.SetRawSocketOption(Tcp, CongestionControl, "reno"u8);
        }
        catch (SocketException)
        {
            // A kernel without it goes on as it is.
        }
    }

    /// <summary>
    /// Linux alone promises that the low-water mark never exceeds what its buffers hold; elsewhere a wait could hang.
    /// Measured at frames of 4 MB: a fifth less processor time for a byte.
    /// </summary>
    private void SetLowWater()
    {
        if (_expected == _lowWater || !OperatingSystem.IsLinux()) return;
        _lowWater = _expected;
        _socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReceiveLowWater, _lowWater);
    }

    private static EndPoint? PeerOf(Socket socket)
    {
        try
        {
            // A listener on [::] sees IPv4 in the clothes of IPv6; everybody else knows the address without them.
            return socket.RemoteEndPoint is IPEndPoint { Address.IsIPv4MappedToIPv6: true } mapped
                ? new IPEndPoint(mapped.Address.MapToIPv4(), mapped.Port) : socket.RemoteEndPoint;
        }
        catch (Exception closed) when (ConnectionLoss.Is(closed))
        {
            return null;
        }
    }
}
