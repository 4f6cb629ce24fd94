using System.Runtime.CompilerServices;

namespace Convoy.Kernels.Cpu.Conv;

// weights [rows, terms] · patches [terms, pixels] for few rows, where pixels lie side by side. The image is taken as
// one long row, so that a term of twelve registers of pixels is twelve registers of the image at the term's offset. The
// sums between the rows of the image are not used.
internal readonly unsafe struct FlatProduct<V> where V : unmanaged, ILanes<V>
{
    // Registers of sums of one call: all of one row, or three of each of four rows. A load of pixels that crosses a
    // cache line counts twice: 24 loads for twelve multiply-adds of a row, 10 for those of four rows.
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

    public FlatProduct(int imageWidth, int rows, in TermList terms, int outH, int outW, float* weights)
    {
        (_rows, _outH, _outW, _width, _terms) = (rows, outH, outW, imageWidth, terms);
        _weights = weights;
        _sums = Scratch.Floats(ScratchSlot.ConvPanel, checked(rows * Length));
    }

    /// <summary>Few rows leave most of a register tile empty, whose columns are rows.</summary>
    public static bool Fits(int rows, int step) => step == 1 && 2 * rows <= Products.Tile.Columns<V>();

    private int Length => ((_outH * _width) + (Registers * V.Count) - 1) / (Registers * V.Count) * Registers * V.Count;

    /// <summary>c [rows, pixels] of one image.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Run(float* image, float* c)
    {
        var (length, together) = (Length, _rows / Together * Together);
        for (var at = 0; at < _outH * _width && together > 0; at += RegistersEach * V.Count)
            for (var row = 0; row < together; row += Together) Sum(image, row, at, length);
        for (var at = 0; at < length && together < _rows; at += Registers * V.Count)
            for (var row = together; row < _rows; row++) Sum(image, row, at, length);
        for (var row = 0; row < _rows; row++)
            for (var h = 0; h < _outH; h++, c += _outW)
                PaddedImage.Copy(_sums + ((nint)row * length) + (h * _width), c, _outW);
    }

    // The sums of a row, or of four that begin with it, for the registers of pixels from `at` on.
    private void Sum(float* image, int row, int at, int length)
    {
        var together = row + Together <= _rows;
        var weights = _weights + ((nint)row * _terms.Count);
        var sums = _sums + ((nint)row * length) + at;
        if (_terms.Blocks == 0)
        {
            for (var r = 0; r < (together ? Together : 1); r++)
                new Span<float>(sums + (r * length), (together ? RegistersEach : Registers) * V.Count).Clear();
        }

        for (var block = 0; block < _terms.Blocks; block++)
        {
            var (from, count) = _terms.Block(block);
            var offsets = _terms.Offsets + from;
            if (together) Four(count, weights + from, _terms.Count, offsets, image + at, sums, length, block > 0);
            else Chain(count, weights + from, offsets, image + at, sums, block > 0);
        }
    }

    // Four rows of weights, `stride` floats apart, and three registers of pixels; c [4, `ldc`].
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void Four(
        int terms, float* weights, nint stride, int* offsets, float* image, float* c, nint ldc, bool add)
    {
        V s00 = default, s01 = default, s02 = default, s10 = default, s11 = default, s12 = default;
        V s20 = default, s21 = default, s22 = default, s30 = default, s31 = default, s32 = default;
        var (w1, w2, w3) = ((nint)(weights + stride), (nint)(weights + (2 * stride)), (nint)(weights + (3 * stride)));
        for (nint t = 0; t < terms; t++)
        {
            var x = image + offsets[t];
            V x0 = V.Load(x), x1 = V.Load(x + V.Count), x2 = V.Load(x + (2 * V.Count));
            Term(weights[t], x0, x1, x2, ref s00, ref s01, ref s02);
            Term(((float*)w1)[t], x0, x1, x2, ref s10, ref s11, ref s12);
            Term(((float*)w2)[t], x0, x1, x2, ref s20, ref s21, ref s22);
            Term(((float*)w3)[t], x0, x1, x2, ref s30, ref s31, ref s32);
        }

        Row(c, s00, s01, s02, add);
        Row(c + ldc, s10, s11, s12, add);
        Row(c + (2 * ldc), s20, s21, s22, add);
        Row(c + (3 * ldc), s30, s31, s32, add);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Term(float weight, V x0, V x1, V x2, ref V s0, ref V s1, ref V s2)
    {
        var w = V.Create(weight);
        V.AddProduct(x0, w, ref s0);
        V.AddProduct(x1, w, ref s1);
        V.AddProduct(x2, w, ref s2);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Row(float* c, V s0, V s1, V s2, bool add)
    {
        Products.Tile.Row(c, s0, s1, add);
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
