using System.Numerics;
using Convoy.Kernels.Cpu;
using Convoy.Shared.Tensors;

namespace Convoy.Kernels.Reference;

/// <summary>Sum over the rows of one slice, written over the destination.</summary>
internal interface ISliceSum<T>
{
    void Sum(int firstRow, int endRow, Span<T> destination);
}

/// <summary>
/// K-3 with whole outputs as nodes: a node is its left child plus its right child; a child without rows is absent and
/// adds nothing. Needs one output of scratch per level that has two children present.
/// </summary>
internal static class SegmentedTree
{
    public static void Run<T, TSum>(ref TSum sum, int length, Span<T> c, int nodeStride, in Segments s)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TSum : ISliceSum<T>, allows ref struct
    {
        if (s.Nodes.Length > 0)
            Sizes.AtLeast(c.Length, ((long)(s.Nodes.Length - 1) * nodeStride) + length);
        var height = 0;
        foreach (var node in s.Nodes) height = Math.Max(height, node.Level);
        var carry = height == 0 ? [] : Scratch.Rent<T>(ScratchSlot.ReferenceTree, checked(height * length));
        for (var i = 0; i < s.Nodes.Length; i++)
        {
            var destination = c.Slice(i * nodeStride, length);
            if (!Evaluate(ref sum, s.Nodes[i], destination, carry, s)) destination.Clear();
        }
    }

    private static bool Evaluate<T, TSum>(
        ref TSum sum, TreeNode node, Span<T> destination, Span<T> carry, in Segments s)
        where T : unmanaged, IFloatingPointIeee754<T>
        where TSum : ISliceSum<T>, allows ref struct
    {
        var (from, end) = s.RowsOf(node);
        if (from == end) return false;
        if (node.Level == 0)
        {
            sum.Sum(from, end, destination);
            return true;
        }

        if (!Evaluate(ref sum, node.Left, destination, carry, s))
            return Evaluate(ref sum, node.Right, destination, carry, s);
        var right = carry[^destination.Length..];
        if (Evaluate(ref sum, node.Right, right, carry[..^destination.Length], s)) AxpyTree.Add<T>(destination, right);
        return true;
    }
}
