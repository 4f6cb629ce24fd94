using System.Runtime.InteropServices;

namespace Convoy.Kernels.Cpu.Numa;

/// <summary>
/// Memory near the thread that asks for it, on machines with several nodes. A thread's scratch is its own, and a
/// program's values are allocated by the thread that runs it; pages of large pieces would otherwise come from whichever
/// node their first writer is on, which for a piece that malloc gives a second time was somebody else's. Where there is
/// one node, or the system refuses, memory is plain: the first touch decides.
/// </summary>
internal sealed unsafe class NumaMemory(INumaSystem system)
{
    // Below this a piece shares its pages with others.
    public const long PlacedFrom = 2 << 20;

    public static readonly NumaMemory Own = new(
        OperatingSystem.IsLinux() ? new LinuxNuma()
        : OperatingSystem.IsWindows() ? new WindowsNuma() : new FlatSystem());

    /// <exception cref="OutOfMemoryException">The system has no such piece.</exception>
    public nint Allocate(nuint bytes, nuint alignment)
    {
        if (bytes >= PlacedFrom && system.Topology.Nodes > 1
            && system.Topology.NodeOf(system.Processor()) is { } node
            && system.Allocate(bytes, alignment, node) is not 0 and var placed)
            return placed;
        return (nint)NativeMemory.AlignedAlloc(bytes, alignment);
    }

    public void Free(nint address)
    {
        if (!system.Free(address)) NativeMemory.AlignedFree((void*)address);
    }
}
