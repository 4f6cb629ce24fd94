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
internal static unsafe class FloatGemm
{
    private const int RowBlock = 24 * Tile.Rows;
    private const int ColumnBlock = 2_048;
    private const int DirectColumnsMax = 128;
    private const long FlopsPerPart = 4_000_000;

    public static void Run(in GemmCall g)
    {
        var work = new Parts(g);
        ThreadTeam.Run(ref work, ThreadTeam.Parts(2L * g.M * g.N * g.K, FlopsPerPart));
    }

    // Ranges of rows, or of columns where there are more of those: an operand is then packed by every thread, but a
    // thread never waits for another inside the product.
    private readonly struct Parts(GemmCall g) : ITeamWork
    {
        public void Run(int part, int parts)
        {
            if (parts == 1) Whole(g);
            else if (g.M >= g.N) Rows(ThreadTeam.Range(g.M, part, parts, Tile.Rows));
            else Columns(ThreadTeam.Range(g.N, part, parts, Order.Lanes));
        }

        private void Rows((int From, int Count) r) => Whole(g with
        {
            M = r.Count,
            A = g.A + (g.TransA ? r.From : (nint)r.From * g.Lda),
            C = g.C + ((nint)r.From * g.Ldc),
        });

        private void Columns((int From, int Count) r) => Whole(g with
        {
            N = r.Count,
            B = g.B + (g.TransB ? (nint)r.From * g.Ldb : r.From),
            C = g.C + r.From,
            Bias = g.Bias is null ? null : g.Bias + r.From,
        });
    }

    private static void Whole(in GemmCall g)
    {
        if (SimdInfo.Lanes == 16) Run<Lane16>(g);
        else if (SimdInfo.Lanes == 8) Run<Lane8>(g);
        else if (SimdInfo.Lanes == 4) Run<Lane4>(g);
        else Run<Lane1>(g);
    }

    internal static void Run<V>(in GemmCall g) where V : unmanaged, ILanes<V>
    {
        if (g.M == 0 || g.N == 0) return;
        var width = Tile.Columns<V>();
        var columns = Math.Min(ColumnBlock, (g.N + width - 1) / width * width);
        var terms = Math.Min(Order.Block, g.K);
        var packedB = Scratch.Floats(ScratchSlot.PackedB, columns * terms);
        var packedA = Scratch.Floats(ScratchSlot.PackedA, RowBlock * terms);
        for (var j = 0; j < g.N; j += columns)
        {
            var n = Math.Min(columns, g.N - j);
            var p = 0;
            do
            {
                var k = Math.Min(Order.Block, g.K - p);
                if (g.TransB) Pack.Columns(k, n, g.B + ((nint)j * g.Ldb) + p, g.Ldb, packedB, width);
                else Pack.Rows(k, n, g.B + ((nint)p * g.Ldb) + j, g.Ldb, packedB, width);
                Block<V>(g, j, n, p, k, packedA, packedB);
                p += k;
            }
            while (p < g.K);
        }
    }

    // All rows of c against one block of terms and one of columns.
    private static void Block<V>(in GemmCall g, int j, int n, int p, int k, float* packedA, float* packedB)
        where V : unmanaged, ILanes<V>
    {
        var direct = !g.TransA && g.N <= DirectColumnsMax;
        for (var i = 0; i < g.M; i += RowBlock)
        {
            var m = Math.Min(RowBlock, g.M - i);
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
        var width = Tile.Columns<V>();
        var edge = stackalloc float[Tile.Size<V>()];
        for (var j = 0; j < n; j += width, packedB += (nint)width * k)
        {
            var columns = Math.Min(width, n - j);
            var panel = packedA;
            for (var i = 0; i < m; i += Tile.Rows)
            {
                var rows = Math.Min(Tile.Rows, m - i);
                var whole = rows == Tile.Rows && columns == width;
                var (to, stride) = whole ? ((nint)(c + (i * ldc) + j), ldc) : ((nint)edge, width);
                if (direct && rows == Tile.Rows)
                {
                    Tile.Direct<V>(k, a + (i * lda), lda, packedB, (float*)to, stride, add && whole);
                }
                else
                {
                    Tile.Packed<V>(k, panel, Tile.Rows, packedB, null, 0, (float*)to, stride, add && whole);
                    panel += (nint)Tile.Rows * k;
                }

                if (!whole) TileEdges.Write<V>(edge, c + (i * ldc) + j, ldc, rows, columns, add);
            }
        }
    }
}
