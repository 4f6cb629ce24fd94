using System.Runtime.CompilerServices;

namespace Convoy.Kernels.Cpu.Conv;

// weights [rows, terms] · patches [terms, pixels] for few rows, where pixels lie side by side. The image is taken as
// one long row, so that a term of twelve registers of pixels is twelve registers of the image at the term's offset. The
// sums between the rows of the image are not used.
internal readonly unsafe struct FlatProduct<V> where V : unmanaged, ILanes<V>
{
    private const int Registers = 12;

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
    public void Run(float* image, float* c)
    {
        var length = Length;
        for (var at = 0; at < length; at += Registers * V.Count)
            for (var row = 0; row < _rows; row++)
                Sum(image + at, _weights + ((nint)row * _terms.Count), _sums + ((nint)row * length) + at);
        for (var row = 0; row < _rows; row++)
            for (var h = 0; h < _outH; h++, c += _outW)
                new Span<float>(_sums + ((nint)row * length) + (h * _width), _outW).CopyTo(new Span<float>(c, _outW));
    }

    private void Sum(float* image, float* weights, float* sums)
    {
        if (_terms.Blocks == 0) new Span<float>(sums, Registers * V.Count).Clear();
        for (var block = 0; block < _terms.Blocks; block++)
        {
            var (from, count) = _terms.Block(block);
            Chain(count, weights + from, _terms.Offsets + from, image, sums, block > 0);
        }
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
