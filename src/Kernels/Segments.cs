using Convoy.Shared;
using Convoy.Shared.Tensors;

namespace Convoy.Kernels;

/// <summary>
/// How the rows of a batched pass belong to slices, and which sums over slices are wanted (K-3). Kernels named
/// Segmented add the rows of each slice in ascending order, in blocks of <see cref="Order.Block"/> counted from the
/// start of the slice, then the slices by the tree. Output i (at i·nodeStride) is the value of <see cref="Nodes"/>[i];
/// a node without rows is written as zeros and is not to be used.
/// </summary>
/// <param name="rowStarts">Prefix sums of rows per slice of the share, from 0: one more than there are slices.</param>
/// <param name="firstSlice">Number of the share's first slice in the step.</param>
/// <param name="slices">S, the slices of the whole step.</param>
/// <param name="nodes">Nodes of the tree over S whose leaves, cut to the share, are the share.</param>
public readonly ref struct Segments(
    ReadOnlySpan<int> rowStarts, int firstSlice, int slices, ReadOnlySpan<TreeNode> nodes)
{
    public ReadOnlySpan<int> RowStarts { get; } = rowStarts;
    public int FirstSlice { get; } = firstSlice;
    public int Slices { get; } = slices;
    public ReadOnlySpan<TreeNode> Nodes { get; } = nodes;

    public int SliceCount => RowStarts.Length - 1;
    public int Rows => RowStarts[^1];

    /// <summary>The rows [From, End) of a node, cut to the share.</summary>
    public (int From, int End) RowsOf(TreeNode node)
    {
        // In 64 bits: a node that sticks out of the tree may end past int.
        var from = Math.Clamp(((long)node.Index << node.Level) - FirstSlice, 0, SliceCount);
        var end = Math.Clamp((((long)node.Index + 1) << node.Level) - FirstSlice, 0, SliceCount);
        return (RowStarts[(int)from], RowStarts[(int)end]);
    }

    internal void Check(int rows)
    {
        Invariant.Check(RowStarts.Length >= 1 && RowStarts[0] == 0, "K-3 row starts are prefix sums from 0");
        Invariant.Check(FirstSlice >= 0 && FirstSlice + SliceCount <= Slices, "K-3 the share lies inside the slices");
        for (var i = 1; i < RowStarts.Length; i++)
            Invariant.Check(RowStarts[i] >= RowStarts[i - 1], "K-3 row starts never fall");
        Invariant.Check(rows == Rows, "K-3 the last row start is the number of rows");
    }
}
