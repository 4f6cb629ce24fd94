using System.Buffers;
using System.Runtime.InteropServices;
using Convoy.Shared;

namespace Convoy.Worker.Collectives;

/// <summary>
/// A flat vector of float32 that never moves: kernels write it as floats, sockets read and fill it as bytes, without a
/// copy between the two.
/// </summary>
internal sealed class PinnedVector(int length) : MemoryManager<byte>
{
    private readonly float[] _floats = GC.AllocateArray<float>(length, pinned: true);

    public int Length => _floats.Length;

    public Memory<float> Floats => _floats;

    public Span<float> Span => _floats;

    public Memory<byte> Bytes(long offset, int length) =>
        CreateMemory(checked((int)(offset * sizeof(float))), checked(length * sizeof(float)));

    public override Span<byte> GetSpan() => MemoryMarshal.AsBytes(_floats.AsSpan());

    public override unsafe MemoryHandle Pin(int elementIndex = 0)
    {
        Invariant.Check((uint)elementIndex <= (uint)(_floats.Length * sizeof(float)), "BUF-1 a pin lies inside its vector");
        return new MemoryHandle((byte*)Marshal.UnsafeAddrOfPinnedArrayElement(_floats, 0) + elementIndex);
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
