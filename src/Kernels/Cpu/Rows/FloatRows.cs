using System.Runtime.CompilerServices;
using Convoy.Kernels.Cpu.Lanes;
using Convoy.Kernels.Reference;

namespace Convoy.Kernels.Cpu.Rows;

/// <summary>Horizontal sums of rows, and sums over rows cut at slices.</summary>
internal static unsafe class FloatRows
{
    private const int ElementsPerPart = 65_536;

    public static void Sum(float* x, int rows, int n, float* y) => Run(x, null, rows, n, y);

    public static void Dot(float* a, float* b, int rows, int n, float* y) => Run(a, b, rows, n, y);

    private static void Run(float* a, float* b, int rows, int n, float* y)
    {
        var work = new Parts(a, b, rows, n, y);
        ThreadTeam.Run(ref work, ThreadTeam.ElementParts((long)rows * n, ElementsPerPart));
    }

    // Without b, sums.
    private readonly struct Parts(float* a, float* b, int rows, int n, float* y) : ITeamWork
    {
        public void Run(int part, int parts)
        {
            var (r, count) = ThreadTeam.Range(rows, part, parts);
            var (first, second) = ((nint)(a + ((nint)r * n)), (nint)(b is null ? null : b + ((nint)r * n)));
            if (SimdInfo.Lanes == 16) Run<Lane16>((float*)first, (float*)second, count, y + r);
            else if (SimdInfo.Lanes == 8) Run<Lane8>((float*)first, (float*)second, count, y + r);
            else if (SimdInfo.Lanes == 4) Run<Lane4>((float*)first, (float*)second, count, y + r);
            else Run<Lane1>((float*)first, (float*)second, count, y + r);
        }

        private void Run<V>(float* first, float* second, int count, float* to) where V : unmanaged, ILanes<V>
        {
            if (second is null) Sum<V>(first, count, n, to);
            else Dot<V>(first, second, count, n, to);
        }
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
        for (var r = 0; r < rows; r++, x += n) y[r] = LaneSums.Long<V, SumTerm>(new SumTerm(x), n);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    internal static void Dot<V>(float* a, float* b, int rows, int n, float* y) where V : unmanaged, ILanes<V>
    {
        for (var r = 0; r < rows; r++, a += n, b += n) y[r] = LaneSums.Long<V, DotTerm>(new DotTerm(a, b), n);
    }

    internal static void Segmented<V, TTerm>(TTerm term, int n, Span<float> c, int nodeStride, in Segments s)
        where V : unmanaged, ILanes<V> where TTerm : struct, IColumnTerm
    {
        var sums = new ColumnSums<V, TTerm>(term, n);
        SegmentedTree.Run(ref sums, n, c, nodeStride, s);
    }
}
