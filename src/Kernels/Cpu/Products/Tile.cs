using System.Runtime.CompilerServices;

namespace Convoy.Kernels.Cpu.Products;

// The register tile of all products: 6 rows x 2 registers of columns (6 x 16 with AVX2, 12 sums + 2 + 1 of 16
// registers). One call is one block of K-2: every element is one chain of fused multiply-adds from zero, in
// ascending order.
//   b        packed: term p has its 2·V.Count columns at b + p·2·V.Count
//   add      c = c + sum, else c = sum
// All write the whole tile; edges go through a buffer (TileEdges).
// Measured: 85 to 92 GFLOP/s at n = 128 to 2048, all transposes, one core of Zen 3 (104 in a loop of multiply-adds),
// shared machine, 2026-11, `convoy bench compute --only gemm`.
// Inner loops: long on purpose, and repetitive so that the twelve sums stay in registers. A term is 20 instructions,
// and four terms share those of the loop: on a core that another program shares, places in the pipeline are what runs
// out (31 instructions a term: 1.2 times the time of a step beside a busy neighbour, the same alone; 2026-11).
internal static unsafe class Tile
{
    public const int Rows = 6;

    private const int FetchTermsMin = 64;

    public static int Columns<V>() where V : unmanaged, ILanes<V> => 2 * V.Count;

    /// <summary>Floats of one tile in a buffer.</summary>
    public static int Size<V>() where V : unmanaged, ILanes<V> => Rows * 2 * V.Count;

    /// <summary>Term p of the six rows lies at a + p·stepA, contiguous.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Packed<V>(
        int terms, float* a, nint stepA, float* b, float* c, nint ldc, bool add) where V : unmanaged, ILanes<V>
    {
        V s00 = default, s01 = default, s10 = default, s11 = default, s20 = default, s21 = default;
        V s30 = default, s31 = default, s40 = default, s41 = default, s50 = default, s51 = default;
        if (terms >= FetchTermsMin) Fetch(c, ldc, 2 * V.Count);
        for (; terms >= 4; terms -= 4)
        {
            Terms(a, b, ref s00, ref s01, ref s10, ref s11, ref s20, ref s21,
                ref s30, ref s31, ref s40, ref s41, ref s50, ref s51);
            a += stepA;
            Terms(a, b + (2 * V.Count), ref s00, ref s01, ref s10, ref s11, ref s20, ref s21,
                ref s30, ref s31, ref s40, ref s41, ref s50, ref s51);
            a += stepA;
            Terms(a, b + (4 * V.Count), ref s00, ref s01, ref s10, ref s11, ref s20, ref s21,
                ref s30, ref s31, ref s40, ref s41, ref s50, ref s51);
            a += stepA;
            Terms(a, b + (6 * V.Count), ref s00, ref s01, ref s10, ref s11, ref s20, ref s21,
                ref s30, ref s31, ref s40, ref s41, ref s50, ref s51);
            a += stepA;
            b += 8 * V.Count;
        }

        for (; terms > 0; terms--, a += stepA, b += 2 * V.Count)
        {
            Terms(a, b, ref s00, ref s01, ref s10, ref s11, ref s20, ref s21,
                ref s30, ref s31, ref s40, ref s41, ref s50, ref s51);
        }

        Row(c, s00, s01, add);
        Row(c + ldc, s10, s11, add);
        c += 2 * ldc;
        Row(c, s20, s21, add);
        Row(c + ldc, s30, s31, add);
        c += 2 * ldc;
        Row(c, s40, s41, add);
        Row(c + ldc, s50, s51, add);
    }

    /// <summary>Term p of row r lies at a + r·lda + p: rows of a matrix, not packed.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Direct<V>(int terms, float* a, nint lda, float* b, float* c, nint ldc, bool add)
        where V : unmanaged, ILanes<V>
    {
        V s00 = default, s01 = default, s10 = default, s11 = default, s20 = default, s21 = default;
        V s30 = default, s31 = default, s40 = default, s41 = default, s50 = default, s51 = default;
        var (a1, a2, a3) = ((nint)(a + lda), (nint)(a + (2 * lda)), (nint)(a + (3 * lda)));
        var (a4, a5) = ((nint)(a + (4 * lda)), (nint)(a + (5 * lda)));
        if (terms >= FetchTermsMin) Fetch(c, ldc, 2 * V.Count);
        V b0, b1;
        nint p = 0;
        for (; p <= terms - 2; p += 2, b += 4 * V.Count)
        {
            b0 = V.Load(b);
            b1 = V.Load(b + V.Count);
            Term(a[p], b0, b1, ref s00, ref s01);
            Term(((float*)a1)[p], b0, b1, ref s10, ref s11);
            Term(((float*)a2)[p], b0, b1, ref s20, ref s21);
            Term(((float*)a3)[p], b0, b1, ref s30, ref s31);
            Term(((float*)a4)[p], b0, b1, ref s40, ref s41);
            Term(((float*)a5)[p], b0, b1, ref s50, ref s51);
            b0 = V.Load(b + (2 * V.Count));
            b1 = V.Load(b + (3 * V.Count));
            Term(a[p + 1], b0, b1, ref s00, ref s01);
            Term(((float*)a1)[p + 1], b0, b1, ref s10, ref s11);
            Term(((float*)a2)[p + 1], b0, b1, ref s20, ref s21);
            Term(((float*)a3)[p + 1], b0, b1, ref s30, ref s31);
            Term(((float*)a4)[p + 1], b0, b1, ref s40, ref s41);
            Term(((float*)a5)[p + 1], b0, b1, ref s50, ref s51);
        }

        if (p < terms)
        {
            b0 = V.Load(b);
            b1 = V.Load(b + V.Count);
            Term(a[p], b0, b1, ref s00, ref s01);
            Term(((float*)a1)[p], b0, b1, ref s10, ref s11);
            Term(((float*)a2)[p], b0, b1, ref s20, ref s21);
            Term(((float*)a3)[p], b0, b1, ref s30, ref s31);
            Term(((float*)a4)[p], b0, b1, ref s40, ref s41);
            Term(((float*)a5)[p], b0, b1, ref s50, ref s51);
        }

        Row(c, s00, s01, add);
        Row(c + ldc, s10, s11, add);
        c += 2 * ldc;
        Row(c, s20, s21, add);
        Row(c + ldc, s30, s31, add);
        c += 2 * ldc;
        Row(c, s40, s41, add);
        Row(c + ldc, s50, s51, add);
    }

    /// <summary>
    /// Terms are pixels of an image, in runs of (offset, count), `step` floats apart; row r lies offsets[r] behind
    /// the pixel.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Patches<V>(
        (int Offset, int Count)* runs, int runCount, nint step, float* image, int* offsets, float* b, float* c,
        nint ldc, bool add) where V : unmanaged, ILanes<V>
    {
        V s00 = default, s01 = default, s10 = default, s11 = default, s20 = default, s21 = default;
        V s30 = default, s31 = default, s40 = default, s41 = default, s50 = default, s51 = default;
        nint o0 = offsets[0], o1 = offsets[1], o2 = offsets[2], o3 = offsets[3], o4 = offsets[4], o5 = offsets[5];
        for (; runCount > 0; runCount--, runs++)
        {
            var a = image + runs->Offset;
            for (var count = runs->Count; count > 0; count--)
            {
                var b0 = V.Load(b);
                var b1 = V.Load(b + V.Count);
                b += 2 * V.Count;
                Term(a[o0], b0, b1, ref s00, ref s01);
                Term(a[o1], b0, b1, ref s10, ref s11);
                Term(a[o2], b0, b1, ref s20, ref s21);
                Term(a[o3], b0, b1, ref s30, ref s31);
                Term(a[o4], b0, b1, ref s40, ref s41);
                Term(a[o5], b0, b1, ref s50, ref s51);
                a += step;
            }
        }

        Row(c, s00, s01, add);
        Row(c + ldc, s10, s11, add);
        c += 2 * ldc;
        Row(c, s20, s21, add);
        Row(c + ldc, s30, s31, add);
        c += 2 * ldc;
        Row(c, s40, s41, add);
        Row(c + ldc, s50, s51, add);
    }

    /// <summary>Rows are pixels of an image (places[r]); term p lies offsets[p] behind each of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pixels<V>(
        int terms, float* image, int* places, int* offsets, float* b, float* c, nint ldc, bool add)
        where V : unmanaged, ILanes<V>
    {
        V s00 = default, s01 = default, s10 = default, s11 = default, s20 = default, s21 = default;
        V s30 = default, s31 = default, s40 = default, s41 = default, s50 = default, s51 = default;
        float* a0 = image + places[0], a1 = image + places[1], a2 = image + places[2];
        float* a3 = image + places[3], a4 = image + places[4], a5 = image + places[5];
        for (; terms > 0; terms--)
        {
            nint p = *offsets++;
            var b0 = V.Load(b);
            var b1 = V.Load(b + V.Count);
            b += 2 * V.Count;
            Term(a0[p], b0, b1, ref s00, ref s01);
            Term(a1[p], b0, b1, ref s10, ref s11);
            Term(a2[p], b0, b1, ref s20, ref s21);
            Term(a3[p], b0, b1, ref s30, ref s31);
            Term(a4[p], b0, b1, ref s40, ref s41);
            Term(a5[p], b0, b1, ref s50, ref s51);
        }

        Row(c, s00, s01, add);
        Row(c + ldc, s10, s11, add);
        c += 2 * ldc;
        Row(c, s20, s21, add);
        Row(c + ldc, s30, s31, add);
        c += 2 * ldc;
        Row(c, s40, s41, add);
        Row(c + ldc, s50, s51, add);
    }

    // One term of a row of the tile.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Term<V>(float a, V b0, V b1, ref V left, ref V right) where V : unmanaged, ILanes<V>
    {
        var x = V.Create(a);
        V.AddProduct(x, b0, ref left);
        V.AddProduct(x, b1, ref right);
    }

    // One term of the tile, whose six rows are contiguous.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Terms<V>(
        float* a, float* b, ref V s00, ref V s01, ref V s10, ref V s11, ref V s20, ref V s21, ref V s30, ref V s31,
        ref V s40, ref V s41, ref V s50, ref V s51) where V : unmanaged, ILanes<V>
    {
        var b0 = V.Load(b);
        var b1 = V.Load(b + V.Count);
        Term(a[0], b0, b1, ref s00, ref s01);
        Term(a[1], b0, b1, ref s10, ref s11);
        Term(a[2], b0, b1, ref s20, ref s21);
        Term(a[3], b0, b1, ref s30, ref s31);
        Term(a[4], b0, b1, ref s40, ref s41);
        Term(a[5], b0, b1, ref s50, ref s51);
    }

    // The rows of c are needed after the sums only; asked for before them, they come from memory meanwhile.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Fetch(float* c, nint ldc, int columns)
    {
        for (var r = 0; r < Rows; r++, c += ldc)
        {
            Memory.Fetch(c);
            Memory.Fetch(c + columns - 1);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Row<V>(float* c, V left, V right, bool add) where V : unmanaged, ILanes<V>
    {
        if (add)
        {
            left = V.Load(c) + left;
            right = V.Load(c + V.Count) + right;
        }

        V.Store(left, c);
        V.Store(right, c + V.Count);
    }
}
