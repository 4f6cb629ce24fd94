using System.Numerics;
using Convoy.Kernels.Cpu;
using Convoy.Kernels.Cpu.Native;
using Convoy.Kernels.Cpu.Products;
using Convoy.Kernels.Reference;

namespace Convoy.Kernels;

/// <summary>Weight gradients: per node of the slice tree, the sum over its rows of aᵀ b.</summary>
public static class SegmentedGemm
{
    /// <summary>
    /// Node i: c[i·nodeStride ..] (m x n, contiguous) = Σ over rows r of the node of a[r, :]ᵀ b[r, :], in the order
    /// that
    /// <see cref="Segments"/> states. a is rows x m, b is rows x n, both contiguous.
    /// </summary>
    public static void Run<T>(
        int m, int n, ReadOnlySpan<T> a, ReadOnlySpan<T> b, Span<T> c, int nodeStride, in Segments s)
        where T : unmanaged, IFloatingPointIeee754<T> => Run(m, n, a, m, b, n, c, nodeStride, s);

    /// <summary>The same with row strides: a column range of a wider matrix can be an operand.</summary>
    public static void Run<T>(
        int m, int n, ReadOnlySpan<T> a, int lda, ReadOnlySpan<T> b, int ldb, Span<T> c, int nodeStride,
        in Segments s) where T : unmanaged, IFloatingPointIeee754<T>
    {
        s.Check(s.Rows);
        Sizes.AtLeast(a.Length, Sizes.Matrix(s.Rows, m, lda));
        Sizes.AtLeast(b.Length, Sizes.Matrix(s.Rows, n, ldb));
        if (s.Nodes.Length > 0) Sizes.AtLeast(c.Length, ((long)(s.Nodes.Length - 1) * nodeStride) + ((long)m * n));
        if (typeof(T) == typeof(float)) Float(m, n, a.AsFloat(), lda, b.AsFloat(), ldb, c.AsFloat(), nodeStride, s);
        else SegmentedReference.Gemm(m, n, a, lda, b, ldb, c, nodeStride, s);
    }

    private static unsafe void Float(
        int m, int n, ReadOnlySpan<float> a, int lda, ReadOnlySpan<float> b, int ldb, Span<float> c, int nodeStride,
        in Segments s)
    {
        fixed (float* pa = a, pb = b, pc = c)
        {
            if (BlasProvider.Current is { } blas && m > 0)
                BlasProducts.Weights(blas, blas.Sizes.WeightsFrom, m, n, pa, lda, pb, ldb, c, nodeStride, s);
            else FloatSegmentedGemm.Run(m, n, pa, lda, pb, ldb, pc, nodeStride, s);
        }
    }
}
