using Convoy.Shared.Tensors;

namespace Convoy.Kernels.Tests;

/// <summary>A segmented kernel over the rows from firstRow on.</summary>
internal delegate void SegmentedRun(Span<float> c, int nodeStride, int firstRow, in Segments s);

/// <summary>
/// K-3: slices dealt to any number of workers. Each worker computes the cover nodes of its share; the nodes are
/// added by the tree, as the owner of a chunk does it; the root must have the bits of one worker with all slices.
/// </summary>
internal sealed class Deal(int slices, int[] starts, int length, SegmentedRun run)
{
    public void Check(Numbers numbers)
    {
        var tree = new SliceTree(slices);
        var whole = new float[length];
        run(whole, length, 0, new Segments(starts, 0, slices, [tree.Root]));
        for (var i = 0; i < 12; i++)
        {
            var nodes = new Dictionary<TreeNode, float[]>();
            for (var from = 0; from < slices;)
            {
                var end = numbers.Int(from + 1, slices + 1);
                Share(from, end, tree.Cover(from, end), nodes);
                from = end;
            }

            Bits.Equal(whole, Combine(tree.Root, nodes) ?? new float[length], $"K-3 deal {i} of {slices} slices");
        }
    }

    private void Share(int from, int end, TreeNode[] cover, Dictionary<TreeNode, float[]> into)
    {
        var local = new int[end - from + 1];
        for (var i = 0; i < local.Length; i++) local[i] = starts[from + i] - starts[from];
        var segments = new Segments(local, from, slices, cover);
        var c = new float[cover.Length * length];
        run(c, length, starts[from], segments);
        for (var i = 0; i < cover.Length; i++)
        {
            var (first, last) = segments.RowsOf(cover[i]);
            if (last > first) into[cover[i]] = c[(i * length)..((i + 1) * length)];
        }
    }

    private float[]? Combine(TreeNode node, Dictionary<TreeNode, float[]> nodes)
    {
        if (nodes.TryGetValue(node, out var value)) return value;
        if (node.Level == 0) return null;
        var (left, right) = (Combine(node.Left, nodes), Combine(node.Right, nodes));
        if (left is null || right is null) return left ?? right;
        var sum = left.ToArray();
        AxpyTree.Add<float>(sum, right);
        return sum;
    }
}
