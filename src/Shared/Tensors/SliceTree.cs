namespace Convoy.Shared.Tensors;

/// <summary>
/// Node (l, i) of the tree over slices: it covers leaves [i·2^l, (i+1)·2^l), cut to the number of slices.
/// </summary>
public readonly record struct TreeNode(byte Level, int Index)
{
    public int FirstLeaf => Index << Level;
    public int EndLeaf => (Index + 1) << Level;
    public TreeNode Parent => new((byte)(Level + 1), Index >> 1);
    public TreeNode Sibling => new(Level, Index ^ 1);
    public TreeNode Left => new((byte)(Level - 1), Index << 1);
    public TreeNode Right => new((byte)(Level - 1), (Index << 1) + 1);
    public override string ToString() => $"({Level},{Index})";
}

/// <summary>
/// The one tree that fixes the order of every sum over slices, lanes and norm blocks (decision 4).
/// Value of a node: no leaf present: absent; one child absent: the other child's bits, no addition; else left + right.
/// </summary>
public readonly record struct SliceTree
{
    public SliceTree(int leaves)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(leaves, 1);
        Leaves = leaves;
        byte height = 0;
        while (1 << height < leaves) height++;
        Root = new TreeNode(height, 0);
    }

    public int Leaves { get; }

    public TreeNode Root { get; }

    /// <summary>
    /// The maximal aligned nodes whose leaves are exactly [from, end), left to right; at most 2·log2(leaves).
    /// </summary>
    public int Cover(int from, int end, Span<TreeNode> destination)
    {
        Invariant.Check(from >= 0 && from <= end && end <= Leaves, "TREE-1 a share lies inside the slices");
        var count = 0;
        for (var leaf = from; leaf < end;)
        {
            byte level = 0;
            // Grow while the node stays aligned and ends inside the share. Leaves past the last one are absent, so a
            // share that ends with the tree may use a node that sticks out.
            while (level < Root.Level && (leaf & ((2 << level) - 1)) == 0
                && (leaf + (2 << level) <= end || end == Leaves))
            {
                level++;
            }

            destination[count++] = new TreeNode(level, leaf >> level);
            leaf += 1 << level;
        }

        return count;
    }

    public TreeNode[] Cover(int from, int end)
    {
        Span<TreeNode> nodes = stackalloc TreeNode[64];
        return nodes[..Cover(from, end, nodes)].ToArray();
    }
}
