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
    AttentionScores,
    AttentionGrads,
    AttentionRows,
    ReferenceTree,
    Count,
}

/// <summary>
/// Buffers of one thread that kernels use while they run. They grow to the largest size asked for and stay, so that
/// a training step allocates nothing after the first one. Contents are undefined at each rent.
/// </summary>
internal static class Scratch
{
    [ThreadStatic]
    private static byte[]?[]? _buffers;

    /// <summary>A pinned, 64-byte aligned buffer.</summary>
    public static unsafe Span<T> Rent<T>(ScratchSlot slot, int count) where T : unmanaged
    {
        var buffers = _buffers ??= new byte[]?[(int)ScratchSlot.Count];
        var bytes = checked(((long)count * sizeof(T)) + 64);
        var buffer = buffers[(int)slot];
        if (buffer is null || buffer.Length < bytes)
            buffers[(int)slot] = buffer = GC.AllocateUninitializedArray<byte>(checked((int)bytes), pinned: true);
        var address = (nuint)Marshal.UnsafeAddrOfPinnedArrayElement(buffer, 0);
        return new Span<T>((void*)((address + 63) & ~(nuint)63), count);
    }

    public static unsafe float* Floats(ScratchSlot slot, int count)
    {
        fixed (float* p = &MemoryMarshal.GetReference(Rent<float>(slot, Math.Max(count, 1)))) return p;
    }
}
