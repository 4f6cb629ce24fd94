using BenchmarkDotNet.Attributes;
using Convoy.Kernels;
using Convoy.Shared.Tensors;

namespace Convoy.LoadTests.Kernels;

/// <summary>
/// 2-D convolutions of the models, forward and both gradients (weights cut into 8 slices), and pooling.
/// </summary>
public class ConvBenchmarks : TeamBenchmarks, ICounted
{
    private const int Slices = 8;
    private readonly TreeNode[] _cover = Operands.Cover(Slices);
    private Conv2dShape _s;
    private Pool2dShape _pool;
    private float[] _x = [], _w = [], _y = [], _dx = [], _dw = [], _p = [];
    private int[] _starts = [], _at = [];

    /// <summary>Samples, channels, height, width; channels out; kernel, stride.</summary>
    [Params("8x16x14x14 to 32, 3x3", "64x1x28x28 to 16, 3x3", "64x16x14x14 to 32, 3x3", "64x64x14x14 to 64, 1x1",
        "64x32x28x28 to 64, 3x3 stride 2")]
    public string Shape { get; set; } = "8x16x14x14 to 32, 3x3";

    protected override void Prepare()
    {
        _s = Of(Shape);
        (_x, _w) = (Operands.Numbers(_s.N * _s.InputSize), Operands.Numbers(_s.WeightSize, 2));
        (_y, _dx, _dw) =
            (Operands.Numbers(_s.N * _s.OutputSize, 3), new float[_x.Length], new float[_w.Length]);
        _starts = Operands.Starts(_s.N, Slices);
        _pool = new Pool2dShape(_s.N, _s.COut, _s.OutH, _s.OutW, 2, 2, 2);
        (_p, _at) = (new float[_pool.OutputSize], new int[_pool.OutputSize]);
    }

    [Benchmark]
    public void Forward()
    {
        using var team = Together();
        Conv2d.Forward<float>(_x, _w, default, _y, _s);
    }

    [Benchmark]
    public void GradInput()
    {
        using var team = Together();
        Conv2d.GradInput<float>(_y, _w, _dx, _s);
    }

    [Benchmark]
    public void GradWeight()
    {
        using var team = Together();
        Conv2d.SegmentedGradWeight<float>(_x, _y, _dw, _dw.Length, _s, new Segments(_starts, 0, Slices, _cover));
    }

    [Benchmark]
    public void MaxPool()
    {
        using var team = Together();
        Pooling.MaxForward<float>(_y, _p, _at, _pool);
    }

    Work ICounted.WorkOf(string method)
    {
        var s = Of(Shape);
        return method == nameof(MaxPool) ? new Work(Bytes: sizeof(float) * (double)s.N * s.OutputSize)
            : new Work(Flops: 2.0 * s.N * s.OutputSize * s.Terms);
    }

    private static Conv2dShape Of(string text)
    {
        var n = text.Split([' ', 'x', ','], StringSplitOptions.RemoveEmptyEntries)
            .Where(w => char.IsDigit(w[0])).Select(int.Parse).ToArray();
        return new Conv2dShape(n[0], n[1], n[2], n[3], n[4], n[5], n[6], n.Length > 7 ? n[7] : 1, n[5] / 2);
    }
}
