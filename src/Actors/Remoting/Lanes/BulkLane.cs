// One connection of a bulk lane. A large payload goes from its owner's memory to the socket, and from the socket into
// the receiver's memory, without a copy; small frames are gathered, because a system call costs more than their bytes.
// The checksum is taken over each piece as it arrives, while it is in the cache. No allocation per frame.
using Convoy.Actors.Remoting.Connections;
using Convoy.Shared.Protocol;

namespace Convoy.Actors.Remoting.Lanes;

internal readonly record struct BulkItem(BulkHeader Header, ReadOnlyMemory<byte> Payload, IBulkCompletion? Done);

internal sealed class BulkLane(Link link, IConnection connection) : IThreadPoolWorkItem
{
    private const int GatherBytes = 64 << 10;
    private const int GatherPayloadMax = 16 << 10;
    private const int ReadAheadBytes = 8 << 10;

    private readonly byte[] _out = new byte[GatherBytes];
    private readonly Queue<(BulkHeader Header, IBulkCompletion? Done)> _gathered = new();
    private int _pumping;
    private bool _started; // under the gate of the link

    public void Start()
    {
        if (_started) return;
        _started = true;
        _ = ReadAsync();
    }

    public void Kick()
    {
        if (Interlocked.Exchange(ref _pumping, 1) == 0) ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    public void Execute() => _ = PumpAsync();

    public void Close() => connection.Dispose();

    private async Task PumpAsync()
    {
        var current = default(BulkItem);
        try
        {
            while (true)
            {
                var gathered = 0;
                current = default;
                while (link.TakeBulk(this, GatherBytes - gathered - BulkHeader.Size, gathered > 0, out current))
                {
                    current = Sealed(current);
                    current.Header.Write(_out.AsSpan(gathered));
                    gathered += BulkHeader.Size;
                    if (current.Payload.Length > GatherPayloadMax) break;
                    current.Payload.Span.CopyTo(_out.AsSpan(gathered));
                    gathered += current.Payload.Length;
                    _gathered.Enqueue((current.Header, current.Done));
                    current = default;
                }

                if (gathered == 0)
                {
                    Interlocked.Exchange(ref _pumping, 0);
                    if (!link.HasBulk(this) || Interlocked.Exchange(ref _pumping, 1) != 0) return;
                    continue;
                }

                await connection.SendAsync(_out.AsMemory(0, gathered)).ConfigureAwait(false);
                CompleteGathered(sent: true);
                if (current.Payload.Length == 0) continue;
                await connection.SendAsync(current.Payload).ConfigureAwait(false);
                var done = current;
                current = default;
                done.Done?.Completed(done.Header, sent: true);
            }
        }
        catch (Exception lost) when (ConnectionLoss.Is(lost))
        {
            CompleteGathered(sent: false);
            current.Done?.Completed(current.Header, sent: false);
            link.OnLaneLost(this, lost.Message);
        }
    }

    private static BulkItem Sealed(BulkItem item) => item with
    {
        Header = item.Header with { PayloadBytes = item.Payload.Length, PayloadCrc = Crc32C.Of(item.Payload.Span) },
    };

    private void CompleteGathered(bool sent)
    {
        while (_gathered.TryDequeue(out var item)) item.Done?.Completed(item.Header, sent);
    }

    private async Task ReadAsync()
    {
        await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding); // not under the caller's lock
        var ahead = new byte[ReadAheadBytes];
        var (from, to) = (0, 0);
        try
        {
            while (true)
            {
                while (to - from < BulkHeader.Size)
                {
                    Buffer.BlockCopy(ahead, from, ahead, 0, to - from);
                    (from, to) = (0, to - from);
                    var read = await connection.ReceiveAsync(ahead.AsMemory(to)).ConfigureAwait(false);
                    if (read == 0)
                    {
                        link.OnLaneLost(this, "the connection was closed");
                        return;
                    }

                    to += read;
                }

                if (BulkHeader.TryRead(ahead.AsSpan(from, to - from), out var header) is { } damage)
                {
                    link.OnProtocolError(this, $"bulk lane: {damage}");
                    return;
                }

                from += BulkHeader.Size;
                var taken = Math.Min(header.PayloadBytes, to - from);
                if (!await ReadPayloadAsync(header, ahead.AsMemory(from, taken)).ConfigureAwait(false)) return;
                from += taken;
                link.NoteBulkReceived(this);
            }
        }
        catch (Exception lost) when (ConnectionLoss.Is(lost))
        {
            link.OnLaneLost(this, lost.Message);
        }
    }

    /// <summary>False: the connection ended inside the payload, which has been reported.</summary>
    private async ValueTask<bool> ReadPayloadAsync(BulkHeader header, ReadOnlyMemory<byte> first)
    {
        var receiver = link.Remoting.Bulk;
        var rented = header.PayloadBytes > 0 && receiver is not null ? receiver.Rent(link, header) : default;
        if (rented.Length < header.PayloadBytes)
        {
            if (rented.Length > 0) receiver!.Return(rented);
            return await DrainAsync(header.PayloadBytes - first.Length).ConfigureAwait(false);
        }

        var payload = rented[..header.PayloadBytes];
        first.CopyTo(payload);
        var crc = Crc32C.Append(~0u, first.Span);
        for (var filled = first.Length; filled < payload.Length;)
        {
            var read = await ReceiveOrZeroAsync(payload[filled..]).ConfigureAwait(false);
            if (read == 0)
            {
                receiver!.Return(rented);
                receiver.Damaged(link, header, "the connection ended inside the frame");
                link.OnLaneLost(this, "the connection ended inside a bulk frame");
                return false;
            }

            crc = Crc32C.Append(crc, payload.Span.Slice(filled, read));
            filled += read;
        }

        if (~crc == header.PayloadCrc)
        {
            receiver?.Received(link, header, payload);
            return true;
        }

        if (header.PayloadBytes > 0) receiver!.Return(rented);
        receiver?.Damaged(link, header, $"payload checksum {~crc:x8}, the header says {header.PayloadCrc:x8}");
        return true;
    }

    private async ValueTask<bool> DrainAsync(int bytes)
    {
        var scratch = new byte[Math.Min(Math.Max(bytes, 1), GatherBytes)];
        while (bytes > 0)
        {
            var read = await ReceiveOrZeroAsync(scratch.AsMemory(0, Math.Min(bytes, scratch.Length))).ConfigureAwait(false);
            if (read == 0)
            {
                link.OnLaneLost(this, "the connection ended inside a bulk frame");
                return false;
            }

            bytes -= read;
        }

        return true;
    }

    private async ValueTask<int> ReceiveOrZeroAsync(Memory<byte> into)
    {
        try
        {
            return await connection.ReceiveAsync(into).ConfigureAwait(false);
        }
        catch (Exception lost) when (ConnectionLoss.Is(lost))
        {
            return 0;
        }
    }
}
