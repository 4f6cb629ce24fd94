using System.Numerics;
using Convoy.Kernels.Cpu.Lanes;
using Convoy.Kernels.Cpu.Products;
using Convoy.Kernels.Cpu.Rows;
using Convoy.Kernels.Reference;
using Convoy.Shared.Tensors;

namespace Convoy.Kernels.Cpu.Conv;

/// <summary>Weight and bias gradients of a convolution, cut at slices.</summary>
internal static unsafe class FloatConvWeight
{
    public static void Weight(float* x, float* dy, Span<float> dw, int nodeStride, in Conv2dShape shape, in Segments s)
    {
        var parts = FloatConv.PartsOf(shape);
        if (parts == 1)
        {
            WeightWhole(x, dy, dw, nodeStride, shape, s);
            return;
        }

        for (var i = 0; i < s.Nodes.Length; i++)
            Node(x, dy, dw.Slice(i * nodeStride, shape.WeightSize), shape, s, s.Nodes[i], parts);
    }

    // A node of the tree by its descendants, so many levels down that every thread has one; then their sums, pair by
    // pair.
    private static void Node(
        float* x, float* dy, Span<float> dw, in Conv2dShape shape, in Segments s, TreeNode node, int parts)
    {
        if (!HasRows(node, s))
        {
            dw.Clear();
            return;
        }

        var levels = Math.Min(node.Level, BitOperations.Log2((uint)parts - 1) + 1);
        var count = 1 << levels;
        fixed (float* c = dw)
        {
            var carry = Scratch.Floats(ScratchSlot.TreeCarry, checked((count - 1) * shape.WeightSize));
            var work = new Descendants(x, dy, c, carry, shape, s, node, levels);
            ThreadTeam.Run(ref work, Math.Min(parts, count));
            work.Add();
        }
    }

    private static bool HasRows(TreeNode node, in Segments s) => s.RowsOf(node) is var (from, end) && from < end;

    private readonly ref struct Descendants(
        float* x, float* dy, float* c, float* carry, Conv2dShape shape, Segments s, TreeNode node, int levels)
            : ITeamWork
    {
        private readonly float* _x = x;
        private readonly float* _dy = dy;
        private readonly float* _c = c;
        private readonly float* _carry = carry;
        private readonly Segments _s = s;

        public void Run(int part, int parts)
        {
            var (from, count) = ThreadTeam.Range(1 << levels, part, parts);
            for (var i = from; i < from + count; i++)
            {
                var below = Below(levels, i);
                if (!HasRows(below, _s)) continue;
                var one = new Segments(_s.RowStarts, _s.FirstSlice, _s.Slices, new ReadOnlySpan<TreeNode>(in below));
                WeightWhole(_x, _dy, new Span<float>(Place(i), shape.WeightSize), shape.WeightSize, shape, one);
            }
        }

        // The rule of the tree: one child absent, the other child's bits; else left + right.
        public void Add()
        {
            for (var level = levels - 1; level >= 0; level--)
            {
                for (var i = 0; i < 1 << level; i++)
                {
                    if (!HasRows(Below(level + 1, (2 * i) + 1), _s)) continue;
                    var left = new Span<float>(Place((2 * i) << (levels - level - 1)), shape.WeightSize);
                    var right = new Span<float>(Place(((2 * i) + 1) << (levels - level - 1)), shape.WeightSize);
                    if (HasRows(Below(level + 1, 2 * i), _s)) AxpyTree.Add<float>(left, right);
                    else right.CopyTo(left);
                }
            }
        }

        private TreeNode Below(int down, int i) => new((byte)(node.Level - down), (node.Index << down) + i);

        private float* Place(int i) => i == 0 ? _c : _carry + ((nint)(i - 1) * shape.WeightSize);
    }

    private static void WeightWhole(
        float* x, float* dy, Span<float> dw, int nodeStride, in Conv2dShape shape, in Segments s)
    {
        if (SimdInfo.Lanes == 16) Weight<Lane16>(x, dy, dw, nodeStride, shape, s);
        else if (SimdInfo.Lanes == 8) Weight<Lane8>(x, dy, dw, nodeStride, shape, s);
        else if (SimdInfo.Lanes == 4) Weight<Lane4>(x, dy, dw, nodeStride, shape, s);
        else Weight<Lane1>(x, dy, dw, nodeStride, shape, s);
    }

    public static void Bias(float* dy, Span<float> db, int nodeStride, in Conv2dShape shape, in Segments s)
    {
        if (SimdInfo.Lanes == 16) Bias<Lane16>(dy, db, nodeStride, shape, s);
        else if (SimdInfo.Lanes == 8) Bias<Lane8>(dy, db, nodeStride, shape, s);
        else if (SimdInfo.Lanes == 4) Bias<Lane4>(dy, db, nodeStride, shape, s);
        else Bias<Lane1>(dy, db, nodeStride, shape, s);
    }

    internal static void Weight<V>(
        float* x, float* dy, Span<float> dw, int nodeStride, in Conv2dShape shape, in Segments s)
        where V : unmanaged, ILanes<V>
    {
        var sum = new PatchSum<V>(x, dy, shape);
        SegmentedTree.Run(ref sum, shape.WeightSize, dw, nodeStride, s);
    }

    internal static void Bias<V>(float* dy, Span<float> db, int nodeStride, in Conv2dShape shape, in Segments s)
        where V : unmanaged, ILanes<V>
    {
        var sum = new PlaneSum<V>(dy, shape.COut, shape.OutH * shape.OutW);
        SegmentedTree.Run(ref sum, shape.COut, db, nodeStride, s);
    }

    private readonly struct PlaneSum<V>(float* dy, int channels, int plane) : ISliceSum<float>
        where V : unmanaged, ILanes<V>
    {
        public void Sum(int firstRow, int endRow, Span<float> destination)
        {
            for (var c = 0; c < channels; c++)
            {
                var total = 0f;
                for (var n = firstRow; n < endRow; n++)
                    total += LaneSums.Run<V, SumTerm>(new SumTerm(dy + ((((nint)n * channels) + c) * plane)), plane);
                destination[c] = total;
            }
        }
    }
}
