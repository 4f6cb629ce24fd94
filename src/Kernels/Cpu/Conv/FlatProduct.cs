using System.Runtime.CompilerServices;
using Convoy.Kernels.Reference;

namespace Convoy.Kernels.Cpu.Conv;

// weights [rows, terms] · patches [terms, pixels] for few rows, where pixels lie side by side. The image is taken as
// one long row, so that a term of twelve registers of pixels is twelve registers of the image at the term's offset. The
// sums between the rows of the image are not used. Where there are 32 registers, and the result has the size of the
// source, there is nothing between the rows: masks (EdgeMasks) make the zeros around the image, three operations for 24
// multiply-adds, on units that these do not use; 14 x 14 pixels are 13 registers then, not 14, and sums are stored
// where they belong. Measured with AVX-512 (one core of Zen 5, 2026-11): the input gradient of 16 channels of 14 x 14
// from 32 in 0.94 of the time. Reading samples where they lie, not a copy, took 2.6 times the time at 28 x 28.
internal readonly unsafe struct FlatProduct<V> where V : unmanaged, ILanes<V>
{
    // Registers of sums of one call: twelve of one row, or three of each of four rows; of eight rows where there are 32
    // registers. A load of pixels that crosses a cache line counts twice: 24 loads for twelve multiply-adds of a row,
    // ten for those of four rows, seven with eight. The last call may take two of each row: 14 x 14 pixels are 14
    // registers.
    private const int Registers = 12;
    private const int Together = 4;
    private const int RegistersEach = Registers / Together;

    private readonly int _rows;
    private readonly int _outH;
    private readonly int _outW;
    private readonly int _width;
    private readonly TermList _terms;
    private readonly float* _weights;
    private readonly float* _sums;
    private readonly EdgeMasks _edges;

    /// <param name="edges">None: the image has zeros around its rows.</param>
    public FlatProduct(
        int imageWidth, in EdgeMasks edges, int rows, in TermList terms, int outH, int outW, float* weights)
    {
        (_rows, _outH, _outW, _width, _terms) = (rows, outH, outW, imageWidth, terms);
        _weights = weights;
        _edges = edges;
        _sums = edges.IsNone ? Scratch.Floats(ScratchSlot.ConvPanel, checked(rows * Length)) : null;
    }

    /// <summary>Few rows leave most of a register tile empty, whose columns are rows.</summary>
    public static bool Fits(int rows, int step) => step == 1 && 2 * rows <= Products.Tile.Columns<V>();

    /// <summary>The source has the size of the result, and masks take no more memory than the sums that they
    /// save.</summary>
    public static bool FitsBare(in Conv2dShape s, int rows) =>
        V.Count == Order.Lanes && Fits(rows, s.Stride) && rows > 0 && rows % Together == 0
        && s.OutH == s.H && s.OutW == s.W && s.H * s.W >= RegistersEach * V.Count && s.Kh * s.Kw <= rows
        && s.CInGroup > 0 && s.COutGroup > 0;

    // From the first pixel to the last, in whole registers.
    private int Length => (Places + (Registers * V.Count) - 1) / (Registers * V.Count) * Registers * V.Count;

    private int Places => Math.Max(0, ((_outH - 1) * _width) + _outW);

    /// <summary>c [rows, pixels] of one image.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(float* image, float* c)
    {
        if (!_edges.IsNone)
        {
            Bare(image, c);
            return;
        }

        var (length, places, together) = (Length, Places, _rows / Together * Together);
        for (var at = 0; at < places && together > 0; at += RegistersEach * V.Count)
        {
            if (places - at > 2 * V.Count) Rows<Three, Padded>(image, together, at, _sums, length);
            else Rows<Two, Padded>(image, together, at, _sums, length);
        }

        for (var at = 0; at < length && together < _rows; at += Registers * V.Count)
        {
            for (var row = together; row < _rows; row++)
                Sum<Three, Padded>(image, row, 1, at, _sums + ((nint)row * length) + at, length);
        }

        for (var row = 0; row < _rows; row++, c += _outH * _outW)
            PaddedImage.Rows(
                _sums + ((nint)row * length), _width, c, _outW, _outW, _outH, zeros: false, row == _rows - 1);
    }

    // Three registers of pixels in a call, or two where three would leave one for the last call. The last one ends with
    // the last pixel: what it computes again has the same bits.
    private void Bare(float* image, float* c)
    {
        var pixels = _outH * _outW;
        for (int at = 0, each; at < pixels; at += each * V.Count)
        {
            var left = (pixels - at + V.Count - 1) / V.Count;
            each = left is 3 or > 4 ? 3 : 2;
            at = Math.Min(at, pixels - (each * V.Count));
            if (each == 3) Rows<Three, Masked>(image, _rows, at, c, pixels);
            else Rows<Two, Masked>(image, _rows, at, c, pixels);
        }
    }

    // The first rows, four or eight together, for the registers of pixels from `at` on.
    private void Rows<TEach, TEdges>(float* image, int end, int at, float* c, int ldc)
    {
        for (int row = 0, rows; row < end; row += rows)
        {
            rows = V.Count == Order.Lanes && row + (2 * Together) <= end ? 2 * Together : Together;
            Sum<TEach, TEdges>(image, row, rows, at, c + ((nint)row * ldc) + at, ldc);
        }
    }

    // Registers of pixels of a call, for the compiler.
    private readonly struct Two;
    private readonly struct Three;

    // What lies between the rows of an image: zeros, or nothing.
    private readonly struct Padded;
    private readonly struct Masked;

    // The sums of one, four or eight rows from `row` on, for the registers of pixels from `at` on.
    private void Sum<TEach, TEdges>(float* image, int row, int rows, int at, float* sums, int length)
    {
        var weights = _weights + ((nint)row * _terms.Count);
        if (_terms.Blocks == 0)
        {
            for (var r = 0; r < rows; r++)
                new Span<float>(sums + (r * length), (rows > 1 ? RegistersEach : Registers) * V.Count).Clear();
        }

        for (var block = 0; block < _terms.Blocks; block++)
        {
            var (from, count) = _terms.Block(block);
            var offsets = _terms.Offsets + from;
            var edges = _edges.From(from, at);
            if (rows == 1) Chain(count, weights + from, offsets, image + at, sums, block > 0);
            else if (rows == Together)
                Four<TEach, TEdges>(
                    count, weights + from, _terms.Count, offsets, image + at, edges, sums, length, block > 0);
            else Eight<TEach, TEdges>(
                count, weights + from, _terms.Count, offsets, image + at, edges, sums, length, block > 0);
        }
    }

    // Four rows of weights, `stride` floats apart, and two or three registers of pixels; c [4, `ldc`].
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Four<TEach, TEdges>(
        int terms, float* weights, nint stride, int* offsets, float* image, in EdgeMasks.Circle edges, float* c,
        nint ldc, bool add)
    {
        V s00 = default, s01 = default, s02 = default, s10 = default, s11 = default, s12 = default;
        V s20 = default, s21 = default, s22 = default, s30 = default, s31 = default, s32 = default;
        var (w1, w2, w3) = ((nint)(weights + stride), (nint)(weights + (2 * stride)), (nint)(weights + (3 * stride)));
        float* mask = edges.Now, first = edges.First, end = edges.End;
        var step = edges.Step;
        for (nint t = 0; t < terms; t++)
        {
            var x = image + offsets[t];
            V x0 = Pixels<TEdges>(x, mask), x1 = Pixels<TEdges>(x + V.Count, mask + V.Count);
            var x2 = typeof(TEach) == typeof(Three) ? Pixels<TEdges>(x + (2 * V.Count), mask + (2 * V.Count)) : default;
            if (typeof(TEdges) == typeof(Masked)) mask = mask == end ? first : mask + step;
            Term<TEach>(weights[t], x0, x1, x2, ref s00, ref s01, ref s02);
            Term<TEach>(((float*)w1)[t], x0, x1, x2, ref s10, ref s11, ref s12);
            Term<TEach>(((float*)w2)[t], x0, x1, x2, ref s20, ref s21, ref s22);
            Term<TEach>(((float*)w3)[t], x0, x1, x2, ref s30, ref s31, ref s32);
        }

        Row<TEach>(c, s00, s01, s02, add);
        Row<TEach>(c + ldc, s10, s11, s12, add);
        Row<TEach>(c + (2 * ldc), s20, s21, s22, add);
        Row<TEach>(c + (3 * ldc), s30, s31, s32, add);
    }

    // The same with eight rows.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Eight<TEach, TEdges>(
        int terms, float* weights, nint stride, int* offsets, float* image, in EdgeMasks.Circle edges, float* c,
        nint ldc, bool add)
    {
        V s00 = default, s01 = default, s02 = default, s10 = default, s11 = default, s12 = default;
        V s20 = default, s21 = default, s22 = default, s30 = default, s31 = default, s32 = default;
        V s40 = default, s41 = default, s42 = default, s50 = default, s51 = default, s52 = default;
        V s60 = default, s61 = default, s62 = default, s70 = default, s71 = default, s72 = default;
        var (third, sixth) = ((nint)(weights + (3 * stride)), (nint)(weights + (6 * stride)));
        float* mask = edges.Now, first = edges.First, end = edges.End;
        var step = edges.Step;
        for (nint t = 0; t < terms; t++)
        {
            var x = image + offsets[t];
            V x0 = Pixels<TEdges>(x, mask), x1 = Pixels<TEdges>(x + V.Count, mask + V.Count);
            var x2 = typeof(TEach) == typeof(Three) ? Pixels<TEdges>(x + (2 * V.Count), mask + (2 * V.Count)) : default;
            if (typeof(TEdges) == typeof(Masked)) mask = mask == end ? first : mask + step;
            var w = weights + t;
            Term<TEach>(w[0], x0, x1, x2, ref s00, ref s01, ref s02);
            Term<TEach>(w[stride], x0, x1, x2, ref s10, ref s11, ref s12);
            Term<TEach>(w[2 * stride], x0, x1, x2, ref s20, ref s21, ref s22);
            w = (float*)third + t;
            Term<TEach>(w[0], x0, x1, x2, ref s30, ref s31, ref s32);
            Term<TEach>(w[stride], x0, x1, x2, ref s40, ref s41, ref s42);
            Term<TEach>(w[2 * stride], x0, x1, x2, ref s50, ref s51, ref s52);
            w = (float*)sixth + t;
            Term<TEach>(w[0], x0, x1, x2, ref s60, ref s61, ref s62);
            Term<TEach>(w[stride], x0, x1, x2, ref s70, ref s71, ref s72);
        }

        Row<TEach>(c, s00, s01, s02, add);
        Row<TEach>(c + ldc, s10, s11, s12, add);
        Row<TEach>(c + (2 * ldc), s20, s21, s22, add);
        Row<TEach>(c + (3 * ldc), s30, s31, s32, add);
        c += 4 * ldc;
        Row<TEach>(c, s40, s41, s42, add);
        Row<TEach>(c + ldc, s50, s51, s52, add);
        Row<TEach>(c + (2 * ldc), s60, s61, s62, add);
        Row<TEach>(c + (3 * ldc), s70, s71, s72, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static V Pixels<TEdges>(float* x, float* mask) =>
        typeof(TEdges) == typeof(Masked) ? V.Load(x) & V.Load(mask) : V.Load(x);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Term<TEach>(float weight, V x0, V x1, V x2, ref V s0, ref V s1, ref V s2)
    {
        var w = V.Create(weight);
        V.AddProduct(x0, w, ref s0);
        V.AddProduct(x1, w, ref s1);
        if (typeof(TEach) == typeof(Three)) V.AddProduct(x2, w, ref s2);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Row<TEach>(float* c, V s0, V s1, V s2, bool add)
    {
        Products.Tile.Row(c, s0, s1, add);
        if (typeof(TEach) == typeof(Three))
            V.Store(add ? V.Load(c + (2 * V.Count)) + s2 : s2, c + (2 * V.Count));
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Chain(int terms, float* weights, int* offsets, float* image, float* c, bool add)
    {
        V s0 = default, s1 = default, s2 = default, s3 = default, s4 = default, s5 = default;
        V s6 = default, s7 = default, s8 = default, s9 = default, s10 = default, s11 = default;
        for (nint t = 0; t < terms; t++)
        {
            var x = image + offsets[t];
            var w = V.Create(weights[t]);
            s0 = V.Fma(V.Load(x), w, s0);
            s1 = V.Fma(V.Load(x + V.Count), w, s1);
            s2 = V.Fma(V.Load(x + (2 * V.Count)), w, s2);
            s3 = V.Fma(V.Load(x + (3 * V.Count)), w, s3);
            s4 = V.Fma(V.Load(x + (4 * V.Count)), w, s4);
            s5 = V.Fma(V.Load(x + (5 * V.Count)), w, s5);
            s6 = V.Fma(V.Load(x + (6 * V.Count)), w, s6);
            s7 = V.Fma(V.Load(x + (7 * V.Count)), w, s7);
            s8 = V.Fma(V.Load(x + (8 * V.Count)), w, s8);
            s9 = V.Fma(V.Load(x + (9 * V.Count)), w, s9);
            s10 = V.Fma(V.Load(x + (10 * V.Count)), w, s10);
            s11 = V.Fma(V.Load(x + (11 * V.Count)), w, s11);
        }

        Products.Tile.Row(c, s0, s1, add);
        Products.Tile.Row(c + (2 * V.Count), s2, s3, add);
        Products.Tile.Row(c + (4 * V.Count), s4, s5, add);
        Products.Tile.Row(c + (6 * V.Count), s6, s7, add);
        Products.Tile.Row(c + (8 * V.Count), s8, s9, add);
        Products.Tile.Row(c + (10 * V.Count), s10, s11, add);
    }
}
