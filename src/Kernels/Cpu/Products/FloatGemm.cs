using Convoy.Kernels.Cpu.Lanes;

namespace Convoy.Kernels.Cpu.Products;

/// <summary>Operands of one product, as <see cref="Gemm.Run"/> takes them.</summary>
internal readonly unsafe struct GemmCall
{
    public required bool TransA { get; init; }
    public required bool TransB { get; init; }
    public required int M { get; init; }
    public required int N { get; init; }
    public required int K { get; init; }
    public required float* A { get; init; }
    public required int Lda { get; init; }
    public required float* B { get; init; }
    public required int Ldb { get; init; }
    public required float* C { get; init; }
    public required int Ldc { get; init; }
    public float* Bias { get; init; }
    public Activation Activation { get; init; }
    public bool Accumulate { get; init; }
}

// Packed, blocked product. b is packed in panels of a tile's columns for one block of K-2 (256 terms: a panel of 16 KB
// stays in the first-level cache), a in panels of six rows for a block of rows that stays in the second level.
// Rows of a are read in place when there are few columns, because packing them would cost as much as using them.
// A team cuts c in a grid. The threads of one column of the grid pack their panels of b together, wait for each other
// once per block of terms, and pack the next block into the other of two buffers.
internal static unsafe class FloatGemm
{
    internal const int RowBlock = 36 * Tile.Rows;
    internal const int ColumnBlock = 2_048;
    private const int DirectColumnsMax = 128;
    internal const long FlopsPerPart = 4_000_000;

    public static void Run(in GemmCall g)
    {
        var parts = ThreadTeam.Parts(2L * g.M * g.N * g.K, FlopsPerPart);
        if (SimdInfo.Lanes == 16) Run<Lane16>(g, parts);
        else if (SimdInfo.Lanes == 8) Run<Lane8>(g, parts);
        else if (SimdInfo.Lanes == 4) Run<Lane4>(g, parts);
        else Run<Lane1>(g, parts);
    }

    internal static void Run<V>(in GemmCall g, int parts = 1) where V : unmanaged, ILanes<V>
    {
        if (g.M == 0 || g.N == 0) return;
        var (gridRows, gridColumns) = Grid(g, parts, Tile.Columns<V>());
        var columns = Math.Min(ColumnBlock, RoundUp(((g.N - 1) / gridColumns) + 1, Tile.Columns<V>()));
        var buffer = columns * Math.Min(Order.Block, g.K);
        var buffers = gridRows == 1 ? 1 : 2;
        var work = new Parts<V>
        {
            Call = g, GridRows = gridRows, GridColumns = gridColumns, Columns = columns, Buffer = buffer,
            Buffers = buffers,
            PackedB = Scratch.Floats(ScratchSlot.PackedB, checked(gridColumns * buffers * buffer)),
        };
        ThreadTeam.Run(ref work, parts);
    }

    /// <summary>
    /// The grid of parts with the least work for the busiest: tiles of 6 cycles a term, and an element of a or b that
    /// is packed for about one. Integers only, and no other input than sizes: a kernel is always cut the same way.
    /// </summary>
    internal static (int Rows, int Columns) Grid(in GemmCall g, int parts, int width)
    {
        var (best, least) = ((1, parts), long.MaxValue);
        for (var rows = parts; rows >= 1; rows--)
        {
            if (parts % rows != 0) continue;
            var columns = parts / rows;
            long height = RoundUp(((g.M - 1) / rows) + 1, Tile.Rows);
            long across = RoundUp(((g.N - 1) / columns) + 1, width);
            var cost = (height / Tile.Rows * (across / width) * 6) + height + (across / rows);
            if (cost < least) (best, least) = ((rows, columns), cost);
        }

        return best;
    }

    private static int RoundUp(int count, int unit) => (count + unit - 1) / unit * unit;

    private struct Parts<V> : ITeamWork where V : unmanaged, ILanes<V>
    {
        public GemmCall Call;
        public int GridRows, GridColumns, Columns, Buffer, Buffers;
        public float* PackedB;

        public readonly void Run(int part, int parts)
        {
            var (row, column) = (part % GridRows, part / GridRows);
            var (fromRow, rows) = ThreadTeam.Range(Call.M, row, GridRows, Tile.Rows);
            var (from, count) = ThreadTeam.Range(Call.N, column, GridColumns, Tile.Columns<V>());
            var c = Call with
            {
                M = rows,
                N = count,
                A = Call.A + (Call.TransA ? fromRow : (nint)fromRow * Call.Lda),
                B = Call.B + (Call.TransB ? (nint)from * Call.Ldb : from),
                C = Call.C + ((nint)fromRow * Call.Ldc) + from,
                Bias = Call.Bias is null ? null : Call.Bias + from,
            };
            var packedB = PackedB + ((nint)column * Buffers * Buffer);
            var height = Math.Min(RowBlock, RoundUp(rows, Tile.Rows));
            var packedA = Scratch.Floats(ScratchSlot.PackedA, (height * Math.Min(Order.Block, c.K)) + Pack.Slack);
            var turn = 0;
            // The longest range of columns gives the number of turns, so that no thread waits for one that is through.
            for (var j = 0; j < RoundUp(((Call.N - 1) / GridColumns) + 1, Tile.Columns<V>()); j += Columns)
            {
                var n = Math.Clamp(c.N - j, 0, Columns);
                var p = 0;
                do
                {
                    var k = Math.Min(Order.Block, c.K - p);
                    var panels = packedB + ((nint)(turn++ % Buffers) * Buffer);
                    PackB<V>(c, j, n, p, k, row, GridRows, panels);
                    if (GridRows > 1) ThreadTeam.Meet("the panels of a matrix product");
                    if (n > 0) Block<V>(c, j, n, p, k, packedA, panels);
                    p += k;
                }
                while (p < c.K);
            }
        }
    }

    // One thread's share of the panels of a block of b.
    private static void PackB<V>(in GemmCall g, int j, int n, int p, int k, int part, int parts, float* panels)
        where V : unmanaged, ILanes<V>
    {
        var width = Tile.Columns<V>();
        var (from, count) = ThreadTeam.Range(n, part, parts, width);
        panels += (nint)from * k;
        j += from;
        if (g.TransB) Pack.ColumnPanels<V>(k, count, g.B + ((nint)j * g.Ldb) + p, g.Ldb, panels);
        else Pack.RowPanels<V>(k, count, g.B + ((nint)p * g.Ldb) + j, g.Ldb, panels);
    }

    // All rows of c against one block of terms and one of columns.
    private static void Block<V>(in GemmCall g, int j, int n, int p, int k, float* packedA, float* packedB)
        where V : unmanaged, ILanes<V>
    {
        var direct = !g.TransA && g.N <= DirectColumnsMax;
        // Blocks of the same height: a low one at the end would call all of b from the third-level cache for little.
        var height = RoundUp(((g.M - 1) / (((g.M - 1) / RowBlock) + 1)) + 1, Tile.Rows);
        for (var i = 0; i < g.M; i += height)
        {
            var m = Math.Min(height, g.M - i);
            var a = g.TransA ? g.A + ((nint)p * g.Lda) + i : g.A + ((nint)i * g.Lda) + p;
            if (g.TransA) Pack.Rows(k, m, a, g.Lda, packedA, Tile.Rows);
            else if (!direct) Pack.Columns(k, m, a, g.Lda, packedA, Tile.Rows);
            else if (m % Tile.Rows is var rest and > 0)
                Pack.Columns(k, rest, a + ((nint)(m - rest) * g.Lda), g.Lda, packedA, Tile.Rows);
            var add = g.Accumulate || p > 0;
            Tiles<V>(direct, m, n, k, a, g.Lda, packedA, packedB, g.C + ((nint)i * g.Ldc) + j, g.Ldc, add);
            if (p + k < g.K) continue;
            TileEdges.Finish<V>(
                g.C + ((nint)i * g.Ldc) + j, g.Ldc, m, n, g.Bias is null ? null : g.Bias + j, g.Activation);
        }
    }

    // With direct rows only the last, partial panel of a is in packedA.
    private static void Tiles<V>(
        bool direct, int m, int n, int k, float* a, nint lda, float* packedA, float* packedB, float* c, nint ldc,
        bool add) where V : unmanaged, ILanes<V>
    {
        var wide = Tile.Columns<V>();
        var edge = stackalloc float[Tile.Size<V>()];
        for (var j = 0; j < n; j += wide, packedB += (nint)wide * k)
        {
            var columns = Math.Min(wide, n - j);
            if (columns <= V.Count)
            {
                NarrowTiles<V>(direct, m, columns, k, a, lda, packedA, packedB, c + j, ldc, add, edge);
                return;
            }

            var panel = packedA;
            for (var i = 0; i < m; i += Tile.Rows)
            {
                var rows = Math.Min(Tile.Rows, m - i);
                var whole = rows == Tile.Rows && columns == wide;
                var (to, stride) = whole ? ((nint)(c + (i * ldc) + j), ldc) : ((nint)edge, wide);
                if (direct && rows == Tile.Rows)
                {
                    Tile.Direct<V>(k, a + (i * lda), lda, packedB, (float*)to, stride, add && whole);
                }
                else
                {
                    Tile.Packed<V>(k, panel, Tile.Rows, packedB, (float*)to, stride, add && whole);
                    panel += (nint)Tile.Rows * k;
                }

                if (!whole) TileEdges.Write<V>(edge, wide, c + (i * ldc) + j, ldc, rows, columns, add);
            }
        }
    }

    // The last columns, where they fit in one register. A tile is two panels of a; the last one may be one panel twice.
    private static void NarrowTiles<V>(
        bool direct, int m, int columns, int k, float* a, nint lda, float* packedA, float* packedB, float* c, nint ldc,
        bool add, float* edge) where V : unmanaged, ILanes<V>
    {
        for (var i = 0; i < m; i += NarrowTile.Rows)
        {
            var rows = Math.Min(NarrowTile.Rows, m - i);
            var whole = rows == NarrowTile.Rows && columns == V.Count;
            var (to, stride) = whole ? ((nint)(c + (i * ldc)), ldc) : ((nint)edge, V.Count);
            if (direct)
            {
                NarrowTile.Direct<V>(k, a + (i * lda), lda, rows, packedB, (float*)to, stride, add && whole);
            }
            else
            {
                var upper = packedA + ((nint)i * k);
                var lower = rows > Tile.Rows ? upper + ((nint)Tile.Rows * k) : upper;
                NarrowTile.Packed<V>(k, upper, lower, packedB, (float*)to, stride, add && whole);
            }

            if (!whole) TileEdges.Write<V>(edge, V.Count, c + (i * ldc), ldc, rows, columns, add);
        }
    }
}
