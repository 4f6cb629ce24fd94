// A connection through memory that two processes share. Bytes go into a ring and out of it; the socket on which both
// shook hands stays as the bell that wakes a sleeping peer, and it tells at once when the peer dies.
// SH-1  A reader says that it sleeps before it looks a last time; a writer publishes before it looks whether the reader
//       sleeps; both with a full fence between: one of the two sees the other. The same for room and waiting writers.
// SH-2  Only the reading thread listens to the bell; it wakes the writing thread of its own process.
// SH-3  Positions that the peer wrote are checked before they are used: a ring is never left by a byte.
// SH-4  The memory stays mapped until the last call has left, also when the connection is disposed of under way. A call
//       says that it is inside before it looks whether the connection is closed, with no fence between: who closes has
//       one put into all threads of the process, so either it sees the call, or the call sees that it is closed.
// SH-5  Positions are published piece by piece, not frame by frame, because a fence waits for every copied line; who
//       has nothing more to copy, or waits, publishes first.
using System.Buffers.Binary;
using System.Runtime.InteropServices;
using Convoy.Actors.Remoting.Connections;
using Convoy.Shared.Protocol;

namespace Convoy.Actors.Remoting.SharedMemory;

internal sealed class SharedConnection(SocketConnection bell, SharedRing ring, bool isOwner) : IConnection
{
    /// <summary>
    /// Copied and published at a time: the other end works on a piece while this one copies the next. Frames of 4 MB,
    /// processor time of a byte at both ends together (2026-11-21): checksum before the copy 0.24 ns, with it in pieces
    /// 0.21, in one pass 0.15 to 0.20; pieces of 64 or 128 KB and rings of 1 or 4 MB are alike.
    /// </summary>
    private const int PieceBytes = 64 << 10;
    /// <summary>Looks at the ring before sleep: a wake-up costs two system calls and a thread change.</summary>
    private const int SpinsMax = 10;
    private const int SpinPause = 20;
    private static readonly TimeSpan RoomWaitMax = TimeSpan.FromMilliseconds(100);

    private readonly byte[] _rung = new byte[64];
    private readonly byte[] _ring1 = [1];
    private readonly SemaphoreSlim _room = new(0);
    private readonly int _pieceBytes = Math.Min(PieceBytes, ring.Bytes / 4);
    private Position _written; // the writing thread's
    private Position _taken;   // the reading thread's
    private int _expected = 1;
    private volatile bool _closed;

    public string RemoteAddress => bell.RemoteAddress;

    public bool IsLoopback => true;

    public string Kind => "shared memory";

    public bool OnlyBlocks => true;

    public bool TryBlockCaller() => bell.TryBlockCaller();

    public void Expect(int bytes) => _expected = bytes;

    public bool SealsPayloads => true;

    public ValueTask SendAsync(ReadOnlyMemory<byte> bytes, CancellationToken cancel = default)
    {
        using var use = new Use(this, ref _written.IsInside);
        var unused = 0u;
        Write(bytes.Span, sealing: false, ref unused);
        Publish();
        return default;
    }

    public void SendSealed(ReadOnlyMemory<byte> head, ReadOnlyMemory<byte> payload)
    {
        using var use = new Use(this, ref _written.IsInside);
        var crc = ~0u;
        Write(head.Span, sealing: false, ref crc);
        Write(payload.Span, sealing: true, ref crc);
        Span<byte> seal = stackalloc byte[Lanes.BulkLane.SealBytes];
        BinaryPrimitives.WriteUInt32LittleEndian(seal, ~crc);
        Write(seal, sealing: false, ref crc);
    }

    public void Flush()
    {
        using var use = new Use(this, ref _written.IsInside);
        Publish();
    }

    private void Write(ReadOnlySpan<byte> left, bool sealing, ref uint crc)
    {
        var data = ring.Data(toOwner: !isOwner);
        while (left.Length > 0)
        {
            var room = ring.Bytes - Occupied(!isOwner, _written.At);
            if (room == 0)
            {
                Publish();
                WaitForRoom(_written.At);
                continue;
            }

            var offset = (int)(_written.At & (ring.Bytes - 1));
            var piece = Math.Min(Math.Min(left.Length, room), Math.Min(_pieceBytes, ring.Bytes - offset));
            if (sealing) crc = Crc32C.AppendCopying(crc, left[..piece], data[offset..]);
            else left[..piece].CopyTo(data[offset..]);
            left = left[piece..];
            _written.At += piece;
            if (_written.At - _written.Told >= _pieceBytes) Publish();
        }
    }

    private void Publish()
    {
        if (_written.At == _written.Told) return;
        _written.Told = _written.At;
        Volatile.Write(ref ring.Head(!isOwner), _written.At);
        Interlocked.MemoryBarrier(); // SH-1
        var wanted = Volatile.Read(ref ring.ReaderSleeps(!isOwner));
        if (wanted > 0 && _written.At - Volatile.Read(ref ring.Tail(!isOwner)) >= wanted) Ring();
    }

    public ValueTask<int> ReceiveAsync(Memory<byte> into, CancellationToken cancel = default)
    {
        using var use = new Use(this, ref _taken.IsInside);
        var unused = 0u;
        return new ValueTask<int>(Read(into.Span, sealing: false, ref unused));
    }

    public int ReceiveSealed(Span<byte> into, ref uint crc)
    {
        using var use = new Use(this, ref _taken.IsInside);
        return Read(into, sealing: true, ref crc);
    }

    private int Read(Span<byte> into, bool sealing, ref uint crc)
    {
        var isOver = false;
        while (true)
        {
            WakeWriterHere();
            var there = Occupied(isOwner, Volatile.Read(ref ring.Head(isOwner)), _taken.At);
            if (there == 0)
            {
                if (isOver) return 0;
                Free();
                isOver = !WaitForData(_taken.At);
                continue;
            }

            var offset = (int)(_taken.At & (ring.Bytes - 1));
            var piece = Math.Min(Math.Min(into.Length, there), Math.Min(_pieceBytes, ring.Bytes - offset));
            if (sealing) crc = Crc32C.AppendCopying(crc, ring.Data(isOwner).Slice(offset, piece), into);
            else ring.Data(isOwner).Slice(offset, piece).CopyTo(into);
            _taken.At += piece;
            if (_taken.At - _taken.Told >= _pieceBytes) Free();
            return piece;
        }
    }

    /// <summary>What was taken is room again for the peer.</summary>
    private void Free()
    {
        if (_taken.At == _taken.Told) return;
        _taken.Told = _taken.At;
        Volatile.Write(ref ring.Tail(isOwner), _taken.At);
        Interlocked.MemoryBarrier(); // SH-1
        // The peer's writer is woken by the peer's reader (SH-2).
        if (Volatile.Read(ref ring.WriterWaits(isOwner)) != 0
            && Volatile.Read(ref ring.Head(isOwner)) - _taken.At <= ring.Bytes / 2
            && Volatile.Read(ref ring.ReaderSleeps(!isOwner)) != 0) Ring();
    }

    public void Dispose()
    {
        _closed = true;
        bell.Dispose();
        _room.Release();
        Interlocked.MemoryBarrierProcessWide(); // SH-4
        UnmapUnlessInUse();
    }

    /// <summary>Of a closed connection; who leaves last finds nobody inside.</summary>
    private void UnmapUnlessInUse()
    {
        Interlocked.MemoryBarrier();
        if (!Volatile.Read(ref _written.IsInside) && !Volatile.Read(ref _taken.IsInside)) ring.Dispose();
    }

    /// <summary>Wakes the peer's reading thread, once for each sleep.</summary>
    private void Ring()
    {
        if (Interlocked.Exchange(ref ring.ReaderSleeps(!isOwner), 0) != 0) bell.SendNow(_ring1);
    }

    private bool HasRoomFor(long at) => Occupied(!isOwner, at) <= ring.Bytes / 2;

    private void WakeWriterHere()
    {
        if (Volatile.Read(ref ring.WriterWaits(!isOwner)) == 0 || !HasRoomFor(Volatile.Read(ref ring.Head(!isOwner))))
            return;
        if (Interlocked.Exchange(ref ring.WriterWaits(!isOwner), 0) != 0) _room.Release();
    }

    private void WaitForRoom(long at)
    {
        for (var i = 0; i < SpinsMax; i++)
        {
            if (HasRoomFor(at)) return;
            Thread.SpinWait(SpinPause);
        }

        ref var waits = ref ring.WriterWaits(!isOwner);
        Interlocked.Exchange(ref waits, 1); // SH-1
        if (!HasRoomFor(at)) _room.Wait(RoomWaitMax);
        Volatile.Write(ref waits, 0);
        ObjectDisposedException.ThrowIf(_closed, this);
    }

    /// <summary>False: the peer is gone and rings no more.</summary>
    private bool WaitForData(long at)
    {
        ref var head = ref ring.Head(isOwner);
        for (var i = 0; i < SpinsMax; i++)
        {
            if (Volatile.Read(ref head) != at) return true;
            Thread.SpinWait(SpinPause);
        }

        var wanted = Math.Clamp(_expected, 1, ring.Bytes / 4);
        Interlocked.Exchange(ref ring.ReaderSleeps(isOwner), wanted); // SH-1
        var writerMayGoOn = Volatile.Read(ref ring.WriterWaits(!isOwner)) != 0
            && HasRoomFor(Volatile.Read(ref ring.Head(!isOwner)));
        var goesOn = Volatile.Read(ref head) - at >= wanted || writerMayGoOn || bell.ReceiveNow(_rung) > 0;
        Volatile.Write(ref ring.ReaderSleeps(isOwner), 0);
        return goesOn;
    }

    private int Occupied(bool toOwner, long head) => Occupied(toOwner, head, Volatile.Read(ref ring.Tail(toOwner)));

    private int Occupied(bool toOwner, long head, long tail)
    {
        var bytes = head - tail;
        if (bytes < 0 || bytes > ring.Bytes)
            // SH-3
            throw new IOException(
                $"the shared ring {(toOwner ? "to" : "from")} its owner is damaged: {head} written, {tail} read");
        return (int)bytes;
    }

    /// <summary>
    /// Where a thread is, and where its peer believes it: on lines of its own, because the other thread writes too.
    /// </summary>
    [StructLayout(LayoutKind.Explicit, Size = 256)]
    private struct Position
    {
        [FieldOffset(128)]
        public long At;

        [FieldOffset(136)]
        public long Told;

        [FieldOffset(144)]
        public bool IsInside; // a call of that thread, SH-4
    }

    /// <summary>Holds the mapping while a call is under way (SH-4); throws after disposal.</summary>
    private readonly ref struct Use
    {
        private readonly SharedConnection _of;
        private readonly ref bool _isInside;

        public Use(SharedConnection of, ref bool isInside)
        {
            _of = of;
            _isInside = ref isInside;
            Volatile.Write(ref isInside, true);
            if (!of._closed) return;
            Dispose();
            throw new ObjectDisposedException(nameof(SharedConnection));
        }

        public void Dispose()
        {
            Volatile.Write(ref _isInside, false);
            if (_of._closed) _of.UnmapUnlessInUse();
        }
    }
}
