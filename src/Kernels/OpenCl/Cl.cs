using System.Reflection;
using System.Runtime.InteropServices;

namespace Convoy.Kernels.OpenCl;

/// <summary>
/// The functions of OpenCL 1.2 that are used, and the one place that knows where systems keep the library. Handles are
/// addresses; what is returned, or written to <c>error</c>, is a number of <see cref="ClCode"/>.
/// </summary>
internal static unsafe partial class Cl
{
    private const string Library = "OpenCL";

    static Cl() => NativeLibrary.SetDllImportResolver(typeof(Cl).Assembly, Resolve);

    /// <summary>Under which names the loaders of the systems find it.</summary>
    public static string[] Names { get; } =
        OperatingSystem.IsWindows() ? ["OpenCL.dll"]
        : OperatingSystem.IsMacOS() ? ["/System/Library/Frameworks/OpenCL.framework/OpenCL"]
        : ["libOpenCL.so.1", "libOpenCL.so"];

    /// <summary>The library was found.</summary>
    public static bool IsHere => Handle != 0;

    [LibraryImport(Library)]
    public static partial int clGetPlatformIDs(uint room, nint* platforms, uint* count);

    [LibraryImport(Library)]
    public static partial int clGetPlatformInfo(nint platform, uint what, nuint bytes, void* value, nuint* size);

    [LibraryImport(Library)]
    public static partial int clGetDeviceIDs(nint platform, ulong kinds, uint room, nint* devices, uint* count);

    [LibraryImport(Library)]
    public static partial int clGetDeviceInfo(nint device, uint what, nuint bytes, void* value, nuint* size);

    [LibraryImport(Library)]
    public static partial nint clCreateContext(
        nint* properties, uint count, nint* devices, void* notify, void* state, int* error);

    [LibraryImport(Library)]
    public static partial int clReleaseContext(nint context);

    [LibraryImport(Library)]
    public static partial nint clCreateCommandQueue(nint context, nint device, ulong properties, int* error);

    [LibraryImport(Library)]
    public static partial int clReleaseCommandQueue(nint queue);

    [LibraryImport(Library)]
    public static partial nint clCreateBuffer(nint context, ulong flags, nuint bytes, void* host, int* error);

    [LibraryImport(Library)]
    public static partial int clReleaseMemObject(nint buffer);

    [LibraryImport(Library)]
    public static partial nint clCreateProgramWithSource(
        nint context, uint count, byte** texts, nuint* lengths, int* error);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial int clBuildProgram(
        nint program, uint count, nint* devices, string options, void* notify, void* state);

    [LibraryImport(Library)]
    public static partial int clGetProgramBuildInfo(
        nint program, nint device, uint what, nuint bytes, void* value, nuint* size);

    [LibraryImport(Library)]
    public static partial int clReleaseProgram(nint program);

    [LibraryImport(Library, StringMarshalling = StringMarshalling.Utf8)]
    public static partial nint clCreateKernel(nint program, string name, int* error);

    [LibraryImport(Library)]
    public static partial int clReleaseKernel(nint kernel);

    [LibraryImport(Library)]
    public static partial int clSetKernelArg(nint kernel, uint index, nuint bytes, void* value);

    [LibraryImport(Library)]
    public static partial int clEnqueueNDRangeKernel(
        nint queue, nint kernel, uint dimensions, nuint* offset, nuint* global, nuint* local, uint waits, nint* events,
        nint* done);

    [LibraryImport(Library)]
    public static partial int clEnqueueWriteBuffer(
        nint queue, nint buffer, uint blocking, nuint offset, nuint bytes, void* from, uint waits, nint* events,
        nint* done);

    [LibraryImport(Library)]
    public static partial int clEnqueueReadBuffer(
        nint queue, nint buffer, uint blocking, nuint offset, nuint bytes, void* to, uint waits, nint* events,
        nint* done);

    [LibraryImport(Library)]
    public static partial int clEnqueueMarkerWithWaitList(nint queue, uint waits, nint* events, nint* done);

    [LibraryImport(Library)]
    public static partial int clSetEventCallback(
        nint done, int status, delegate* unmanaged<nint, int, void*, void> notify, void* state);

    [LibraryImport(Library)]
    public static partial int clReleaseEvent(nint done);

    [LibraryImport(Library)]
    public static partial int clFlush(nint queue);

    [LibraryImport(Library)]
    public static partial int clFinish(nint queue);

    private static nint Handle { get; } = Find();

    private static nint Find()
    {
        foreach (var name in Names)
            if (NativeLibrary.TryLoad(name, out var handle)) return handle;
        return 0;
    }

    // Other libraries of this assembly are the runtime's to find.
    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path) =>
        name == Library ? Handle : 0;
}
