using System.Collections.Concurrent;
using System.Runtime.InteropServices;

namespace Convoy.Kernels.Cpu.Numa;

// Windows gives memory a node when it is reserved, so such pieces have an allocator and a way back of their own.
internal sealed unsafe partial class WindowsNuma : INumaSystem
{
    private const uint ReserveAndCommit = 0x3000;
    private const uint Release = 0x8000;
    private const uint ReadWrite = 4;
    // Reservations begin at multiples of this.
    private const nuint Granularity = 64 << 10;

    // What a piece's address lies in: a larger alignment begins inside of its reservation.
    private readonly ConcurrentDictionary<nint, nint> _reservations = new();

    public NumaTopology Topology { get; } = Read();

    public int Processor()
    {
        Native.ProcessorOfThread(out var number);
        return Place(number.Group, number.Number);
    }

    public nint Allocate(nuint bytes, nuint alignment, int node)
    {
        var spare = alignment > Granularity ? alignment : 0;
        var reservation = Native.AllocateOn(
            Native.Process(), 0, bytes + spare, ReserveAndCommit, ReadWrite, (uint)node);
        if (reservation == 0) return 0;
        var address = spare == 0 ? reservation : (nint)(((nuint)reservation + alignment - 1) / alignment * alignment);
        _reservations[address] = reservation;
        return address;
    }

    public bool Free(nint address)
    {
        if (!_reservations.TryRemove(address, out var reservation)) return false;
        _ = Native.Free(reservation, 0, Release);
        return true;
    }

    private static NumaTopology Read()
    {
        if (!Native.HighestNode(out var highest) || highest == 0) return NumaTopology.Flat;
        var nodes = new List<(int, IReadOnlyList<int>)>();
        for (var node = 0u; node <= highest; node++)
        {
            if (!Native.MaskOf((ushort)node, out var affinity)) continue;
            var processors = Enumerable.Range(0, 64).Where(bit => ((ulong)affinity.Mask >> bit & 1) != 0)
                .Select(bit => Place(affinity.Group, (byte)bit)).ToList();
            if (processors.Count > 0) nodes.Add(((int)node, processors));
        }

        return new NumaTopology(nodes);
    }

    private static int Place(ushort group, byte number) => (group * 64) + number;

    [StructLayout(LayoutKind.Sequential)]
    private struct ProcessorNumber
    {
        public ushort Group;
        public byte Number;
        public byte Reserved;
    }

    [StructLayout(LayoutKind.Sequential)]
    private struct GroupAffinity
    {
        public nuint Mask;
        public ushort Group;
        public ushort Reserved1;
        public ushort Reserved2;
        public ushort Reserved3;
    }

    private static partial class Native
    {
        [LibraryImport("kernel32", EntryPoint = "GetCurrentProcessorNumberEx")]
        public static partial void ProcessorOfThread(out ProcessorNumber number);

        [LibraryImport("kernel32", EntryPoint = "GetNumaHighestNodeNumber")]
        [return: MarshalAs(UnmanagedType.Bool)]
        public static partial bool HighestNode(out uint number);

        [LibraryImport("kernel32", EntryPoint = "GetNumaNodeProcessorMaskEx")]
        [return: MarshalAs(UnmanagedType.Bool)]
        public static partial bool MaskOf(ushort node, out GroupAffinity affinity);

        [LibraryImport("kernel32", EntryPoint = "GetCurrentProcess")]
        public static partial nint Process();

        [LibraryImport("kernel32", EntryPoint = "VirtualAllocExNuma")]
        public static partial nint AllocateOn(
            nint process, nint address, nuint bytes, uint type, uint protection, uint node);

        [LibraryImport("kernel32", EntryPoint = "VirtualFree")]
        [return: MarshalAs(UnmanagedType.Bool)]
        public static partial bool Free(nint address, nuint bytes, uint type);
    }
}
