using Convoy.Kernels.Cpu;

namespace Convoy.Kernels;

/// <summary>Memory for operands of kernels, outside of the collected heap, aligned to cache lines.</summary>
public static class PageMemory
{
    /// <summary>
    /// So many bytes, not cleared. Of 8 MB and more, what fills huge pages (2 MB) lies in such where Linux grants them;
    /// no byte takes memory before its page is written.
    /// </summary>
    /// <exception cref="OutOfMemoryException">The system has no such piece.</exception>
    public static nint Allocate(long bytes) => Memory.AllocateExact(bytes);

    /// <summary>
    /// Bytes of the pages that a piece of so many lies in: who writes one byte of a page takes memory for all of it.
    /// </summary>
    public static long PageBytes(long bytes) => Memory.PageOf(bytes);

    /// <summary>Gives back what <see cref="Allocate"/> returned; 0 is nothing.</summary>
    public static void Free(nint address) => Memory.Free(address);
}
