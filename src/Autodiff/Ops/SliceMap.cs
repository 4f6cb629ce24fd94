using Convoy.Kernels;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Ops;

/// <summary>
/// How the rows of a kernel call fall into slices of the batch, and for which nodes of the slice tree results are
/// wanted. The executor refills one map per step.
/// </summary>
internal sealed class SliceMap
{
    private int[] _rowStarts = [0];
    private TreeNode[] _nodes = [];

    public int FirstSlice { get; private set; }
    public int Slices { get; private set; } = 1;
    public int ShareCount { get; private set; }
    public int NodeCount { get; private set; }

    public ReadOnlySpan<int> RowStarts => _rowStarts.AsSpan(0, ShareCount + 1);
    public ReadOnlySpan<TreeNode> Nodes => _nodes.AsSpan(0, NodeCount);

    /// <summary>The same in the form of the kernels.</summary>
    public Segments Segments => new(RowStarts, FirstSlice, Slices, Nodes);

    public void Fill(
        ReadOnlySpan<int> rowsPerSlice, int kernelRowsPerRow, int firstSlice, int slices, ReadOnlySpan<TreeNode> nodes)
    {
        (FirstSlice, Slices, ShareCount, NodeCount) = (firstSlice, slices, rowsPerSlice.Length, nodes.Length);
        if (_rowStarts.Length < ShareCount + 1) _rowStarts = new int[ShareCount + 1];
        if (_nodes.Length < NodeCount) _nodes = new TreeNode[NodeCount];
        _rowStarts[0] = 0;
        for (var i = 0; i < ShareCount; i++)
            _rowStarts[i + 1] = _rowStarts[i] + (rowsPerSlice[i] * kernelRowsPerRow);
        nodes.CopyTo(_nodes);
    }
}
