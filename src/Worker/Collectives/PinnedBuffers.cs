using System.Buffers;
using System.Numerics;
using System.Runtime.InteropServices;
using Convoy.Shared.Threading;
using Convoy.Shared;

namespace Convoy.Worker.Collectives;

/// <summary>Receive memory that never moves, with its number in the pool.</summary>
internal sealed class PinnedBuffer : MemoryManager<byte>
{
    private readonly byte[] _bytes;

    public PinnedBuffer(int handle, int capacity)
    {
        Handle = handle;
        _bytes = GC.AllocateUninitializedArray<byte>(capacity, pinned: true);
    }

    public int Handle { get; }

    public int Capacity => _bytes.Length;

    /// <summary>Bytes of the payload that it holds now.</summary>
    public int Length { get; set; }

    public Span<float> Floats => MemoryMarshal.Cast<byte, float>(_bytes.AsSpan(0, Length));

    public Memory<byte> Bytes => CreateMemory(Length);

    public override Span<byte> GetSpan() => _bytes;

    public override unsafe MemoryHandle Pin(int elementIndex = 0) =>
        new((byte*)Marshal.UnsafeAddrOfPinnedArrayElement(_bytes, 0) + elementIndex);

    public override void Unpin()
    {
        // The array is pinned for its whole life.
    }

    protected override void Dispose(bool disposing)
    {
        // Memory belongs to the garbage collector.
    }
}

/// <summary>
/// The pool of receive buffers: sizes are powers of two, all rented bytes together have a bound. Every buffer has one
/// owner: who rents it gives it back, once. Thread-safe.
/// </summary>
internal sealed class PinnedBuffers(long rentedBytesMax)
{
    private const int CapacityMin = 4_096;
    private readonly OrderedLock _gate = new("pinned buffers", LockRank.Leaf);
    private readonly Stack<PinnedBuffer>?[] _free = new Stack<PinnedBuffer>?[32];
    private readonly List<PinnedBuffer> _all = [];
    private readonly List<bool> _rented = [];
    private long _rentedBytes;

    public long RentedBytes
    {
        get
        {
            using (_gate.Enter()) return _rentedBytes;
        }
    }

    /// <summary>Null when the bound is reached.</summary>
    public PinnedBuffer? TryRent(int bytes)
    {
        var capacity = (int)BitOperations.RoundUpToPowerOf2((uint)Math.Max(bytes, CapacityMin));
        using (_gate.Enter())
        {
            if (_rentedBytes + capacity > rentedBytesMax) return null;
            var free = _free[BitOperations.Log2((uint)capacity)] ??= new Stack<PinnedBuffer>();
            if (!free.TryPop(out var buffer))
            {
                buffer = new PinnedBuffer(_all.Count, capacity);
                _all.Add(buffer);
                _rented.Add(false);
            }

            _rented[buffer.Handle] = true;
            _rentedBytes += capacity;
            buffer.Length = bytes;
            return buffer;
        }
    }

    public PinnedBuffer this[int handle]
    {
        get
        {
            using (_gate.Enter())
            {
                Invariant.Check(_rented[handle], "BUF-2 only a rented buffer is looked at");
                return _all[handle];
            }
        }
    }

    public void Return(int handle)
    {
        using (_gate.Enter())
        {
            Invariant.Check(_rented[handle], "BUF-2 a buffer is given back once");
            _rented[handle] = false;
            var buffer = _all[handle];
            _rentedBytes -= buffer.Capacity;
            _free[BitOperations.Log2((uint)buffer.Capacity)]!.Push(buffer);
        }
    }
}
