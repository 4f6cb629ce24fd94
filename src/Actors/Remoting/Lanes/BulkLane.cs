// One connection of a bulk lane. A large payload goes from its owner's memory to the socket, and from the socket into
// the receiver's memory, without a copy; small frames are gathered, because a system call costs more than their bytes.
// The checksum is taken over each piece as it arrives, while it is in the cache. No allocation per frame.
// The loops are written once: on threads of their own every wait happens inside the call, on the pool it is awaited.
using System.Buffers.Binary;
using Convoy.Actors.Remoting.Connections;
using Convoy.Shared.Protocol;

namespace Convoy.Actors.Remoting.Lanes;

internal readonly record struct BulkItem(BulkHeader Header, ReadOnlyMemory<byte> Payload, IBulkCompletion? Done);

internal sealed class BulkLane(Link link, IConnection connection) : IThreadPoolWorkItem
{
    private const int GatherBytes = 64 << 10;
    private const int ReadAheadBytes = 16 << 10;
    /// <summary>
    /// Bytes that a receive may wait for while so many are still to come. For 4 MB that makes the wake-ups fewer; at
    /// 256 KB, where the mark would change several times in a frame, it doubled the processor time (2026-11-21).
    /// </summary>
    private const int WaitBytes = 1 << 20;

    /// <summary>A checksum that follows its payload.</summary>
    public const int SealBytes = sizeof(uint);

    /// <summary>
    /// Payloads up to here are gathered. Where a send is no system call, that pays for the smallest only, and nothing
    /// is read ahead: payload and checksum go in one pass from owner to owner.
    /// </summary>
    private readonly int _gatherPayloadMax = connection.SealsPayloads ? 512 : 16 << 10;

    private readonly byte[] _out = new byte[GatherBytes];
    private readonly Queue<(BulkHeader Header, IBulkCompletion? Done)> _gathered = new();
    // Bytes from _from to _to were read ahead. Where nothing else is, the next header comes with the seal of a payload.
    private readonly byte[] _ahead = new byte[connection.SealsPayloads ? SealBytes + BulkHeader.Size : ReadAheadBytes];
    private readonly SemaphoreSlim _wakeSender = new(0);
    private int _from;
    private int _to;
    private long _received;
    private int _pumping;
    private int _threads;
    private volatile bool _started; // set under the gate of the link
    private volatile bool _closed;

    public string Kind => connection.Kind;

    /// <summary>Frames read whole.</summary>
    public long Received => Volatile.Read(ref _received);

    public void Start()
    {
        if (_started) return;
        if (link.Remoting.BulkThreads.TryTakePair(always: connection.OnlyBlocks))
        {
            if (connection.TryBlockCaller()) _threads = 2;
            else link.Remoting.BulkThreads.ReturnPair();
        }

        _started = true;
        if (_threads == 0)
        {
            _ = ReadAsync(yieldFirst: true); // not under the caller's lock
            return;
        }

        BulkThreads.Run($"bulk from {link.Address}", ReceiveLoop);
        BulkThreads.Run($"bulk to {link.Address}", SendLoop);
    }

    /// <summary>There may be something to write. Before the start that is the starter's concern.</summary>
    public void Kick()
    {
        if (!_started || Interlocked.Exchange(ref _pumping, 1) != 0) return;
        if (_threads > 0) _wakeSender.Release();
        else ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    public void Execute() => _ = PumpAsync();

    public void Close()
    {
        _closed = true;
        connection.Dispose();
        _wakeSender.Release();
    }

    private void ReceiveLoop()
    {
        ReadAsync(yieldFirst: false).GetAwaiter().GetResult();
        LeaveThread();
    }

    private void SendLoop()
    {
        while (true)
        {
            _wakeSender.Wait();
            if (_closed) break;
            PumpAsync().GetAwaiter().GetResult();
        }

        LeaveThread();
    }

    private void LeaveThread()
    {
        if (Interlocked.Decrement(ref _threads) == 0) link.Remoting.BulkThreads.ReturnPair();
    }

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
                    var sealsItself = connection.SealsPayloads && current.Payload.Length > _gatherPayloadMax;
                    current = sealsItself ? WithLength(current) : Sealed(current);
                    current.Header.Write(_out.AsSpan(gathered));
                    gathered += BulkHeader.Size;
                    if (current.Payload.Length > _gatherPayloadMax) break;
                    current.Payload.Span.CopyTo(_out.AsSpan(gathered));
                    gathered += current.Payload.Length;
                    _gathered.Enqueue((current.Header, current.Done));
                    current = default;
                }

                if (gathered == 0)
                {
                    connection.Flush();
                    Interlocked.Exchange(ref _pumping, 0);
                    if (!link.HasBulk(this) || Interlocked.Exchange(ref _pumping, 1) != 0) return;
                    continue;
                }

                var head = _out.AsMemory(0, gathered);
                if (connection.SealsPayloads && current.Payload.Length > 0)
                    connection.SendSealed(head, current.Payload);
                else await connection.SendAsync(head, current.Payload).ConfigureAwait(false);
                CompleteGathered(sent: true);
                if (current.Payload.Length == 0) continue;
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

    private static BulkItem WithLength(BulkItem item) =>
        item with { Header = item.Header with { PayloadBytes = item.Payload.Length, PayloadCrc = 0 } };

    private static BulkItem Sealed(BulkItem item) => item with
    {
        Header = item.Header with { PayloadBytes = item.Payload.Length, PayloadCrc = Crc32C.Of(item.Payload.Span) },
    };

    private void CompleteGathered(bool sent)
    {
        while (_gathered.TryDequeue(out var item)) item.Done?.Completed(item.Header, sent);
    }

    private async Task ReadAsync(bool yieldFirst)
    {
        if (yieldFirst) await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
        try
        {
            while (true)
            {
                if (!await FillAheadAsync(BulkHeader.Size).ConfigureAwait(false))
                {
                    link.OnLaneLost(this, "the connection was closed");
                    return;
                }

                if (BulkHeader.TryRead(_ahead.AsSpan(_from, _to - _from), out var header) is { } damage)
                {
                    link.OnProtocolError(this, $"bulk lane: {damage}");
                    return;
                }

                _from += BulkHeader.Size;
                await ReadPayloadAsync(header).ConfigureAwait(false);
                Volatile.Write(ref _received, _received + 1);
            }
        }
        catch (Exception lost) when (ConnectionLoss.Is(lost))
        {
            link.OnLaneLost(this, lost.Message);
        }
    }

    /// <summary>False: the connection ended before so many bytes were read ahead.</summary>
    private ValueTask<bool> FillAheadAsync(int bytes)
    {
        while (_to - _from < bytes)
        {
            Buffer.BlockCopy(_ahead, _from, _ahead, 0, _to - _from);
            (_from, _to) = (0, _to - _from);
            var receiving = connection.ReceiveAsync(_ahead.AsMemory(_to));
            if (!receiving.IsCompletedSuccessfully) return FillAheadAsync(receiving, bytes);
            if (!TookAhead(receiving.Result)) return new ValueTask<bool>(false);
        }

        return new ValueTask<bool>(true); // often there is nothing to await: no state machine for a header
    }

    private async ValueTask<bool> FillAheadAsync(ValueTask<int> receiving, int bytes) =>
        TookAhead(await receiving.ConfigureAwait(false)) && await FillAheadAsync(bytes).ConfigureAwait(false);

    private bool TookAhead(int bytes)
    {
        _to += bytes;
        return bytes > 0;
    }

    /// <summary>Takes what was read ahead of this payload.</summary>
    private int TakeAhead(Memory<byte> into)
    {
        var taken = Math.Min(into.Length, _to - _from);
        _ahead.AsMemory(_from, taken).CopyTo(into);
        _from += taken;
        return taken;
    }

    private async ValueTask ReadPayloadAsync(BulkHeader header)
    {
        var receiver = link.Remoting.Bulk;
        var rented = header.PayloadBytes > 0 && receiver is not null ? receiver.Rent(link, header) : default;
        var isSealedBehind = connection.SealsPayloads && header.PayloadBytes > _gatherPayloadMax;
        if (rented.Length < header.PayloadBytes)
        {
            if (rented.Length > 0) receiver!.Return(rented);
            await DrainAsync(header.PayloadBytes + (isSealedBehind ? SealBytes : 0)).ConfigureAwait(false);
            return;
        }

        var payload = rented[..header.PayloadBytes];
        uint crc;
        try
        {
            crc = await FillPayloadAsync(payload, isSealedBehind).ConfigureAwait(false);
            connection.Expect(1);
            if (isSealedBehind)
            {
                if (!await FillAheadAsync(SealBytes).ConfigureAwait(false)) throw EndedInside();
                header = header with { PayloadCrc = BinaryPrimitives.ReadUInt32LittleEndian(_ahead.AsSpan(_from)) };
                _from += SealBytes;
            }
        }
        catch (Exception lost) when (ConnectionLoss.Is(lost))
        {
            // Whatever ends the connection here, what was lent goes back.
            if (rented.Length > 0) receiver!.Return(rented);
            receiver?.Damaged(link, header, EndedInside().Message);
            throw;
        }

        if (crc == header.PayloadCrc)
        {
            receiver?.Received(link, header, payload);
            return;
        }

        if (header.PayloadBytes > 0) receiver!.Return(rented);
        receiver?.Damaged(link, header, $"payload checksum {crc:x8}, the header says {header.PayloadCrc:x8}");
    }

    /// <summary>The checksum of what came.</summary>
    private async ValueTask<uint> FillPayloadAsync(Memory<byte> payload, bool isSealedBehind)
    {
        var filled = TakeAhead(payload);
        var crc = Crc32C.Append(~0u, payload.Span[..filled]);
        while (filled < payload.Length)
        {
            // What was read ahead is used up, so its buffer may take the beginning of the next frame.
            connection.Expect(payload.Length - filled >= WaitBytes ? WaitBytes : 1);
            int ofPayload;
            if (isSealedBehind)
            {
                ofPayload = connection.ReceiveSealed(payload.Span[filled..], ref crc);
                if (ofPayload == 0) throw EndedInside();
            }
            else
            {
                var read = await connection.ReceiveAsync(payload[filled..], _ahead).ConfigureAwait(false);
                if (read == 0) throw EndedInside();
                ofPayload = Math.Min(read, payload.Length - filled);
                (_from, _to) = (0, read - ofPayload);
                crc = Crc32C.Append(crc, payload.Span.Slice(filled, ofPayload));
            }

            filled += ofPayload;
        }

        return ~crc;
    }

    private static IOException EndedInside() => new("the connection ended inside a bulk frame");

    private async Task DrainAsync(int bytes)
    {
        var scratch = new byte[Math.Min(Math.Max(bytes, 1), GatherBytes)];
        while (bytes > 0)
        {
            var part = scratch.AsMemory(0, Math.Min(bytes, scratch.Length));
            var read = TakeAhead(part);
            if (read == 0) read = await connection.ReceiveAsync(part).ConfigureAwait(false);
            if (read == 0) throw EndedInside();
            bytes -= read;
        }
    }
}
