using System.Runtime.InteropServices;

namespace Convoy.Kernels.Cpu;

/// <summary>Who owns which scratch buffer. A kernel that calls another one must not share a slot with it.</summary>
internal enum ScratchSlot
{
    PackedA,
    PackedB,
    TileStack,
    TreeCarry,
    ConvImage,
    ConvPanel,
    ConvWeights,
    ConvOffsets,
    ConvPhases,
    ConvPlanes,
    ReduceLanes,
    AttentionScores,
    AttentionGrads,
    AttentionRows,
    ReferenceTree,
    Count,
}

/// <summary>
/// Buffers of one thread that kernels use while they run. They grow to the largest size asked for and stay until the
/// thread ends, so that a training step allocates nothing after the first one. Contents are undefined at each rent.
/// </summary>
internal static unsafe class Scratch
{
    [ThreadStatic]
    private static Buffer?[]? _buffers;

    /// <summary>Bytes of the calling thread's buffers.</summary>
    public static long ThreadBytes => _buffers?.Sum(b => b?.Bytes ?? 0) ?? 0;

    /// <summary>A 64-byte aligned buffer that does not move.</summary>
    public static Span<T> Rent<T>(ScratchSlot slot, int count) where T : unmanaged
    {
        var buffers = _buffers ??= new Buffer?[(int)ScratchSlot.Count];
        var bytes = checked((long)count * sizeof(T));
        var buffer = buffers[(int)slot];
        if (buffer is null || buffer.Bytes < bytes)
        {
            buffers[(int)slot] = null;
            buffer?.Dispose();
            buffers[(int)slot] = buffer = new Buffer(bytes);
        }

        return new Span<T>((void*)buffer.Address, count);
    }

    public static float* Floats(ScratchSlot slot, int count)
    {
        fixed (float* p = &MemoryMarshal.GetReference(Rent<float>(slot, Math.Max(count, 1)))) return p;
    }

    // Belongs to the slot of one thread; what a thread leaves behind is freed when the handle is collected.
    private sealed class Buffer : SafeHandle
    {
        public Buffer(long bytes) : base(0, ownsHandle: true)
        {
            (handle, Bytes) = Memory.Allocate(bytes);
            Address = handle;
        }

        public override bool IsInvalid => handle == 0;
        public nint Address { get; }
        public long Bytes { get; }

        protected override bool ReleaseHandle()
        {
            Memory.Free(handle);
            return true;
        }
    }
}
