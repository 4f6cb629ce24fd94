using System.Runtime.CompilerServices;

namespace Convoy.Kernels.Cpu.Products;

// The register tile for what is left of the columns when it fits in one register: 12 rows x 1 register, twelve sums as
// in Tile, and no lane of a second register computes what nobody reads. Bits are those of Tile: an element is the same
// chain in either.
//   b        packed: term p has its V.Count columns at b + p·V.Count
//   add      c = c + sum, else c = sum
// Measured with AVX-512 (one core of Zen 5, 2026-11): the weight gradient of 1 to 16 channels of 28 x 28 in 172 us
// (1,866 before), 128x10x512 at 1.14 of OpenBLAS (0.83).
internal static unsafe class NarrowTile
{
    public const int Rows = 2 * Tile.Rows;

    /// <summary>Columns of the next panel of a matrix with so many columns left.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static int Width<V>(int left) where V : unmanaged, ILanes<V> => left > V.Count ? 2 * V.Count : V.Count;

    /// <summary>Columns of all panels together: whole registers.</summary>
    public static int Padded<V>(int columns) where V : unmanaged, ILanes<V> =>
        checked((columns + V.Count - 1) / V.Count * V.Count);

    /// <summary>Two panels of six rows (Pack), term p of each at p·6.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Packed<V>(int terms, float* upper, float* lower, float* b, float* c, nint ldc, bool add)
        where V : unmanaged, ILanes<V>
    {
        V s0 = default, s1 = default, s2 = default, s3 = default, s4 = default, s5 = default;
        V s6 = default, s7 = default, s8 = default, s9 = default, s10 = default, s11 = default;
        for (; terms > 0; terms--, upper += Tile.Rows, lower += Tile.Rows, b += V.Count)
        {
            var x = V.Load(b);
            V.AddProduct(V.Create(upper[0]), x, ref s0);
            V.AddProduct(V.Create(upper[1]), x, ref s1);
            V.AddProduct(V.Create(upper[2]), x, ref s2);
            V.AddProduct(V.Create(upper[3]), x, ref s3);
            V.AddProduct(V.Create(upper[4]), x, ref s4);
            V.AddProduct(V.Create(upper[5]), x, ref s5);
            V.AddProduct(V.Create(lower[0]), x, ref s6);
            V.AddProduct(V.Create(lower[1]), x, ref s7);
            V.AddProduct(V.Create(lower[2]), x, ref s8);
            V.AddProduct(V.Create(lower[3]), x, ref s9);
            V.AddProduct(V.Create(lower[4]), x, ref s10);
            V.AddProduct(V.Create(lower[5]), x, ref s11);
        }

        Store(c, ldc, s0, s1, s2, s3, s4, s5, add);
        Store(c + (6 * ldc), ldc, s6, s7, s8, s9, s10, s11, add);
    }

    /// <summary>Term p of row r lies at a + r·lda + p; rows from <paramref name="rows"/> on repeat the last.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Direct<V>(int terms, float* a, nint lda, int rows, float* b, float* c, nint ldc, bool add)
        where V : unmanaged, ILanes<V>
    {
        var places = stackalloc int[Rows];
        for (var r = 0; r < Rows; r++) places[r] = checked((int)(Math.Min(r, rows - 1) * lda));
        V s0 = default, s1 = default, s2 = default, s3 = default, s4 = default, s5 = default;
        V s6 = default, s7 = default, s8 = default, s9 = default, s10 = default, s11 = default;
        float* a0 = a + places[0], a1 = a + places[1], a2 = a + places[2], a3 = a + places[3];
        float* a4 = a + places[4], a5 = a + places[5], a6 = a + places[6], a7 = a + places[7];
        float* a8 = a + places[8], a9 = a + places[9], a10 = a + places[10], a11 = a + places[11];
        for (nint p = 0; p < terms; p++, b += V.Count)
        {
            var x = V.Load(b);
            V.AddProduct(V.Create(a0[p]), x, ref s0);
            V.AddProduct(V.Create(a1[p]), x, ref s1);
            V.AddProduct(V.Create(a2[p]), x, ref s2);
            V.AddProduct(V.Create(a3[p]), x, ref s3);
            V.AddProduct(V.Create(a4[p]), x, ref s4);
            V.AddProduct(V.Create(a5[p]), x, ref s5);
            V.AddProduct(V.Create(a6[p]), x, ref s6);
            V.AddProduct(V.Create(a7[p]), x, ref s7);
            V.AddProduct(V.Create(a8[p]), x, ref s8);
            V.AddProduct(V.Create(a9[p]), x, ref s9);
            V.AddProduct(V.Create(a10[p]), x, ref s10);
            V.AddProduct(V.Create(a11[p]), x, ref s11);
        }

        Store(c, ldc, s0, s1, s2, s3, s4, s5, add);
        Store(c + (6 * ldc), ldc, s6, s7, s8, s9, s10, s11, add);
    }

    /// <summary>Rows are pixels of an image (places[r]); term p lies offsets[p] behind each of them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Pixels<V>(
        int terms, float* image, int* places, int* offsets, float* b, float* c, nint ldc, bool add)
        where V : unmanaged, ILanes<V>
    {
        V s0 = default, s1 = default, s2 = default, s3 = default, s4 = default, s5 = default;
        V s6 = default, s7 = default, s8 = default, s9 = default, s10 = default, s11 = default;
        float* a0 = image + places[0], a1 = image + places[1], a2 = image + places[2], a3 = image + places[3];
        float* a4 = image + places[4], a5 = image + places[5], a6 = image + places[6], a7 = image + places[7];
        float* a8 = image + places[8], a9 = image + places[9], a10 = image + places[10], a11 = image + places[11];
        for (; terms > 0; terms--, b += V.Count)
        {
            nint p = *offsets++;
            var x = V.Load(b);
            V.AddProduct(V.Create(a0[p]), x, ref s0);
            V.AddProduct(V.Create(a1[p]), x, ref s1);
            V.AddProduct(V.Create(a2[p]), x, ref s2);
            V.AddProduct(V.Create(a3[p]), x, ref s3);
            V.AddProduct(V.Create(a4[p]), x, ref s4);
            V.AddProduct(V.Create(a5[p]), x, ref s5);
            V.AddProduct(V.Create(a6[p]), x, ref s6);
            V.AddProduct(V.Create(a7[p]), x, ref s7);
            V.AddProduct(V.Create(a8[p]), x, ref s8);
            V.AddProduct(V.Create(a9[p]), x, ref s9);
            V.AddProduct(V.Create(a10[p]), x, ref s10);
            V.AddProduct(V.Create(a11[p]), x, ref s11);
        }

        Store(c, ldc, s0, s1, s2, s3, s4, s5, add);
        Store(c + (6 * ldc), ldc, s6, s7, s8, s9, s10, s11, add);
    }

    /// <summary>
    /// Terms are pixels of an image, in runs of (offset, count), `step` floats apart; row r lies offsets[r] behind the
    /// pixel.
    /// </summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Patches<V>(
        (int Offset, int Count)* runs, int runCount, nint step, float* image, int* offsets, float* b, float* c,
        nint ldc, bool add) where V : unmanaged, ILanes<V>
    {
        V s0 = default, s1 = default, s2 = default, s3 = default, s4 = default, s5 = default;
        V s6 = default, s7 = default, s8 = default, s9 = default, s10 = default, s11 = default;
        nint o0 = offsets[0], o1 = offsets[1], o2 = offsets[2], o3 = offsets[3], o4 = offsets[4], o5 = offsets[5];
        nint o6 = offsets[6], o7 = offsets[7], o8 = offsets[8], o9 = offsets[9], o10 = offsets[10], o11 = offsets[11];
        for (; runCount > 0; runCount--, runs++)
        {
            var a = image + runs->Offset;
            for (var count = runs->Count; count > 0; count--, a += step, b += V.Count)
            {
                var x = V.Load(b);
                V.AddProduct(V.Create(a[o0]), x, ref s0);
                V.AddProduct(V.Create(a[o1]), x, ref s1);
                V.AddProduct(V.Create(a[o2]), x, ref s2);
                V.AddProduct(V.Create(a[o3]), x, ref s3);
                V.AddProduct(V.Create(a[o4]), x, ref s4);
                V.AddProduct(V.Create(a[o5]), x, ref s5);
                V.AddProduct(V.Create(a[o6]), x, ref s6);
                V.AddProduct(V.Create(a[o7]), x, ref s7);
                V.AddProduct(V.Create(a[o8]), x, ref s8);
                V.AddProduct(V.Create(a[o9]), x, ref s9);
                V.AddProduct(V.Create(a[o10]), x, ref s10);
                V.AddProduct(V.Create(a[o11]), x, ref s11);
            }
        }

        Store(c, ldc, s0, s1, s2, s3, s4, s5, add);
        Store(c + (6 * ldc), ldc, s6, s7, s8, s9, s10, s11, add);
    }

    // Six rows of the tile.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Store<V>(float* c, nint ldc, V s0, V s1, V s2, V s3, V s4, V s5, bool add)
        where V : unmanaged, ILanes<V>
    {
        Row(c, s0, add);
        Row(c + ldc, s1, add);
        Row(c + (2 * ldc), s2, add);
        Row(c + (3 * ldc), s3, add);
        Row(c + (4 * ldc), s4, add);
        Row(c + (5 * ldc), s5, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Row<V>(float* c, V sum, bool add) where V : unmanaged, ILanes<V>
    {
        if (add) sum = V.Load(c) + sum;
        V.Store(sum, c);
    }
}
