using System.Numerics;
using Convoy.Kernels.Reference;

namespace Convoy.Kernels;

/// <summary>Rows of a table by number. The table is [rows of the vocabulary, width], contiguous.</summary>
public static class Embedding
{
    /// <summary>y[r, :] = table[ids[r], :]. An id outside of the table is refused.</summary>
    public static void Gather<T>(ReadOnlySpan<T> table, int width, ReadOnlySpan<int> ids, Span<T> y)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        var vocabulary = Sizes.Rows(table.Length, width);
        Sizes.AtLeast(y.Length, (long)ids.Length * width);
        for (var r = 0; r < ids.Length; r++)
        {
            if ((uint)ids[r] >= (uint)vocabulary) throw Outside(ids[r], vocabulary);
            table.Slice(ids[r] * width, width).CopyTo(y[(r * width)..]);
        }
    }

    /// <summary>
    /// Node i: c[i·nodeStride ..] (vocabulary x width) = Σ over its rows r of dy[r, :] added to row ids[r]. Inside a
    /// slice a table row takes its terms in ascending order of r, from zero, in one run; slices add by the tree.
    /// </summary>
    public static void SegmentedScatterAdd<T>(
        ReadOnlySpan<int> ids, ReadOnlySpan<T> dy, int width, int vocabulary, Span<T> c, int nodeStride, in Segments s)
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        s.Check(s.Rows);
        Sizes.AtLeast(ids.Length, s.Rows);
        Sizes.AtLeast(dy.Length, (long)s.Rows * width);
        foreach (var id in ids[..s.Rows])
            if ((uint)id >= (uint)vocabulary) throw Outside(id, vocabulary);
        var sum = new ScatterSum<T>(ids, dy, width);
        SegmentedTree.Run(ref sum, checked(vocabulary * width), c, nodeStride, s);
    }

    private static ArgumentOutOfRangeException Outside(int id, int vocabulary) =>
        new(nameof(id), $"id {id} is outside of a table with {vocabulary} rows");

    private readonly ref struct ScatterSum<T>(ReadOnlySpan<int> ids, ReadOnlySpan<T> dy, int width) : ISliceSum<T>
        where T : unmanaged, IFloatingPointIeee754<T>
    {
        private readonly ReadOnlySpan<int> _ids = ids;
        private readonly ReadOnlySpan<T> _dy = dy;

        public void Sum(int firstRow, int endRow, Span<T> destination)
        {
            destination.Clear();
            for (var r = firstRow; r < endRow; r++)
                AxpyTree.Add(destination.Slice(_ids[r] * width, width), _dy.Slice(r * width, width));
        }
    }
}
