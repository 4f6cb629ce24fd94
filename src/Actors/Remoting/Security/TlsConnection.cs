using System.Net.Security;
using System.Runtime.CompilerServices;
using Convoy.Actors.Remoting.Connections;

namespace Convoy.Actors.Remoting.Security;

/// <summary>TLS over a socket, after its handshake. Small buffers are gathered: each write becomes a record of its own.</summary>
internal sealed class TlsConnection(SslStream stream, SocketConnection plain) : IConnection
{
    /// <summary>Largest TLS record.</summary>
    private const int RecordBytes = 16 << 10;

    private readonly byte[] _gathered = new byte[RecordBytes];

    public string RemoteAddress => plain.RemoteAddress;

    public bool IsLoopback => plain.IsLoopback;

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel = default)
    {
        try
        {
            await stream.WriteAsync(bytes, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (!Expected(e))
        {
            throw Lost(e);
        }
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask SendAsync(List<ReadOnlyMemory<byte>> buffers, CancellationToken cancel = default)
    {
        var filled = 0;
        for (var i = 0; i < buffers.Count; i++)
        {
            var buffer = buffers[i];
            if (filled + buffer.Length <= RecordBytes)
            {
                buffer.CopyTo(_gathered.AsMemory(filled));
                filled += buffer.Length;
                continue;
            }

            if (filled > 0) await SendAsync(_gathered.AsMemory(0, filled), cancel).ConfigureAwait(false);
            filled = 0;
            if (buffer.Length >= RecordBytes)
            {
                await SendAsync(buffer, cancel).ConfigureAwait(false);
                continue;
            }

            buffer.CopyTo(_gathered);
            filled = buffer.Length;
        }

        if (filled > 0) await SendAsync(_gathered.AsMemory(0, filled), cancel).ConfigureAwait(false);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<int> ReceiveAsync(Memory<byte> into, CancellationToken cancel = default)
    {
        try
        {
            return await stream.ReadAsync(into, cancel).ConfigureAwait(false);
        }
        catch (Exception e) when (!Expected(e))
        {
            throw Lost(e);
        }
    }

    // The socket first: that ends the calls under way.
    public void Dispose()
    {
        plain.Dispose();
        stream.Dispose();
    }

    private static bool Expected(Exception e) => ConnectionLoss.Is(e) || e is OperationCanceledException;

    private static IOException Lost(Exception e) => new($"TLS failed: {e.Message}", e);
}
