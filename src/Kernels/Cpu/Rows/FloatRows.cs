using System.Runtime.CompilerServices;
using Convoy.Kernels.Cpu.Lanes;
using Convoy.Kernels.Reference;

namespace Convoy.Kernels.Cpu.Rows;

/// <summary>Horizontal sums of rows, and sums over rows cut at slices.</summary>
internal static unsafe class FloatRows
{
    public static void Sum(float* x, int rows, int n, float* y)
    {
        if (SimdInfo.Lanes == 16) Sum<Lane16>(x, rows, n, y);
        else if (SimdInfo.Lanes == 8) Sum<Lane8>(x, rows, n, y);
        else if (SimdInfo.Lanes == 4) Sum<Lane4>(x, rows, n, y);
        else Sum<Lane1>(x, rows, n, y);
    }

    public static void Dot(float* a, float* b, int rows, int n, float* y)
    {
        if (SimdInfo.Lanes == 16) Dot<Lane16>(a, b, rows, n, y);
        else if (SimdInfo.Lanes == 8) Dot<Lane8>(a, b, rows, n, y);
        else if (SimdInfo.Lanes == 4) Dot<Lane4>(a, b, rows, n, y);
        else Dot<Lane1>(a, b, rows, n, y);
    }

    public static void Segmented<TTerm>(TTerm term, int n, Span<float> c, int nodeStride, in Segments s)
        where TTerm : struct, IColumnTerm
    {
        if (SimdInfo.Lanes == 16) Segmented<Lane16, TTerm>(term, n, c, nodeStride, s);
        else if (SimdInfo.Lanes == 8) Segmented<Lane8, TTerm>(term, n, c, nodeStride, s);
        else if (SimdInfo.Lanes == 4) Segmented<Lane4, TTerm>(term, n, c, nodeStride, s);
        else Segmented<Lane1, TTerm>(term, n, c, nodeStride, s);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Sum<V>(float* x, int rows, int n, float* y) where V : unmanaged, ILanes<V>
    {
        for (var r = 0; r < rows; r++, x += n) y[r] = LaneSums.Run<V, SumTerm>(new SumTerm(x), n);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Dot<V>(float* a, float* b, int rows, int n, float* y) where V : unmanaged, ILanes<V>
    {
        for (var r = 0; r < rows; r++, a += n, b += n) y[r] = LaneSums.Run<V, DotTerm>(new DotTerm(a, b), n);
    }

    internal static void Segmented<V, TTerm>(TTerm term, int n, Span<float> c, int nodeStride, in Segments s)
        where V : unmanaged, ILanes<V> where TTerm : struct, IColumnTerm
    {
        var sums = new ColumnSums<V, TTerm>(term, n);
        SegmentedTree.Run(ref sums, n, c, nodeStride, s);
    }
}
