using Convoy.Kernels.Cpu.Lanes;
using Convoy.Kernels.Operators;
using Convoy.Shared.Tensors;

namespace Convoy.Kernels.Cpu.Products;

// aᵀ b cut at slice borders, summed by the slice tree (K-3). A node with at most 256 rows is one pass: its slices are
// summed tile by tile, with a stack of register tiles for the tree. Larger nodes are split: the right child adds to its
// left sibling where the result lies, so the adds to memory are paid once per 256 rows at least.
// Measured, 512 x 784 from 128 rows, same core: 93 / 86 / 81 GFLOP/s in 1 / 4 / 8 slices; with a call of the tile for
// each slice, which asked for c too late, 92 / 60 / 60 (2026-11).
internal static unsafe class FloatSegmentedGemm
{
    internal const int RowBlock = 24 * Tile.Rows;
    /// <summary>Tiles that wait in the tree of one pass, and the one at an edge.</summary>
    internal const int StackTiles = 34;

    internal const long FlopsPerPart = 4_000_000;

    public static void Run(
        int m, int n, float* a, int lda, float* b, int ldb, float* c, int nodeStride, in Segments s)
    {
        var work = new Parts(m, n, a, lda, b, ldb, c, nodeStride, s);
        ThreadTeam.Run(ref work, ThreadTeam.Parts(2L * m * n * s.Rows, FlopsPerPart));
    }

    // Ranges of output rows, which are columns of a: every thread packs b for itself.
    private readonly ref struct Parts(
        int m, int n, float* a, int lda, float* b, int ldb, float* c, int nodeStride, Segments s) : ITeamWork
    {
        private readonly Segments _s = s;
        private readonly float* _a = a;
        private readonly float* _b = b;
        private readonly float* _c = c;

        public void Run(int part, int parts)
        {
            var (from, count) = ThreadTeam.Range(m, part, parts, Tile.Rows);
            Whole(count, n, _a + from, lda, _b, ldb, _c + ((nint)from * n), nodeStride, _s);
        }
    }

    private static void Whole(
        int m, int n, float* a, int lda, float* b, int ldb, float* c, int nodeStride, in Segments s)
    {
        if (SimdInfo.Lanes == 16) Run<Lane16>(m, n, a, lda, b, ldb, c, nodeStride, s);
        else if (SimdInfo.Lanes == 8) Run<Lane8>(m, n, a, lda, b, ldb, c, nodeStride, s);
        else if (SimdInfo.Lanes == 4) Run<Lane4>(m, n, a, lda, b, ldb, c, nodeStride, s);
        else Run<Lane1>(m, n, a, lda, b, ldb, c, nodeStride, s);
    }

    internal static void Run<V>(
        int m, int n, float* a, int lda, float* b, int ldb, float* c, int nodeStride, in Segments s)
        where V : unmanaged, ILanes<V>
    {
        if (m == 0 || n == 0) return;
        var width = Tile.Columns<V>();
        var call = new Call
        {
            M = m, N = n, A = a, Lda = lda, B = b, Ldb = ldb,
            PackedA = Scratch.Floats(ScratchSlot.PackedA, (RowBlock * Order.Block) + Pack.Slack),
            PackedB = Scratch.Floats(ScratchSlot.PackedB, (n + width - 1) / width * width * Order.Block),
            Stack = Scratch.Floats(ScratchSlot.TileStack, StackTiles * Tile.Size<V>()),
            Carry = Scratch.Floats(ScratchSlot.TreeCarry, checked(CarryLevels(s) * m * n)),
        };
        Span<SliceStep> steps = stackalloc SliceStep[Order.Block];
        for (var i = 0; i < s.Nodes.Length; i++)
        {
            var destination = c + ((nint)i * nodeStride);
            if (s.RowsOf(s.Nodes[i]) is var (from, end) && from == end) new Span<float>(destination, m * n).Clear();
            else Node<V>(call, s.Nodes[i], destination, false, 0, steps, s);
        }
    }

    private struct Call
    {
        public int M, N, Lda, Ldb;
        public float* A;
        public float* B;
        public float* PackedA;
        public float* PackedB;
        public float* Stack;
        public float* Carry;
    }

    internal static int CarryLevels(in Segments s)
    {
        var levels = 0;
        foreach (var node in s.Nodes)
        {
            var (from, end) = s.RowsOf(node);
            if (end - from > Order.Block) levels = Math.Max(levels, node.Level + 1);
        }

        return levels;
    }

    // Writes (or, as a right child, adds) the value of a node that has rows.
    private static void Node<V>(
        in Call call, TreeNode node, float* c, bool add, int depth, Span<SliceStep> steps, in Segments s)
        where V : unmanaged, ILanes<V>
    {
        var (from, end) = s.RowsOf(node);
        if (end - from <= Order.Block)
        {
            var count = 0;
            Plan(node, steps, ref count, s);
            Pass<V>(call, from, end - from, steps[..count], c, add);
            return;
        }

        if (node.Level > 0 && Only(node, s) is { } child)
        {
            Node<V>(call, child, c, add, depth, steps, s);
            return;
        }

        // Two children, or a slice of several blocks: the value is built in its own place and then added.
        var target = add ? call.Carry + ((nint)depth * call.M * call.N) : c;
        var below = add ? depth + 1 : depth;
        if (node.Level > 0)
        {
            Node<V>(call, node.Left, target, false, below, steps, s);
            Node<V>(call, node.Right, target, true, below, steps, s);
        }
        else
        {
            for (var row = from; row < end; row += Order.Block)
            {
                steps[0] = new SliceStep(Math.Min(Order.Block, end - row), 0);
                Pass<V>(call, row, steps[0].Rows, steps[..1], target, row > from);
            }
        }

        if (add) FloatElementwise.Binary<V, Add>(c, target, c, call.M * call.N);
    }

    // The only child with rows, if the other has none.
    private static TreeNode? Only(TreeNode node, in Segments s)
    {
        if (s.RowsOf(node.Left) is var (from, end) && from == end) return node.Right;
        return s.RowsOf(node.Right) is var (first, last) && first == last ? node.Left : null;
    }

    // The slices with rows below a node, left to right; a right child that has a left sibling merges with it.
    private static void Plan(TreeNode node, Span<SliceStep> steps, ref int count, in Segments s)
    {
        var (from, end) = s.RowsOf(node);
        if (from == end) return;
        if (node.Level == 0)
        {
            steps[count++] = new SliceStep(end - from, 0);
            return;
        }

        var before = count;
        Plan(node.Left, steps, ref count, s);
        var between = count;
        Plan(node.Right, steps, ref count, s);
        if (between > before && count > between) steps[count - 1].Merges++;
    }

    private static void Pass<V>(
        in Call call, int row, int rows, ReadOnlySpan<SliceStep> steps, float* c, bool add)
        where V : unmanaged, ILanes<V>
    {
        Pack.Rows(rows, call.N, call.B + ((nint)row * call.Ldb), call.Ldb, call.PackedB, Tile.Columns<V>());
        // The steps lie on the stack of Run: this pins nothing, it names their address.
        fixed (SliceStep* first = steps) Blocks<V>(call, row, rows, first, steps.Length, c, add);
    }

    private static void Blocks<V>(in Call call, int row, int rows, SliceStep* steps, int count, float* c, bool add)
        where V : unmanaged, ILanes<V>
    {
        var (m, n, width) = (call.M, call.N, Tile.Columns<V>());
        for (var block = 0; block < m; block += RowBlock)
        {
            var height = Math.Min(RowBlock, m - block);
            Pack.Rows(rows, height, call.A + ((nint)row * call.Lda) + block, call.Lda, call.PackedA, Tile.Rows);
            for (var j = 0; j < n; j += width)
            {
                var panelB = call.PackedB + ((nint)j * rows);
                for (var i = 0; i < height; i += Tile.Rows)
                {
                    var to = c + ((nint)(block + i) * n) + j;
                    var (h, w) = (Math.Min(Tile.Rows, height - i), Math.Min(width, n - j));
                    var panelA = call.PackedA + ((nint)i * rows);
                    TileOf<V>(steps, count, rows, panelA, panelB, call.Stack, to, n, h, w, add);
                }
            }
        }
    }

    // One tile over all slices of the pass. The stack lies under the buffer of the tile's edge.
    private static void TileOf<V>(
        SliceStep* steps, int count, int terms, float* a, float* b, float* edge, float* c, nint ldc, int rows,
        int columns, bool add) where V : unmanaged, ILanes<V>
    {
        var stack = edge + Tile.Size<V>();
        var last = steps + (count - 1);
        if (rows == Tile.Rows && columns == Tile.Columns<V>())
        {
            SliceTile.Run<V>(steps, last, terms, a, b, stack, c, ldc, add);
            return;
        }

        SliceTile.Run<V>(steps, last, terms, a, b, stack, edge, Tile.Columns<V>(), false);
        TileEdges.Write<V>(edge, Tile.Columns<V>(), c, ldc, rows, columns, add);
    }
}
