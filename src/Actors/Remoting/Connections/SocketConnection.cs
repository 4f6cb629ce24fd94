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
    /// alone the kernel lets several megabytes pile up; frames of 256 KB then took twice the processor time (2026-11-21).
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
        Kind = peer is UnixDomainSocketEndPoint ? "a Unix socket" : "TCP";
        IsLoopback = peer is UnixDomainSocketEndPoint || (peer is IPEndPoint ip && IPAddress.IsLoopback(ip.Address));
    }

    public string RemoteAddress { get; }

    public bool IsLoopback { get; }

    public string Kind { get; }

    /// <summary>For a wrapper that takes the connection over, and for connections that are not ours.</summary>
    public Socket Socket => _socket;

    public bool TryBlockCaller()
    {
        // Not a blocking socket: one that was used asynchronously waits through the runtime's event thread even so.
        _socket.Blocking = false;
        if (IsLoopback) _socket.SendBufferSize = LoopbackBufferBytes;
        _blocks = true;
        return true;
    }

    public ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel = default)
    {
        if (!_blocks) return SendLaterAsync(bytes, cancel);
        SendNow(bytes.Span);
        return default;
    }

    public async ValueTask SendAsync(ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> second)
    {
        while (_blocks && VectoredIo.IsSupported && first.Length > 0)
        {
            var sent = VectoredIo.Write(_socket, first, second);
            if (sent < 0) WaitOrThrow(SocketError.WouldBlock, SelectMode.SelectWrite);
            var ofFirst = Math.Clamp(sent, 0, first.Length);
            (first, second) = (first[ofFirst..], second[(Math.Max(sent, 0) - ofFirst)..]);
        }

        await SendAsync(first).ConfigureAwait(false);
        await SendAsync(second).ConfigureAwait(false);
    }

    public void Expect(int bytes) => _expected = bytes;

    public ValueTask<int> ReceiveAsync(Memory<byte> into, CancellationToken cancel = default) =>
        _blocks ? new ValueTask<int>(ReceiveNow(into.Span)) : _socket.ReceiveAsync(into, SocketFlags.None, cancel);

    public ValueTask<int> ReceiveAsync(Memory<byte> into, Memory<byte> beyond)
    {
        if (!_blocks || !VectoredIo.IsSupported) return ReceiveAsync(into);
        while (true)
        {
            var received = VectoredIo.Read(_socket, into, beyond);
            if (received >= 0) return new ValueTask<int>(received);
            WaitForData();
        }
    }

    /// <summary>Bytes that stay in the socket; 0: the peer sends no more.</summary>
    public ValueTask<int> PeekAsync(Memory<byte> into, CancellationToken cancel) =>
        _socket.ReceiveAsync(into, SocketFlags.Peek, cancel);

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
            var sent = _socket.Send(bytes, SocketFlags.None, out var error);
            if (error != SocketError.Success) WaitOrThrow(error, SelectMode.SelectWrite);
            bytes = bytes[sent..];
        }
    }

    /// <summary>Only after <see cref="TryBlockCaller"/>: waits on this thread.</summary>
    public int ReceiveNow(Span<byte> into)
    {
        while (true)
        {
            var received = _socket.Receive(into, SocketFlags.None, out var error);
            if (error == SocketError.Success) return received;
            if (error is not (SocketError.WouldBlock or SocketError.IOPending)) throw new SocketException((int)error);
            WaitForData();
        }
    }

    /// <summary>
    /// Linux alone promises that the low-water mark never exceeds what its buffers hold; elsewhere a wait could hang.
    /// Measured at frames of 4 MB: a fifth less processor time for a byte.
    /// </summary>
    private void SetLowWater()
    {
        if (!OperatingSystem.IsLinux()) return;
        _lowWater = _expected;
        _socket.SetSocketOption(SocketOptionLevel.Socket, SocketOptionName.ReceiveLowWater, _lowWater);
    }

    private void WaitForData()
    {
        if (_expected != _lowWater) SetLowWater();
        _socket.Poll(WaitMax, SelectMode.SelectRead);
    }

    private void WaitOrThrow(SocketError error, SelectMode until)
    {
        if (error is not (SocketError.WouldBlock or SocketError.IOPending)) throw new SocketException((int)error);
        _socket.Poll(WaitMax, until);
    }

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
