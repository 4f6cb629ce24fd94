using System.Runtime.InteropServices;

namespace Convoy.Cli.Bench;

/// <summary>OpenBLAS where the machine has it: a yardstick for the matrix product, never used to train.</summary>
internal sealed unsafe class OpenBlas
{
    private const int RowMajor = 101;
    private const int NoTrans = 111;
    private const int Trans = 112;

    private static readonly string[] Names =
        ["libopenblas.so.0", "libopenblas.so", "libopenblas.dylib", "libopenblas.dll", "openblas"];

    private readonly delegate* unmanaged<int, int, int, int, int, int, float, float*, int, float*,
        int, float, float*, int,
        void> _sgemm;

    private OpenBlas(nint sgemm) =>
        _sgemm = (delegate* unmanaged<int, int, int, int, int, int, float, float*, int, float*, int, float, float*, int,
            void>)sgemm;

    /// <summary>Null: not on this machine.</summary>
    public static OpenBlas? Find(int threads)
    {
        foreach (var name in Names)
        {
            if (!NativeLibrary.TryLoad(name, out var library)) continue;
            if (!NativeLibrary.TryGetExport(library, "cblas_sgemm", out var sgemm)) continue;
            if (NativeLibrary.TryGetExport(library, "openblas_set_num_threads", out var set))
                ((delegate* unmanaged<int, void>)set)(threads);
            return new OpenBlas(sgemm);
        }

        return null;
    }

    /// <summary>c[m, n] = op(a)·op(b), row-major, contiguous.</summary>
    public void Gemm(bool ta, bool tb, int m, int n, int k, float[] a, float[] b, float[] c)
    {
        fixed (float* pa = a, pb = b, pc = c)
            _sgemm(RowMajor, ta ? Trans : NoTrans, tb ? Trans : NoTrans, m, n, k, 1, pa, ta ? m : k, pb, tb
                ? k : n, 0, pc, n);
    }
}
