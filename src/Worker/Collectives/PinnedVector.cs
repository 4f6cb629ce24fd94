using System.Buffers;
using System.Runtime.InteropServices;
using Convoy.Shared;

namespace Convoy.Worker.Collectives;

/// <summary>
/// A flat vector of float32 that never moves: kernels write it as floats, sockets read and fill it as bytes, without a
/// copy between the two.
/// </summary>
internal sealed class PinnedVector : MemoryManager<byte>
{
    private readonly float[] _floats;
    private readonly int _first;

    public PinnedVector(int length) : this(GC.AllocateArray<float>(length, pinned: true), 0, length)
    {
    }

    private PinnedVector(float[] floats, int first, int length) => (_floats, _first, Length) = (floats, first, length);

    public int Length { get; }

    public Memory<float> Floats => _floats.AsMemory(_first, Length);

    public Span<float> Span => _floats.AsSpan(_first, Length);

    /// <summary>Vectors that lie one behind the other: kernels write a gradient per node with one stride.</summary>
    public static PinnedVector[] Rows(int count, int length)
    {
        var floats = GC.AllocateArray<float>(checked(count * length), pinned: true);
        return [.. Enumerable.Range(0, count).Select(i => new PinnedVector(floats, i * length, length))];
    }

    public Memory<byte> Bytes(long offset, int length) =>
        CreateMemory(checked((int)(offset * sizeof(float))), checked(length * sizeof(float)));

    public override Span<byte> GetSpan() => MemoryMarshal.AsBytes(Span);

    public override unsafe MemoryHandle Pin(int elementIndex = 0)
    {
        Invariant.Check((uint)elementIndex <= (uint)(Length * sizeof(float)), "BUF-1 a pin lies inside its vector");
        return new MemoryHandle((byte*)Marshal.UnsafeAddrOfPinnedArrayElement(_floats, _first) + elementIndex);
    }

    public override void Unpin()
    {
        // The array is pinned for its whole life.
    }

    protected override void Dispose(bool disposing)
    {
        // Memory belongs to the garbage collector; a socket that still reads from it keeps it alive.
    }
}
