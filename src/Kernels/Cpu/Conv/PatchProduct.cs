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
    private const int Strip = 16 * Tile.Rows;

    private readonly int _rows;
    private readonly int _terms;
    private readonly int _pixels;
    private readonly float* _weights;
    private readonly float* _strip;
    private readonly int* _places;

    public readonly float* Image;
    public readonly int* Offsets;

    public PatchProduct(in PaddedImage image, int rows, int terms, int outH, int outW, int step)
    {
        (_rows, _terms, _pixels) = (rows, terms, outH * outW);
        Image = Scratch.Floats(ScratchSlot.ConvImage, checked(image.Size + PaddedImage.Slack));
        var padded = (_pixels + Tile.Rows - 1) / Tile.Rows * Tile.Rows;
        Offsets = (int*)Scratch.Floats(ScratchSlot.ConvOffsets, checked(terms + padded));
        _places = Offsets + terms;
        for (var p = 0; p < padded; p++)
        {
            // Rows past the last pixel repeat it; their sums are not used.
            var (h, w) = Math.DivRem(Math.Min(p, _pixels - 1), outW);
            _places[p] = ((h * image.Width) + w) * step;
        }

        _weights = Scratch.Floats(ScratchSlot.ConvWeights, checked(PaddedRows * terms));
        _strip = Scratch.Floats(ScratchSlot.ConvPanel, Strip * Tile.Columns<V>());
    }

    private int PaddedRows => (_rows + Tile.Columns<V>() - 1) / Tile.Columns<V>() * Tile.Columns<V>();

    public void PackWeights(float* weights)
    {
        for (var k = 0; k < _terms; k += Order.Block)
        {
            var terms = Math.Min(Order.Block, _terms - k);
            Pack.Columns(terms, _rows, weights + k, _terms, _weights + ((nint)PaddedRows * k), Tile.Columns<V>());
        }
    }

    public void Run(float* c, float* bias, Activation activation)
    {
        var width = Tile.Columns<V>();
        for (var row = 0; row < _rows; row += width)
        {
            var rows = Math.Min(width, _rows - row);
            for (var pixel = 0; pixel < _pixels; pixel += Strip)
            {
                var pixels = Math.Min(Strip, _pixels - pixel);
                for (var k = 0; k < _terms; k += Order.Block)
                {
                    var terms = Math.Min(Order.Block, _terms - k);
                    Tiles(terms, k, _weights + ((nint)PaddedRows * k) + ((nint)row * terms), pixel, pixels);
                }

                var to = c + ((nint)row * _pixels) + pixel;
                Turn(to, rows, pixels);
                Finish(to, rows, pixels, bias is null ? null : bias + row, activation);
            }
        }
    }

    private void Tiles(int terms, int k, float* weights, int pixel, int pixels)
    {
        var width = Tile.Columns<V>();
        for (var i = 0; i < pixels; i += Tile.Rows)
        {
            Tile.Pixels<V>(
                terms, Image, _places + pixel + i, Offsets + k, weights, _strip + ((nint)i * width), width, k > 0);
        }
    }

    // [pixel, row] to [row, pixel].
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void Turn(float* c, int rows, int pixels)
    {
        var width = Tile.Columns<V>();
        var (i, wholeRows) = (0, rows / 8 * 8);
        if (System.Runtime.Intrinsics.X86.Avx.IsSupported && width % 8 == 0)
        {
            for (; i <= pixels - 8; i += 8)
            {
                for (var r = 0; r < wholeRows; r += 8)
                    Pack.Transpose8x8(_strip + (i * width) + r, width, c + ((nint)r * _pixels) + i, _pixels);
                for (var r = wholeRows; r < rows; r++) TurnRow(c, r, i, i + 8);
            }
        }

        for (var r = 0; r < rows; r++) TurnRow(c, r, i, pixels);
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void TurnRow(float* c, int row, int from, int end)
    {
        for (var i = from; i < end; i++) c[((nint)row * _pixels) + i] = _strip[(i * Tile.Columns<V>()) + row];
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
