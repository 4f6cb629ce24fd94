using System.Runtime.CompilerServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Convoy.Kernels.Cpu.Products;

/// <summary>
/// Copies of operands in the order in which the tile reads them. A panel holds `width` rows of the operand (columns
/// of b), term by term: panel[p·width + r]. The last panel is filled up with zeros.
/// </summary>
internal static unsafe class Pack
{
    /// <summary>Terms are rows of the source: term p, place r at source[p·stride + r].</summary>
    public static void Rows(int terms, int count, float* source, nint stride, float* panels, int width)
    {
        for (var first = 0; first < count; first += width, panels += (nint)width * terms)
        {
            var take = Math.Min(width, count - first);
            var from = source + first;
            if (take == width && width == 16) Rows16(terms, from, stride, panels);
            else if (take == width && width == Tile.Rows) Rows6(terms, from, stride, panels);
            else RowsAny(terms, take, from, stride, panels, width);
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
            var done = 0;
            if (Avx.IsSupported && take == width && width % 8 == 0)
            {
                for (; done <= terms - 8; done += 8)
                    for (var r = 0; r < width; r += 8)
                        Transpose8x8(from + (r * stride) + done, stride, panels + (done * width) + r, width);
            }
            else if (take == Tile.Rows && width == Tile.Rows)
            {
                Columns6(terms, from, stride, panels);
                done = terms;
            }

            for (var r = 0; r < width; r++)
                for (var p = done; p < terms; p++) panels[(p * width) + r] = r < take ? from[(r * stride) + p] : 0f;
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows16(int terms, float* from, nint stride, float* to)
    {
        for (var p = 0; p < terms; p++, from += stride, to += 16)
        {
            Vector256.Store(Vector256.Load(from), to);
            Vector256.Store(Vector256.Load(from + 8), to + 8);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Rows6(int terms, float* from, nint stride, float* to)
    {
        for (var p = 0; p < terms; p++, from += stride, to += 6)
        {
            *(Vector128<float>*)to = *(Vector128<float>*)from;
            *(double*)(to + 4) = *(double*)(from + 4);
        }
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Columns6(int terms, float* a, nint stride, float* to)
    {
        float* b = a + stride, c = b + stride, d = c + stride, e = d + stride, f = e + stride;
        for (nint p = 0; p < terms; p++, to += 6)
        {
            to[0] = a[p];
            to[1] = b[p];
            to[2] = c[p];
            to[3] = d[p];
            to[4] = e[p];
            to[5] = f[p];
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal static void Transpose8x8(float* from, nint stride, float* to, nint toStride)
    {
        var (r0, r1) = (Vector256.Load(from), Vector256.Load(from + stride));
        var (r2, r3) = (Vector256.Load(from + (2 * stride)), Vector256.Load(from + (3 * stride)));
        from += 4 * stride;
        var (r4, r5) = (Vector256.Load(from), Vector256.Load(from + stride));
        var (r6, r7) = (Vector256.Load(from + (2 * stride)), Vector256.Load(from + (3 * stride)));
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
