using Convoy.Kernels.Cpu.Products;

namespace Convoy.Kernels.Cpu.Conv;

/// <summary>weights [rows, terms] · patches [terms, pixels of one image], written as [rows, pixels].</summary>
internal readonly unsafe struct PatchProduct<V> where V : unmanaged, ILanes<V>
{
    private readonly int _imageWidth;
    private readonly int _rows;
    private readonly int _terms;
    private readonly int _outW;
    private readonly int _pixels;
    private readonly int _step;
    private readonly float* _panel;
    private readonly float* _weights;

    public readonly float* Image;
    public readonly int* Offsets;

    public PatchProduct(in PaddedImage image, int rows, int terms, int outH, int outW, int step)
    {
        (_imageWidth, _rows, _terms, _outW, _pixels, _step) = (image.Width, rows, terms, outW, outH * outW, step);
        Image = Scratch.Floats(ScratchSlot.ConvImage, checked(image.Size + PaddedImage.Slack));
        Offsets = (int*)Scratch.Floats(ScratchSlot.ConvOffsets, terms);
        var padded = (rows + Tile.Rows - 1) / Tile.Rows * Tile.Rows;
        _weights = Scratch.Floats(ScratchSlot.ConvWeights, checked(padded * terms));
        _panel = Scratch.Floats(ScratchSlot.ConvPanel, (Order.Block + 1) * Tile.Columns<V>());
    }

    private int PaddedRows => (_rows + Tile.Rows - 1) / Tile.Rows * Tile.Rows;

    public void PackWeights(float* weights)
    {
        for (var k = 0; k < _terms; k += Order.Block)
        {
            var terms = Math.Min(Order.Block, _terms - k);
            Pack.Columns(terms, _rows, weights + k, _terms, _weights + ((nint)PaddedRows * k), Tile.Rows);
        }
    }

    public void Run(float* c, float* bias, Activation activation)
    {
        var width = Tile.Columns<V>();
        var runs = stackalloc (int From, int Place)[width];
        for (var pixel = 0; pixel < _pixels; pixel += width)
        {
            var columns = Math.Min(width, _pixels - pixel);
            var runCount = Runs(pixel, columns, runs);
            for (var k = 0; k < _terms; k += Order.Block)
            {
                var terms = Math.Min(Order.Block, _terms - k);
                Gather(runs, runCount, Offsets + k, terms);
                Tiles(terms, _weights + ((nint)PaddedRows * k), c + pixel, columns, k > 0);
            }

            Finish(c + pixel, columns, bias, activation);
        }
    }

    // The image places where the pixels of a panel begin to follow each other.
    private int Runs(int pixel, int columns, (int From, int Place)* runs)
    {
        var count = 0;
        for (var i = 0; i < columns;)
        {
            var (h, w) = Math.DivRem(pixel + i, _outW);
            runs[count++] = (((h * _imageWidth) + w) * _step, i);
            i += _step == 1 ? _outW - w : 1;
        }

        return count;
    }

    // Each run is copied as a whole panel row: what is too much is overwritten by the next run, or the next term.
    private void Gather((int From, int Place)* runs, int runCount, int* offsets, int terms)
    {
        var row = _panel;
        for (var k = 0; k < terms; k++, row += 2 * V.Count)
        {
            var image = Image + offsets[k];
            if (_step == 1)
            {
                for (var r = 0; r < runCount; r++)
                {
                    var from = image + runs[r].From;
                    var to = row + runs[r].Place;
                    V.Store(V.Load(from), to);
                    V.Store(V.Load(from + V.Count), to + V.Count);
                }
            }
            else
            {
                for (var r = 0; r < runCount; r++) row[r] = image[runs[r].From];
            }
        }
    }

    private void Tiles(int terms, float* weights, float* c, int columns, bool add)
    {
        var width = Tile.Columns<V>();
        var edge = stackalloc float[Tile.Size<V>()];
        for (var i = 0; i < _rows; i += Tile.Rows, weights += (nint)Tile.Rows * terms)
        {
            var rows = Math.Min(Tile.Rows, _rows - i);
            var to = c + ((nint)i * _pixels);
            if (rows == Tile.Rows && columns == width)
            {
                Tile.Packed<V>(terms, weights, Tile.Rows, _panel, null, 0, to, _pixels, add);
                continue;
            }

            Tile.Packed<V>(terms, weights, Tile.Rows, _panel, null, 0, edge, width, false);
            TileEdges.Write<V>(edge, to, _pixels, rows, columns, add);
        }
    }

    private void Finish(float* c, int columns, float* bias, Activation activation)
    {
        if (bias is null && activation == Activation.None) return;
        for (var i = 0; i < _rows; i++, c += _pixels)
        {
            if (bias is not null) FloatElementwise.BinaryScalar<V, Operators.Add>(c, bias[i], c, columns);
            TileEdges.Activate<V>(c, columns, activation);
        }
    }
}
