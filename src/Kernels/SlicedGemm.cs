using System.Numerics;
using Convoy.Kernels.Cpu;
using Convoy.Kernels.Cpu.Native;

namespace Convoy.Kernels;

/// <summary>Products of rows that belong to slices with one matrix: c[rows, n] = a[rows, k]·op(b).</summary>
public static unsafe class SlicedGemm
{
    /// <summary>
    /// As <see cref="Gemm.Run"/> with contiguous a and c. Inside of <see cref="BlasProvider.Enter"/> slices that are
    /// large enough are computed by the library, each by a call of its own.
    /// </summary>
    /// <param name="isLinear">A linear layer, rather than any other product: they have thresholds of their own.</param>
    /// <param name="transB">b is stored n x k.</param>
    /// <param name="rows">Rows of a.</param>
    /// <param name="n">Columns of c.</param>
    /// <param name="k">Terms.</param>
    /// <param name="a">rows x k.</param>
    /// <param name="b">k x n, or n x k.</param>
    /// <param name="ldb">Row stride of b.</param>
    /// <param name="c">rows x n.</param>
    /// <param name="starts">
    /// Prefix sums of samples per slice; every sample has the same number of rows. Empty: rows that are not of samples.
    /// </param>
    /// <param name="bias">n, or empty.</param>
    /// <param name="activation">Of the result.</param>
    public static void Run<T>(
        bool isLinear, bool transB, int rows, int n, int k, ReadOnlySpan<T> a, ReadOnlySpan<T> b, int ldb, Span<T> c,
        ReadOnlySpan<int> starts, ReadOnlySpan<T> bias = default, Activation activation = Activation.None)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        if (BlasProvider.Current is not { } blas || typeof(T) != typeof(float) || starts.Length < 2 || starts[^1] == 0)
        {
            Gemm.Run(false, transB, rows, n, k, a, k, b, ldb, c, n, bias, activation);
            return;
        }

        Sizes.AtLeast(a.Length, (long)rows * k);
        Sizes.AtLeast(b.Length, transB ? Sizes.Matrix(n, k, ldb) : Sizes.Matrix(k, n, ldb));
        Sizes.AtLeast(c.Length, (long)rows * n);
        if (!bias.IsEmpty) Sizes.AtLeast(bias.Length, n);
        Shared.Invariant.Check(rows % starts[^1] == 0, "K-3 every sample has the same number of rows");
        fixed (float* pa = a.AsFloat(), pb = b.AsFloat(), pc = c.AsFloat(), pbias = bias.AsFloat())
        {
            BlasProducts.Rows(blas, isLinear ? blas.Sizes.LinearFrom : blas.Sizes.MatMulFrom, transB, n, k, pa, pb,
                ldb, pc, pbias, activation, starts, rows / starts[^1]);
        }
    }
}
