namespace Convoy.Autodiff.Tensors;

/// <summary>Where a pool's buffers come from, and what becomes of them when their scope ends.</summary>
public enum BufferStrategy
{
    /// <summary>Kept by size, and lent again.</summary>
    Pooled,
    /// <summary>Memory outside of the collected heap, given back to the system at once.</summary>
    Direct,
    /// <summary>Small ones pooled, large ones direct.</summary>
    Hybrid,
    /// <summary>Pages of a file that is deleted with the buffer: the system may write them out.</summary>
    MemoryMapped,
    /// <summary>
    /// One block that scopes share like a stack: a buffer takes the next bytes, the end of a scope takes all of its
    /// bytes back at once. What does not fit is direct.
    /// </summary>
    Stack,
}

/// <summary>How a <see cref="BufferPool"/> works.</summary>
public sealed record BufferOptions
{
    /// <summary>Where buffers come from.</summary>
    public BufferStrategy Strategy { get; init; } = BufferStrategy.Pooled;

    /// <summary>Address of every buffer is a multiple of it: a power of two from 8 to 4096 (a page).</summary>
    public int AlignmentBytes { get; init; } = 8;

    /// <summary>Bytes that may wait in the pool; what comes back beyond is given up.</summary>
    public long HeldBytesMax { get; init; } = 1L << 30;

    /// <summary>Hybrid: buffers from so many bytes on are direct.</summary>
    public long DirectFromBytes { get; init; } = 1L << 20;

    /// <summary>Stack: size of the block.</summary>
    public long StackBytes { get; init; } = 64L << 20;

    /// <summary>Memory-mapped: folder of the files; null: memory of the system without a file of ours.</summary>
    public string? Folder { get; init; }

    internal void Check()
    {
        if (AlignmentBytes is < 8 or > 4096 || (AlignmentBytes & (AlignmentBytes - 1)) != 0)
            throw new ArgumentException($"an alignment of {AlignmentBytes} bytes: a power of two from 8 to 4096 is possible");
        ArgumentOutOfRangeException.ThrowIfNegative(HeldBytesMax);
        ArgumentOutOfRangeException.ThrowIfNegative(DirectFromBytes);
        ArgumentOutOfRangeException.ThrowIfLessThan(StackBytes, 1);
    }
}
