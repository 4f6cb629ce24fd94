using System.Numerics;
using System.Runtime.InteropServices;
using Convoy.Kernels.Cpu;
using Convoy.Kernels.Cpu.Products;
using Convoy.Kernels.Reference;

namespace Convoy.Kernels;

/// <summary>
/// Matrix product c[m, n] = op(a)[m, k] · op(b)[k, n], row-major. <c>a</c> is stored m x k (row stride lda), or k x
/// m when transA; <c>b</c> is stored k x n, or n x k when transB. Each element is a sum over k in blocks of 256
/// terms, each block one chain of fused multiply-adds from zero, blocks added left to right (K-2), so it depends on
/// its own row and column only (K-1). When accumulating, the blocks are added to c, left to right. Then plus
/// bias[column], then the activation. Buffers do not overlap.
/// </summary>
public static class Gemm
{
    /// <summary>Rows and columns of c that are summed in registers at a time on this machine, of float32.</summary>
    public static (int Rows, int Columns) RegisterTile => (Tile.Rows, 2 * SimdInfo.Lanes);

    public static void Run<T>(
        bool transA, bool transB, int m, int n, int k, ReadOnlySpan<T> a, int lda, ReadOnlySpan<T> b, int ldb,
        Span<T> c, int ldc, ReadOnlySpan<T> bias = default, Activation activation = Activation.None,
        bool accumulate = false) where T : unmanaged, IFloatingPointIeee754<T>
    {
        Sizes.AtLeast(a.Length, transA ? Sizes.Matrix(k, m, lda) : Sizes.Matrix(m, k, lda));
        Sizes.AtLeast(b.Length, transB ? Sizes.Matrix(n, k, ldb) : Sizes.Matrix(k, n, ldb));
        Sizes.AtLeast(c.Length, Sizes.Matrix(m, n, ldc));
        if (!bias.IsEmpty) Sizes.AtLeast(bias.Length, n);
        if (typeof(T) == typeof(float))
        {
            Float(transA, transB, m, n, k, a.AsFloat(), lda, b.AsFloat(), ldb, c.AsFloat(), ldc, bias.AsFloat(),
                activation, accumulate);
            return;
        }

        if (typeof(T) == typeof(double) && k > 0 && bias.IsEmpty && activation == Activation.None)
        {
            Double(transA, transB, m, n, k, MemoryMarshal.Cast<T, double>(a), lda, MemoryMarshal.Cast<T, double>(b),
                ldb, MemoryMarshal.Cast<T, double>(c), ldc, accumulate);
            return;
        }

        GemmReference.Run(transA, transB, m, n, k, a, lda, b, ldb, c, ldc, bias, activation, accumulate);
    }

    /// <summary><paramref name="batch"/> products; product i starts at i·stride of each operand.</summary>
    public static void Batched<T>(
        bool transA, bool transB, int batch, int m, int n, int k, ReadOnlySpan<T> a, int lda, int strideA,
        ReadOnlySpan<T> b, int ldb, int strideB, Span<T> c, int ldc, int strideC, bool accumulate = false)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        for (var i = 0; i < batch; i++)
        {
            Run(transA, transB, m, n, k, a[(i * strideA)..], lda, b[(i * strideB)..], ldb, c[(i * strideC)..], ldc,
                accumulate: accumulate);
        }
    }

    private static unsafe void Float(
        bool transA, bool transB, int m, int n, int k, ReadOnlySpan<float> a, int lda, ReadOnlySpan<float> b, int ldb,
        Span<float> c, int ldc, ReadOnlySpan<float> bias, Activation activation, bool accumulate)
    {
        fixed (float* pa = a, pb = b, pc = c, pbias = bias)
        {
            FloatGemm.Run(new GemmCall
            {
                TransA = transA, TransB = transB, M = m, N = n, K = k, A = pa, Lda = lda, B = pb, Ldb = ldb, C = pc,
                Ldc = ldc, Bias = pbias, Activation = activation, Accumulate = accumulate,
            });
        }
    }

    private static unsafe void Double(
        bool transA, bool transB, int m, int n, int k, ReadOnlySpan<double> a, int lda, ReadOnlySpan<double> b, int ldb,
        Span<double> c, int ldc, bool accumulate)
    {
        fixed (double* pa = a, pb = b, pc = c)
            DoubleGemm.Run(transA, transB, m, n, k, pa, lda, pb, ldb, pc, ldc, accumulate);
    }
}
