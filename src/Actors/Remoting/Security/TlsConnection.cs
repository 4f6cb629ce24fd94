using System.Net.Security;
using System.Runtime.CompilerServices;
using Convoy.Actors.Remoting.Connections;
using Convoy.Shared.Time;

namespace Convoy.Actors.Remoting.Security;

/// <summary>TLS over a socket, after its handshake.</summary>
internal sealed class TlsConnection(SslStream stream, SocketConnection plain) : IConnection
{
    /// <summary>Plain bytes of the largest TLS record; each write makes records of its own.</summary>
    private const int RecordBytes = 16 << 10;

    private readonly byte[] _record = new byte[RecordBytes];

    private ByteBudget? _budget;
    private MonotonicClock? _clock;
    private TimeProvider _time = TimeProvider.System;

    public string RemoteAddress => plain.RemoteAddress;

    public bool IsLoopback => plain.IsLoopback;

    public bool IsSameMachine => plain.IsSameMachine;

    public string Kind => "TLS";

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

    /// <summary>A header shares its record with the beginning of its payload.</summary>
    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder))]
    public async ValueTask SendAsync(ReadOnlyMemory<byte> first, ReadOnlyMemory<byte> second)
    {
        if (second.Length > 0 && first.Length < RecordBytes)
        {
            var shared = Math.Min(second.Length, RecordBytes - first.Length);
            first.CopyTo(_record);
            second[..shared].CopyTo(_record.AsMemory(first.Length));
            (first, second) = (_record.AsMemory(0, first.Length + shared), second[shared..]);
        }

        await SendAsync(first).ConfigureAwait(false);
        if (second.Length > 0) await SendAsync(second).ConfigureAwait(false);
    }

    [AsyncMethodBuilder(typeof(PoolingAsyncValueTaskMethodBuilder<>))]
    public async ValueTask<int> ReceiveAsync(Memory<byte> into, CancellationToken cancel = default)
    {
        try
        {
            var read = await stream.ReadAsync(into, cancel).ConfigureAwait(false);
            if (_budget?.Take(read, _clock!.Now) is { Ticks: > 0 } wait)
                await Task.Delay(wait, _time, cancel).ConfigureAwait(false);
            return read;
        }
        catch (Exception e) when (!Expected(e))
        {
            throw Lost(e);
        }
    }

    /// <summary>From now on reads wait when the peer sends more than this; before the first read by a lane.</summary>
    public void LimitReads(long bytesPerSecond, long burstBytes, TimeProvider time)
    {
        (_time, _clock) = (time, new MonotonicClock(time));
        _budget = new ByteBudget(bytesPerSecond, burstBytes, _clock.Now);
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
