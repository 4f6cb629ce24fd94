using System.Runtime.InteropServices;
using Convoy.Shared.Jobs;

namespace Convoy.Kernels.Cpu.Native;

/// <summary>What libraries say of themselves, and how they are told of threads. Each export may be missing.</summary>
internal static unsafe class BlasSetup
{
    private const int MklReproducible = 2; // MKL_CBWR_AUTO: the same bits for any alignment, on one processor
    private const int MklTextBytes = 256;

    public static void SetThreads(nint library, int threads)
    {
        foreach (var setter in (string[])["openblas_set_num_threads", "MKL_Set_Num_Threads"])
        {
            if (NativeLibrary.TryGetExport(library, setter, out var set))
                ((delegate* unmanaged<int, void>)set)(threads);
        }

        if (NativeLibrary.TryGetExport(library, "MKL_CBWR_Set", out var reproducible))
            ((delegate* unmanaged<int, int>)reproducible)(MklReproducible);
    }

    /// <summary>Built for sizes of 64 bits, which this caller does not pass.</summary>
    public static bool TakesLongIntegers(nint library) =>
        TextOf(library, "openblas_get_config")?.Contains("USE64BITINT", StringComparison.Ordinal) == true;

    public static string VersionOf(BlasLibrary kind, nint library)
    {
        var text = kind switch
        {
            BlasLibrary.OpenBlas => $"{TextOf(library, "openblas_get_config")}",
            BlasLibrary.Mkl => MklVersion(library),
            _ => null,
        };
        // A library that says nothing is as old as its system.
        return string.IsNullOrWhiteSpace(text) ? $"of {RuntimeInformation.OSDescription}" : text.Trim();
    }

    private static string? TextOf(nint library, string export) =>
        NativeLibrary.TryGetExport(library, export, out var get)
            ? Marshal.PtrToStringUTF8(((delegate* unmanaged<nint>)get)()) : null;

    private static string? MklVersion(nint library)
    {
        if (!NativeLibrary.TryGetExport(library, "MKL_Get_Version_String", out var get)) return null;
        var text = stackalloc byte[MklTextBytes];
        ((delegate* unmanaged<byte*, int, void>)get)(text, MklTextBytes);
        text[MklTextBytes - 1] = 0;
        return Marshal.PtrToStringUTF8((nint)text);
    }
}
