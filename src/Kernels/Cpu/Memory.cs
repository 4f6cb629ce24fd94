using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;
using Convoy.Kernels.Cpu.Numa;

namespace Convoy.Kernels.Cpu;

/// <summary>
/// Memory outside of the managed heap, and hints about it. Hints never change a result; where a processor or a system
/// has none they do nothing.
/// </summary>
internal static unsafe partial class Memory
{
    private const nuint LineBytes = SimdInfo.BufferAlignment;
    // Twice what a last-level cache gives one process at most, on the machines of today.
    private const long StreamFromBytes = 32 << 20;
    private const nuint HugePageBytes = 2 << 20;
    private const long HugeFrom = 128 << 10;
    // What is touched of one page too many is then little beside the rest.
    private const long HugeExactFrom = 8 << 20;
    private const int AdviseHugePage = 14;
    private const string HugePages = "/sys/kernel/mm/transparent_hugepage/enabled";

    private static readonly Lazy<bool> GrantsHugePages = new(() => OperatingSystem.IsLinux() && HasHugePages());

    /// <summary>
    /// Memory aligned to cache lines, and how many bytes of it there are. Larger pieces are whole huge pages where
    /// Linux grants them: packed operands then lie in one piece, and do not push each other out of the second-level
    /// cache because of the pages that chance gave them.
    /// </summary>
    public static (nint Address, long Bytes) Allocate(long bytes)
    {
        var (huge, unit) = UnitOf(bytes);
        var size = (nuint)SizeOf(Math.Max(bytes, 1));
        var address = NumaMemory.Own.Allocate(size, unit);
        if (huge && OperatingSystem.IsLinux()) _ = Advise((void*)address, size, AdviseHugePage);
        return (address, (long)size);
    }

    /// <summary>Bytes that a piece takes: whole lines or whole huge pages. Nothing: none.</summary>
    public static long SizeOf(long bytes)
    {
        var unit = (long)UnitOf(bytes).Unit;
        return (bytes + unit - 1) / unit * unit;
    }

    /// <summary>
    /// Memory for values of many kernels, not rounded up: what lies in whole huge pages may come as such, so that a
    /// kernel that walks down the rows of a matrix does not wait for the addresses of pages.
    /// </summary>
    public static nint AllocateExact(long bytes)
    {
        var huge = bytes >= HugeExactFrom;
        var address = NumaMemory.Own.Allocate((nuint)Math.Max(bytes, 1), huge ? HugePageBytes : LineBytes);
        if (huge && OperatingSystem.IsLinux())
            _ = Advise((void*)address, (nuint)bytes / HugePageBytes * HugePageBytes, AdviseHugePage);
        return address;
    }

    /// <summary>Page of what <see cref="AllocateExact"/> gives: a huge one where the system grants them.</summary>
    public static long PageOf(long bytes) =>
        bytes >= HugeExactFrom && GrantsHugePages.Value ? (long)HugePageBytes : Environment.SystemPageSize;

    // The choice that holds is in brackets: [always] madvise never.
    private static bool HasHugePages()
    {
        try
        {
            return !File.ReadAllText(HugePages).Contains("[never]", StringComparison.Ordinal);
        }
        catch (Exception absent) when (absent is IOException or UnauthorizedAccessException)
        {
            return false;
        }
    }

    private static (bool IsHuge, nuint Unit) UnitOf(long bytes) =>
        bytes >= HugeFrom ? (true, HugePageBytes) : (false, LineBytes);

    public static void Free(nint address) => NumaMemory.Own.Free(address);

    /// <summary>Calls the cache line of an address into the first-level cache. Any address is allowed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static void Fetch(float* address)
    {
        if (Sse.IsSupported) Sse.Prefetch0(address);
    }

    /// <summary>
    /// True: an output of so many floats would push everything out of the caches and be gone itself before it is read,
    /// and each of its lines would be called from memory only to be written over. A rule of the size alone.
    /// </summary>
    public static bool Streams(long floats) => floats * sizeof(float) >= StreamFromBytes;

    /// <summary>Elements before the next cache line begins.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int ToLine(float* address) =>
        (int)((LineBytes - ((nuint)address % LineBytes)) % LineBytes / sizeof(float));

    /// <summary>What was streamed before is seen by others before what is stored after.</summary>
    public static void Fence()
    {
        if (Sse.IsSupported) Sse.StoreFence();
        else Interlocked.MemoryBarrier();
    }

    [LibraryImport("libc", EntryPoint = "madvise")]
    private static partial int Advise(void* address, nuint length, int advice);
}
