using System.Text;
using Convoy.Shared;

namespace Convoy.Kernels.OpenCl;

/// <summary>A device as the library knows it, and whether it can give the bits of the processor's kernels.</summary>
internal sealed unsafe class ClDevice
{
    /// <summary>
    /// More than any machine has: a driver that answers with more is answered with an error, not with memory.
    /// </summary>
    private const int CountMax = 64;

    private const uint PlatformName = 0x0902;
    private const ulong AllKinds = 0xFFFFFFFF;
    private const ulong Processor = 2, Gpu = 4, Custom = 16;

    // Bits of the properties CL_DEVICE_SINGLE_FP_CONFIG and CL_DEVICE_DOUBLE_FP_CONFIG.
    private const ulong Denormals = 1, Infinities = 2, RoundsToNearest = 4, FusedMultiplyAdd = 32;

    private ClDevice(nint handle, int index, string platform)
    {
        Handle = handle;
        PieceBytesMax = Number<ulong>(0x1010) is var most and <= long.MaxValue ? (long)most : long.MaxValue;
        var floats = Number<ulong>(0x101B);
        var kind = Number<ulong>(0x1000);
        Info = new AcceleratorDevice
        {
            Index = index,
            Kind = (kind & Gpu) != 0 ? "gpu" : (kind & Processor) != 0 ? "cpu" : "accelerator",
            Model = Text(0x102B),
            Vendor = Text(0x102C),
            Platform = platform,
            Driver = Text(0x102D),
            ComputeUnits = (int)Number<uint>(0x1002),
            MemoryBytes = (long)Math.Min(Number<ulong>(0x101F), long.MaxValue),
            HasFloat64 = Text(0x1030).Contains("cl_khr_fp64", StringComparison.Ordinal)
                && FaultOf(Number<ulong>(0x1032)) is null,
            HasFusedMultiplyAdd = (floats & FusedMultiplyAdd) != 0,
            HasDenormals = (floats & Denormals) != 0,
            Fault = (kind & Custom) != 0 ? "runs no programs" : FaultOf(floats) ?? OtherFault(),
        };
    }

    public nint Handle { get; }

    /// <summary>The largest single piece of memory.</summary>
    public long PieceBytesMax { get; }

    public AcceleratorDevice Info { get; }

    /// <summary>All devices of all platforms, in the order of the library.</summary>
    /// <param name="missing">What is not installed, and what to do about it; null: nothing.</param>
    public static ClDevice[] All(out string? missing)
    {
        missing = null;
        if (!Cl.IsHere)
        {
            missing = $"OpenCL is not on this machine (none of {string.Join(", ", Cl.Names)} can be loaded); install the "
                + "driver of the graphics card, or on Debian ocl-icd-libopencl1 with pocl-opencl-icd";
            return [];
        }

        var found = new List<ClDevice>();
        var platforms = stackalloc nint[CountMax];
        var devices = stackalloc nint[CountMax];
        foreach (var platform in Handles(platforms, Platforms(platforms)))
        {
            var name = PlatformText(platform);
            foreach (var device in Handles(devices, Devices(platform, devices)))
                found.Add(new ClDevice(device, found.Count, name));
        }

        if (found.Count == 0)
            missing = "OpenCL has no device here: the library is installed, a driver is not; install the driver of the "
                + "graphics card, or on Debian pocl-opencl-icd, which computes on the processor";
        return [.. found];
    }

    /// <summary>What of these properties keeps a device from giving the bits of the processor.</summary>
    internal static string? FaultOf(ulong floats)
    {
        if ((floats & FusedMultiplyAdd) == 0)
            return "has no fused multiply-add (CL_FP_FMA), which every sum is made of";
        if ((floats & Denormals) == 0) return "takes denormal numbers for zero (CL_FP_DENORM is missing)";
        if ((floats & Infinities) == 0) return "has no infinities and NaNs (CL_FP_INF_NAN is missing)";
        return (floats & RoundsToNearest) == 0 ? "does not round to nearest (CL_FP_ROUND_TO_NEAREST is missing)" : null;
    }

    private string? OtherFault()
    {
        if (Number<uint>(0x1027) == 0) return "is not available at the moment";
        if (Number<uint>(0x1028) == 0) return "has no compiler for programs";
        if (Number<uint>(0x1026) == 0) return "keeps numbers with the highest byte first";
        var items = Number<nuint>(0x1004);
        if (items < ConvTiles.Items)
            return $"takes groups of {items} work items at most, {ConvTiles.Items} are needed";
        var local = Number<ulong>(0x1023);
        return local < ConvTiles.LocalBytes ? $"has {local} bytes of local memory, {ConvTiles.LocalBytes} are needed" : null;
    }

    private static Span<nint> Handles(nint* place, uint count) => new(place, (int)Math.Min(count, CountMax));

    private static uint Platforms(nint* place)
    {
        uint count = 0;
        var code = Cl.clGetPlatformIDs(CountMax, place, &count);
        if (code == ClCode.PlatformNotFound) return 0;
        ClCode.Check(code, "clGetPlatformIDs", "opencl");
        return count;
    }

    private static uint Devices(nint platform, nint* place)
    {
        uint count = 0;
        var code = Cl.clGetDeviceIDs(platform, AllKinds, CountMax, place, &count);
        // A platform whose driver finds nothing to drive must not hide the others.
        return code == 0 ? count : 0;
    }

    private static string PlatformText(nint platform)
    {
        nuint size = 0;
        if (Cl.clGetPlatformInfo(platform, PlatformName, 0, null, &size) != 0 || size == 0) return "";
        var text = new byte[size];
        fixed (byte* to = text)
            return Cl.clGetPlatformInfo(platform, PlatformName, size, to, null) == 0 ? Words(text) : "";
    }

    private T Number<T>(uint what) where T : unmanaged
    {
        T value = default;
        return Cl.clGetDeviceInfo(Handle, what, (nuint)sizeof(T), &value, null) == 0 ? value : default;
    }

    private string Text(uint what)
    {
        nuint size = 0;
        if (Cl.clGetDeviceInfo(Handle, what, 0, null, &size) != 0 || size == 0) return "";
        var text = new byte[size];
        fixed (byte* to = text) return Cl.clGetDeviceInfo(Handle, what, size, to, null) == 0 ? Words(text) : "";
    }

    private static string Words(byte[] text) => Encoding.UTF8.GetString(text).TrimEnd('\0').Trim();
}
