using System.Runtime.CompilerServices;
using Convoy.Kernels.Cpu.Products;

namespace Convoy.Kernels.Cpu.Conv;

// weights [rows, terms] · patches [terms, pixels of one image], written as [rows, pixels]. Nothing is gathered: six
// pixels are the rows of a tile and read their terms where they lie, rows of weights are its columns. A strip of
// pixels is summed into a buffer [pixel, row] and turned while it is in the first-level cache; bias and activation
// follow there. Tried before: gathering patches into panels with pixels as columns, 45 GFLOP/s instead of 70 and
// more at 16 to 32 channels of 14 x 14 (one core of Zen 3, 2026-08).
internal readonly unsafe struct PatchProduct<V> where V : unmanaged, ILanes<V>
{
    internal const int Strip = 8 * NarrowTile.Rows;

    private readonly int _rows;
    private readonly int _pixels;
    private readonly TermList _terms;
    private readonly float* _weights;
    private readonly float* _strip;
    private readonly int* _places;

    /// <param name="weights">Room for <see cref="WeightSize"/> floats.</param>
    /// <param name="places">Room for <see cref="PlaceSize"/> integers.</param>
    public PatchProduct(
        int imageWidth, int rows, in TermList terms, int outH, int outW, int step, float* weights, int* places)
    {
        (_rows, _pixels, _terms) = (rows, outH * outW, terms);
        _weights = weights;
        _places = places;
        for (var p = 0; p < PlaceSize(_pixels); p++)
        {
            // Rows past the last pixel repeat it; their sums are not used.
            var (h, w) = Math.DivRem(Math.Min(p, _pixels - 1), outW);
            _places[p] = ((h * imageWidth) + w) * step;
        }

        _strip = Scratch.Floats(ScratchSlot.ConvPanel, Strip * Tile.Columns<V>());
    }

    public static int WeightSize(int rows, int terms) => checked(NarrowTile.Padded<V>(rows) * terms);

    public static int PlaceSize(int pixels) => (pixels + NarrowTile.Rows - 1) / NarrowTile.Rows * NarrowTile.Rows;

    public void PackWeights(float* weights)
    {
        for (var block = 0; block < _terms.Blocks; block++)
        {
            var (from, terms) = _terms.Block(block);
            Pack.ColumnPanels<V>(terms, _rows, weights + from, _terms.Count, _weights + WeightSize(_rows, from));
        }
    }

    public void Run(float* image, float* c, float* bias, Activation activation)
    {
        for (int row = 0, width; row < _rows; row += width)
        {
            width = NarrowTile.Width<V>(_rows - row);
            var rows = Math.Min(width, _rows - row);
            for (var pixel = 0; pixel < _pixels; pixel += Strip)
            {
                var pixels = Math.Min(Strip, _pixels - pixel);
                if (_terms.Blocks == 0) new Span<float>(_strip, pixels * width).Clear();
                for (var block = 0; block < _terms.Blocks; block++)
                {
                    var (from, terms) = _terms.Block(block);
                    var weights = _weights + WeightSize(_rows, from) + ((nint)row * terms);
                    Tiles(image, terms, from, weights, pixel, pixels, width);
                }

                var to = c + ((nint)row * _pixels) + pixel;
                Turn(to, rows, pixels, width);
                Finish(to, rows, pixels, bias is null ? null : bias + row, activation);
            }
        }
    }

    private void Tiles(float* image, int terms, int from, float* weights, int pixel, int pixels, int width)
    {
        var offsets = _terms.Offsets + from;
        var narrow = width == V.Count;
        for (var i = 0; i < pixels; i += narrow ? NarrowTile.Rows : Tile.Rows)
        {
            var (places, to) = ((nint)(_places + pixel + i), (nint)(_strip + ((nint)i * width)));
            if (narrow)
                NarrowTile.Pixels<V>(terms, image, (int*)places, offsets, weights, (float*)to, width, from > 0);
            else Tile.Pixels<V>(terms, image, (int*)places, offsets, weights, (float*)to, width, from > 0);
        }
    }

    // [pixel, row] to [row, pixel].
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Turn(float* c, int rows, int pixels, int width)
    {
        var (i, wholeRows) = (0, rows / 8 * 8);
        if (System.Runtime.Intrinsics.X86.Avx.IsSupported && width % 8 == 0)
        {
            for (; i <= pixels - 8; i += 8)
            {
                for (var r = 0; r < wholeRows; r += 8)
                    Pack.Transpose8x8(_strip + (i * width) + r, width, c + ((nint)r * _pixels) + i, _pixels);
                for (var r = wholeRows; r < rows; r++) TurnRow(c, r, i, i + 8, width);
            }
        }

        for (var r = 0; r < rows; r++) TurnRow(c, r, i, pixels, width);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void TurnRow(float* c, int row, int from, int end, int width)
    {
        for (var i = from; i < end; i++) c[((nint)row * _pixels) + i] = _strip[(i * width) + row];
    }

    private void Finish(float* c, int rows, int pixels, float* bias, Activation activation)
    {
        if (bias is null && activation == Activation.None) return;
        for (var r = 0; r < rows; r++, c += _pixels)
        {
            if (bias is not null) FloatElementwise.BinaryScalar<V, Operators.Add>(c, bias[r], c, pixels);
            TileEdges.Activate<V>(c, pixels, activation);
        }
    }
}
