using Convoy.Shared.Jobs;

namespace Convoy.Kernels.Cpu.Native;

/// <summary>Under which names the loaders of the systems find each library.</summary>
internal static class BlasNames
{
    public static string[] Of(BlasLibrary library) => library switch
    {
        BlasLibrary.OpenBlas =>
            ["libopenblas.so.0", "libopenblas.so", "libopenblas.dylib", "libopenblas.dll", "openblas"],
        BlasLibrary.Mkl =>
        [
            "libmkl_rt.so.2", "libmkl_rt.so.1", "libmkl_rt.so", "mkl_rt.2.dll", "mkl_rt.1.dll", "mkl_rt.dll",
            "libmkl_rt.2.dylib", "libmkl_rt.dylib",
        ],
        BlasLibrary.Accelerate => ["/System/Library/Frameworks/Accelerate.framework/Accelerate"],
        // The serial one: how many threads the other takes was fixed when it was built.
        BlasLibrary.Atlas => ["libsatlas.so.3", "libsatlas.so", "satlas"],
        _ => [],
    };
}
