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
// Inner loops: long on purpose, and repetitive so that the twelve sums stay in registers.
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
        for (; terms > 0; terms--)
        {
            var b0 = V.Load(b);
            var b1 = V.Load(b + V.Count);
            b += 2 * V.Count;
            var x = V.Create(a[0]);
            s00 = V.Fma(x, b0, s00);
            s01 = V.Fma(x, b1, s01);
            x = V.Create(a[1]);
            s10 = V.Fma(x, b0, s10);
            s11 = V.Fma(x, b1, s11);
            x = V.Create(a[2]);
            s20 = V.Fma(x, b0, s20);
            s21 = V.Fma(x, b1, s21);
            x = V.Create(a[3]);
            s30 = V.Fma(x, b0, s30);
            s31 = V.Fma(x, b1, s31);
            x = V.Create(a[4]);
            s40 = V.Fma(x, b0, s40);
            s41 = V.Fma(x, b1, s41);
            x = V.Create(a[5]);
            s50 = V.Fma(x, b0, s50);
            s51 = V.Fma(x, b1, s51);
            a += stepA;
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
        for (nint p = 0; p < terms; p++)
        {
            var b0 = V.Load(b);
            var b1 = V.Load(b + V.Count);
            b += 2 * V.Count;
            var x = V.Create(a[p]);
            s00 = V.Fma(x, b0, s00);
            s01 = V.Fma(x, b1, s01);
            x = V.Create(((float*)a1)[p]);
            s10 = V.Fma(x, b0, s10);
            s11 = V.Fma(x, b1, s11);
            x = V.Create(((float*)a2)[p]);
            s20 = V.Fma(x, b0, s20);
            s21 = V.Fma(x, b1, s21);
            x = V.Create(((float*)a3)[p]);
            s30 = V.Fma(x, b0, s30);
            s31 = V.Fma(x, b1, s31);
            x = V.Create(((float*)a4)[p]);
            s40 = V.Fma(x, b0, s40);
            s41 = V.Fma(x, b1, s41);
            x = V.Create(((float*)a5)[p]);
            s50 = V.Fma(x, b0, s50);
            s51 = V.Fma(x, b1, s51);
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
                var x = V.Create(a[o0]);
                s00 = V.Fma(x, b0, s00);
                s01 = V.Fma(x, b1, s01);
                x = V.Create(a[o1]);
                s10 = V.Fma(x, b0, s10);
                s11 = V.Fma(x, b1, s11);
                x = V.Create(a[o2]);
                s20 = V.Fma(x, b0, s20);
                s21 = V.Fma(x, b1, s21);
                x = V.Create(a[o3]);
                s30 = V.Fma(x, b0, s30);
                s31 = V.Fma(x, b1, s31);
                x = V.Create(a[o4]);
                s40 = V.Fma(x, b0, s40);
                s41 = V.Fma(x, b1, s41);
                x = V.Create(a[o5]);
                s50 = V.Fma(x, b0, s50);
                s51 = V.Fma(x, b1, s51);
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
            var x = V.Create(a0[p]);
            s00 = V.Fma(x, b0, s00);
            s01 = V.Fma(x, b1, s01);
            x = V.Create(a1[p]);
            s10 = V.Fma(x, b0, s10);
            s11 = V.Fma(x, b1, s11);
            x = V.Create(a2[p]);
            s20 = V.Fma(x, b0, s20);
            s21 = V.Fma(x, b1, s21);
            x = V.Create(a3[p]);
            s30 = V.Fma(x, b0, s30);
            s31 = V.Fma(x, b1, s31);
            x = V.Create(a4[p]);
            s40 = V.Fma(x, b0, s40);
            s41 = V.Fma(x, b1, s41);
            x = V.Create(a5[p]);
            s50 = V.Fma(x, b0, s50);
            s51 = V.Fma(x, b1, s51);
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
