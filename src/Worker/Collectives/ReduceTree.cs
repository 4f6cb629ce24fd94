using Convoy.Shared.Tensors;

namespace Convoy.Worker.Collectives;

/// <summary>A partial sum that takes part in a step: a present cover node of a member's share.</summary>
internal readonly record struct ReduceSlot(TreeNode Node, int Member);

/// <summary>
/// The order of additions for one step, the same for every element: which nodes there are (a node without samples is
/// absent: it is neither sent nor added) and how the fixed tree joins them. Never depends on arrival.
/// </summary>
internal sealed class ReduceTree
{
    private readonly List<(int Into, int From)> _adds = [];

    /// <param name="shares">Who has which slices.</param>
    /// <param name="rowsOfSlice">Samples of each slice in this step.</param>
    public ReduceTree(ShareMap shares, ReadOnlySpan<int> rowsOfSlice)
    {
        var tree = new SliceTree(shares.Slices);
        var slots = new List<ReduceSlot>();
        for (var m = 0; m < shares.Members.Count; m++)
        {
            var share = shares.ShareOf(m);
            foreach (var node in tree.Cover(share.From, share.End))
                if (Present(node, shares.Slices, rowsOfSlice)) slots.Add(new(node, m));
        }

        Slots = [.. slots];
        FirstSlotOf = new int[shares.Members.Count + 1];
        for (var m = 0; m < shares.Members.Count; m++)
            FirstSlotOf[m + 1] = FirstSlotOf[m] + slots.Count(s => s.Member == m);
        Root = Join(tree.Root);
    }

    /// <summary>By first leaf, and so by member.</summary>
    public ReduceSlot[] Slots { get; }

    /// <summary>Slots of member m are [FirstSlotOf[m], FirstSlotOf[m + 1]).</summary>
    public int[] FirstSlotOf { get; }

    /// <summary>The slot that has the sum after all additions; -1 when no slice has samples.</summary>
    public int Root { get; }

    /// <summary>Add slot From into slot Into, in this order.</summary>
    public IReadOnlyList<(int Into, int From)> Adds => _adds;

    public int SlotOf(int member, TreeNode node)
    {
        for (var s = FirstSlotOf[member]; s < FirstSlotOf[member + 1]; s++)
            if (Slots[s].Node == node) return s;
        return -1;
    }

    private static bool Present(TreeNode node, int slices, ReadOnlySpan<int> rows)
    {
        for (var leaf = node.FirstLeaf; leaf < node.EndLeaf && leaf < slices; leaf++)
            if (rows[leaf] > 0) return true;
        return false;
    }

    private int Join(TreeNode node)
    {
        for (var s = 0; s < Slots.Length; s++)
            if (Slots[s].Node == node) return s;
        if (node.Level == 0) return -1;
        var left = Join(node.Left);
        var right = Join(node.Right);
        if (left >= 0 && right >= 0) _adds.Add((left, right));
        return left >= 0 ? left : right;
    }
}
