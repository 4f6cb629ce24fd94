using System.Runtime.CompilerServices;
using Convoy.Kernels.Cpu.Lanes;
using Convoy.Kernels.Reference;

namespace Convoy.Kernels.Cpu.Rows;

/// <summary>One term of a sum over rows: adds the lanes of one row that start at a column.</summary>
internal interface IColumnTerm
{
    V Add<V>(V sum, nint row, nint column) where V : unmanaged, ILanes<V>;
}

// Sums over rows, in blocks of 256 rows (K-2), vectors along the columns. Four registers of columns at a time, so that
// the additions of neighbouring columns overlap.
internal readonly unsafe struct ColumnSums<V, TTerm>(TTerm term, int columns) : ISliceSum<float>
    where V : unmanaged, ILanes<V> where TTerm : struct, IColumnTerm
{
    public void Sum(int firstRow, int endRow, Span<float> destination)
    {
        fixed (float* c = destination)
        {
            for (var row = firstRow; row == firstRow || row < endRow; row += Order.Block)
                Block(row, Math.Min(row + Order.Block, endRow), c, row > firstRow);
        }
    }

    private void Block(int from, int end, float* c, bool add)
    {
        var j = 0;
        for (; j <= columns - (4 * V.Count); j += 4 * V.Count) Four(from, end, j, c + j, add);
        for (; j <= columns - V.Count; j += V.Count) One<V>(from, end, j, c + j, add);
        for (; j < columns; j++) One<Lane1>(from, end, j, c + j, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Four(int from, int end, int j, float* c, bool add)
    {
        V s0 = default, s1 = default, s2 = default, s3 = default;
        for (var row = from; row < end; row++)
        {
            s0 = term.Add(s0, row, j);
            s1 = term.Add(s1, row, j + V.Count);
            s2 = term.Add(s2, row, j + (2 * V.Count));
            s3 = term.Add(s3, row, j + (3 * V.Count));
        }

        Put(s0, c, add);
        Put(s1, c + V.Count, add);
        Put(s2, c + (2 * V.Count), add);
        Put(s3, c + (3 * V.Count), add);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void One<W>(int from, int end, int j, float* c, bool add) where W : unmanaged, ILanes<W>
    {
        W sum = default;
        for (var row = from; row < end; row++) sum = term.Add(sum, row, j);
        Put(sum, c, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Put<W>(W sum, float* c, bool add) where W : unmanaged, ILanes<W> =>
        W.Store(add ? W.Load(c) + sum : sum, c);
}

internal readonly unsafe struct RowTerm(float* x, int n) : IColumnTerm
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Add<V>(V sum, nint row, nint column) where V : unmanaged, ILanes<V> =>
        sum + V.Load(x + (row * n) + column);
}

/// <summary>Adds dy·(x - mean)·rstd: the gradient of the gain of a layer norm.</summary>
internal readonly unsafe struct GainTerm(float* dy, float* x, float* mean, float* rstd, int n) : IColumnTerm
{
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public V Add<V>(V sum, nint row, nint column) where V : unmanaged, ILanes<V>
    {
        var h = (V.Load(x + (row * n) + column) - V.Create(mean[row])) * V.Create(rstd[row]);
        return V.Fma(V.Load(dy + (row * n) + column), h, sum);
    }
}
