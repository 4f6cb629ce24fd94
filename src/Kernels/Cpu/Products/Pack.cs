using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Convoy.Kernels.Cpu.Products;

/// <summary>
/// Copies of operands in the order in which the tile reads them. A panel holds `width` rows of the operand (columns
/// of b), term by term: panel[p·width + r]. The last panel is filled up with zeros. Up to <see cref="Slack"/> floats
/// behind the last panel may be written.
/// </summary>
internal static unsafe class Pack
{
    public const int Slack = 8;

    // Panels that one pass over the terms fills: a row of the source is then read in pieces of several cache lines, and
    // not again for each panel after a row stride that is a power of two has pushed it out of the cache.
    private const int Bundle = 4;

    // Rows between a row that is copied and the one that is called from memory.
    private const int Ahead = 16;

    // Terms between one that is turned and the one that is called from memory, where columns are packed.
    private const int TermsAhead = 64;
    private const int LineFloats = 16;

    /// <summary>Terms are rows of the source: term p, place r at source[p·stride + r].</summary>
    public static void Rows(int terms, int count, float* source, nint stride, float* panels, int width)
    {
        for (var first = 0; first < count;)
        {
            var from = source + first;
            var whole = (count - first) / width;
            if (whole >= Bundle && width == Tile.Rows)
            {
                Rows6x4(terms, from, stride, panels);
                whole = Bundle;
            }
            else if (whole >= Bundle && width == 16)
            {
                Rows16x4(terms, from, stride, panels);
                whole = Bundle;
            }
            else
            {
                var take = Math.Min(width, count - first);
                if (take == width && width % 16 == 0) RowsWide(terms, from, stride, panels, width);
                else if (take == width && width == Tile.Rows) Rows6(terms, from, stride, panels);
                else RowsAny(terms, take, from, stride, panels, width);
                whole = 1;
            }

            first += whole * width;
            panels += (nint)whole * width * terms;
        }
    }

    /// <summary>Terms are columns of the source: term p, place r at source[r·stride + p].</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public static void Columns(int terms, int count, float* source, nint stride, float* panels, int width)
    {
        for (var first = 0; first < count; first += width, panels += (nint)width * terms)
        {
            var take = Math.Min(width, count - first);
            var from = source + (first * stride);
            var (done, turned) = (0, width);
            if (Avx.IsSupported && width % 8 == 0)
            {
                turned = take / 8 * 8;
                for (; done <= terms - 8; done += 8)
                {
                    if (done % LineFloats == 0 && take == width) FetchColumns(terms, from + done, stride, width, done);
                    for (var r = 0; r < turned; r += 8)
                        Transpose8x8(from + (r * stride) + done, stride, panels + (done * width) + r, width);
                }
            }
            else if (Avx.IsSupported && take == Tile.Rows && width == Tile.Rows)
            {
                var next = first + (2 * Tile.Rows) <= count ? Tile.Rows * stride : 0;
                for (; done <= terms - 8; done += 8) Transpose6x8(from + done, stride, panels + (done * 6), next);
            }

            for (var r = 0; r < width; r++)
            {
                for (var p = r < turned ? done : 0; p < terms; p++)
                    panels[(p * width) + r] = r < take ? from[(r * stride) + p] : 0f;
            }
        }
    }

    /// <summary>
    /// As <see cref="Columns"/>, two registers wide, the last panel one register where that is enough (NarrowTile).
    /// </summary>
    public static void ColumnPanels<V>(int terms, int count, float* source, nint stride, float* panels)
        where V : unmanaged, ILanes<V>
    {
        var wide = WideColumns<V>(count);
        Columns(terms, Math.Min(count, wide), source, stride, panels, Tile.Columns<V>());
        Columns(terms, count - wide, source + (wide * stride), stride, panels + ((nint)wide * terms), V.Count);
    }

    /// <summary>As <see cref="Rows"/>, in panels of the widths of <see cref="ColumnPanels"/>.</summary>
    public static void RowPanels<V>(int terms, int count, float* source, nint stride, float* panels)
        where V : unmanaged, ILanes<V>
    {
        var wide = WideColumns<V>(count);
        Rows(terms, Math.Min(count, wide), source, stride, panels, Tile.Columns<V>());
        Rows(terms, count - wide, source + wide, stride, panels + ((nint)wide * terms), V.Count);
    }

    // Columns in panels of two registers, the zeros of the last one included.
    private static int WideColumns<V>(int count) where V : unmanaged, ILanes<V> =>
        NarrowTile.Padded<V>(count) / Tile.Columns<V>() * Tile.Columns<V>();

    // Calls a cache line of each row that a panel needs soon: its own, or at the end of them the next panel's. A row of
    // the source is too short a piece for the processor to see where it goes.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void FetchColumns(int terms, float* from, nint stride, int width, int done)
    {
        var next = terms <= TermsAhead ? width * stride
            : done + TermsAhead < terms ? TermsAhead
            : (width * stride) + TermsAhead - terms;
        from += next;
        for (var r = 0; r < width; r++, from += stride) Memory.Fetch(from);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RowsWide(int terms, float* from, nint stride, float* to, int width)
    {
        for (var p = 0; p < terms; p++, from += stride, to += width)
        {
            for (nint r = 0; r < width; r += 16)
            {
                Vector256.Store(Vector256.Load(from + r), to + r);
                Vector256.Store(Vector256.Load(from + r + 8), to + r + 8);
            }
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows16x4(int terms, float* from, nint stride, float* to)
    {
        var panel = (nint)terms * 16;
        var ahead = Ahead * stride;
        for (var p = 0; p < terms; p++, from += stride, to += 16)
        {
            if (p == terms - Ahead) ahead = 0;
            for (nint i = 0; i < Bundle; i++)
            {
                Memory.Fetch(from + ahead + (16 * i));
                Vector256.Store(Vector256.Load(from + (16 * i)), to + (i * panel));
                Vector256.Store(Vector256.Load(from + (16 * i) + 8), to + (i * panel) + 8);
            }
        }
    }

    // Eight floats are moved where six are wanted: the next term writes over the two. Not behind the last term, whose
    // neighbour is written already, nor at the last panel, where the source may end.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows6x4(int terms, float* from, nint stride, float* to)
    {
        var panel = (nint)terms * 6;
        var ahead = Ahead * stride;
        for (var p = 0; p < terms - 1; p++, from += stride, to += 6)
        {
            if (p >= terms - Ahead) ahead = 0;
            Memory.Fetch(from + ahead);
            Memory.Fetch(from + ahead + 16);
            Vector256.Store(Vector256.Load(from), to);
            Vector256.Store(Vector256.Load(from + 6), to + panel);
            Vector256.Store(Vector256.Load(from + 12), to + (2 * panel));
            Six(from + 18, to + (3 * panel));
        }

        for (nint i = 0; i < Bundle && terms > 0; i++) Six(from + (6 * i), to + (i * panel));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows6(int terms, float* from, nint stride, float* to)
    {
        for (var p = 0; p < terms; p++, from += stride, to += 6) Six(from, to);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Six(float* from, float* to)
    {
        *(Vector128<float>*)to = *(Vector128<float>*)from;
        *(double*)(to + 4) = *(double*)(from + 4);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void RowsAny(int terms, int take, float* from, nint stride, float* to, int width)
    {
        for (var p = 0; p < terms; p++, from += stride, to += width)
        {
            for (var r = 0; r < take; r++) to[r] = from[r];
            for (var r = take; r < width; r++) to[r] = 0f;
        }
    }

    // Ascending, so that the two floats too many of a term are written over by the next one. The rows of the next panel
    // lie `next` behind these.
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Transpose6x8(float* from, nint stride, float* to, nint next)
    {
        var (r0, r1) = (Vector256.Load(from), Vector256.Load(from + stride));
        Memory.Fetch(from + next);
        Memory.Fetch(from + next + stride);
        from += 2 * stride;
        var (r2, r3) = (Vector256.Load(from), Vector256.Load(from + stride));
        Memory.Fetch(from + next);
        Memory.Fetch(from + next + stride);
        from += 2 * stride;
        var (r4, r5) = (Vector256.Load(from), Vector256.Load(from + stride));
        Memory.Fetch(from + next);
        Memory.Fetch(from + next + stride);
        Turn(r0, r1, r2, r3, r4, r5, r5, r5, to, 6);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Transpose8x8(float* from, nint stride, float* to, nint toStride)
    {
        var (r0, r1) = (Vector256.Load(from), Vector256.Load(from + stride));
        var (r2, r3) = (Vector256.Load(from + (2 * stride)), Vector256.Load(from + (3 * stride)));
        from += 4 * stride;
        var (r4, r5) = (Vector256.Load(from), Vector256.Load(from + stride));
        var (r6, r7) = (Vector256.Load(from + (2 * stride)), Vector256.Load(from + (3 * stride)));
        Turn(r0, r1, r2, r3, r4, r5, r6, r7, to, toStride);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Turn(
        Vector256<float> r0, Vector256<float> r1, Vector256<float> r2, Vector256<float> r3, Vector256<float> r4,
        Vector256<float> r5, Vector256<float> r6, Vector256<float> r7, float* to, nint toStride)
    {
        var (t0, t1) = (Avx.UnpackLow(r0, r1), Avx.UnpackHigh(r0, r1));
        var (t2, t3) = (Avx.UnpackLow(r2, r3), Avx.UnpackHigh(r2, r3));
        var (t4, t5) = (Avx.UnpackLow(r4, r5), Avx.UnpackHigh(r4, r5));
        var (t6, t7) = (Avx.UnpackLow(r6, r7), Avx.UnpackHigh(r6, r7));
        var (s0, s1) = (Avx.Shuffle(t0, t2, 0x44), Avx.Shuffle(t0, t2, 0xEE));
        var (s2, s3) = (Avx.Shuffle(t1, t3, 0x44), Avx.Shuffle(t1, t3, 0xEE));
        var (s4, s5) = (Avx.Shuffle(t4, t6, 0x44), Avx.Shuffle(t4, t6, 0xEE));
        var (s6, s7) = (Avx.Shuffle(t5, t7, 0x44), Avx.Shuffle(t5, t7, 0xEE));
        Vector256.Store(Avx.Permute2x128(s0, s4, 0x20), to);
        Vector256.Store(Avx.Permute2x128(s1, s5, 0x20), to + toStride);
        Vector256.Store(Avx.Permute2x128(s2, s6, 0x20), to + (2 * toStride));
        Vector256.Store(Avx.Permute2x128(s3, s7, 0x20), to + (3 * toStride));
        to += 4 * toStride;
        Vector256.Store(Avx.Permute2x128(s0, s4, 0x31), to);
        Vector256.Store(Avx.Permute2x128(s1, s5, 0x31), to + toStride);
        Vector256.Store(Avx.Permute2x128(s2, s6, 0x31), to + (2 * toStride));
        Vector256.Store(Avx.Permute2x128(s3, s7, 0x31), to + (3 * toStride));
    }
}
