using Convoy.Kernels.Cpu.Products;

namespace Convoy.Kernels.Cpu.Conv;

/// <summary>One correlation of a padded image, in the way that suits its number of rows.</summary>
internal readonly unsafe struct Correlation<V> where V : unmanaged, ILanes<V>
{
    private readonly TermList _terms;
    private readonly int _rows;
    private readonly bool _flat;
    private readonly float* _weights;
    private readonly FlatProduct<V> _flatProduct;
    private readonly PatchProduct<V> _patchProduct;

    /// <param name="edges">Of an image that has nothing around it and should.</param>
    /// <param name="weights">Room for <see cref="WeightSize"/> floats.</param>
    /// <param name="places">Room for the places of its pixels (PatchProduct.PlaceSize).</param>
    public Correlation(
        in PaddedImage image, in EdgeMasks edges, int rows, in TermList terms, int outH, int outW, int step,
        float* weights, int* places)
    {
        (_terms, _rows, _flat) = (terms, rows, FlatProduct<V>.Fits(rows, step));
        _weights = weights;
        if (_flat) _flatProduct = new FlatProduct<V>(image.Width, edges, rows, terms, outH, outW, weights);
        else _patchProduct = new PatchProduct<V>(image.Width, rows, terms, outH, outW, step, weights, places);
    }

    public static int WeightSize(int rows, int terms) => PatchProduct<V>.WeightSize(rows, terms);

    /// <summary>
    /// Takes the weights of the listed terms. Row r, term t lies at r·rowStride + (t / places)·stride + t % places.
    /// </summary>
    /// <param name="turned">Room for all of them.</param>
    public void SetWeights(float* w, nint rowStride, int places, nint stride, float* turned)
    {
        var to = _flat ? _weights : turned;
        for (var t = 0; t < _terms.Count; t++)
        {
            var (outer, place) = Math.DivRem(_terms.Weights[t], places);
            var from = w + (outer * stride) + place;
            for (var row = 0; row < _rows; row++) to[((nint)row * _terms.Count) + t] = from[row * rowStride];
        }

        if (!_flat) _patchProduct.PackWeights(turned);
    }

    /// <summary>c [rows, pixels] of one image.</summary>
    public void Run(float* image, float* c, float* bias, Activation activation, int pixels)
    {
        if (!_flat)
        {
            _patchProduct.Run(image, c, bias, activation);
            return;
        }

        _flatProduct.Run(image, c);
        for (var row = 0; row < _rows; row++, c += pixels)
        {
            if (bias is not null) FloatElementwise.BinaryScalar<V, Operators.Add>(c, bias[row], c, pixels);
            TileEdges.Activate<V>(c, pixels, activation);
        }
    }
}
