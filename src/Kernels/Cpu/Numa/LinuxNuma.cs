using System.Runtime.InteropServices;

namespace Convoy.Kernels.Cpu.Numa;

// mbind(2) by its number: glibc has no function of that name, and libnuma is not on every machine.
internal sealed unsafe partial class LinuxNuma : INumaSystem
{
    private const string Folder = "/sys/devices/system/node";
    private const int Preferred = 1;
    private const int MaskWords = 16;
    private static readonly nuint Page = (nuint)Environment.SystemPageSize;

    public NumaTopology Topology { get; } = NumaTopology.OfFiles(Read);

    public int Processor() => Native.ProcessorOfThread();

    public nint Allocate(nuint bytes, nuint alignment, int node)
    {
        var address = (nuint)NativeMemory.AlignedAlloc(bytes, alignment);
        if (Number is { } call && node < MaskWords * 64)
        {
            var mask = stackalloc ulong[MaskWords];
            new Span<ulong>(mask, MaskWords).Clear();
            mask[node / 64] = 1UL << (node % 64);
            // Whole pages only: the first and the last may hold what others own. A refusal leaves the first touch.
            var from = (address + Page - 1) / Page * Page;
            var end = (address + bytes) / Page * Page;
            if (end > from) _ = Native.Call(call, (nint)from, (nint)(end - from), Preferred, mask, MaskWords * 64, 0);
        }

        return (nint)address;
    }

    // As other memory: by the allocator that gave it.
    public bool Free(nint address) => false;

    private static nint? Number => RuntimeInformation.ProcessArchitecture switch
    {
        Architecture.X64 => 237,
        Architecture.Arm64 or Architecture.RiscV64 or Architecture.LoongArch64 => 235,
        _ => null,
    };

    private static string? Read(string file)
    {
        try
        {
            return File.ReadAllText(Path.Combine(Folder, file));
        }
        catch (Exception missing) when (missing is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static partial class Native
    {
        [LibraryImport("libc", EntryPoint = "sched_getcpu")]
        public static partial int ProcessorOfThread();

        [LibraryImport("libc", EntryPoint = "syscall")]
        public static partial nint Call(
            nint number, nint address, nint length, nint mode, ulong* mask, nint maskBits, nint flags);
    }
}
