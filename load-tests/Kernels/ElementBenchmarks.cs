using BenchmarkDotNet.Attributes;
using Convoy.Kernels;
using Convoy.Kernels.Operators;

namespace Convoy.LoadTests.Kernels;

/// <summary>Kernels that read and write each element once or a few times: element-wise, rows, optimizers.</summary>
public class ElementBenchmarks : TeamBenchmarks, ICounted
{
    private const int Width = 128;
    private float[] _x = [], _y = [], _z = [], _m = [], _v = [], _rows = [], _sums = [];
    private int[] _targets = [];
    private double[] _blocks = [];

    /// <summary>In cache, and far beyond every cache.</summary>
    [Params(65_536, 16_777_216)]
    public int Elements { get; set; } = 65_536;

    protected override void Prepare()
    {
        (_x, _y) = (Operands.Numbers(Elements), Operands.Numbers(Elements, 2));
        (_z, _m, _v) = (new float[Elements], new float[Elements], new float[Elements]);
        var rows = Elements / Width;
        (_rows, _sums, _targets) = (new float[rows], new float[rows], new int[rows]);
        _blocks = new double[SquaredNorm.BlockCount(Elements)];
    }

    [Benchmark]
    public void Add()
    {
        using var team = Together();
        Elementwise.Binary<float, Add>(_x, _y, _z);
    }

    [Benchmark]
    public void Relu()
    {
        using var team = Together();
        Elementwise.Unary<float, Relu>(_x, _z);
    }

    [Benchmark]
    public void Exp()
    {
        using var team = Together();
        Elementwise.Unary<float, Exp>(_x, _z);
    }

    [Benchmark]
    public void Gelu()
    {
        using var team = Together();
        Elementwise.Unary<float, Gelu>(_x, _z);
    }

    [Benchmark]
    public void LayerNorm()
    {
        using var team = Together();
        Convoy.Kernels.LayerNorm.Forward<float>(
            _x, _y.AsSpan(0, Width), _y.AsSpan(Width, Width), 1e-5f, _z, _rows, _sums);
    }

    [Benchmark]
    public void Softmax()
    {
        using var team = Together();
        Convoy.Kernels.Softmax.Forward<float>(_x, Width, _z);
    }

    [Benchmark]
    public void CrossEntropy()
    {
        using var team = Together();
        Convoy.Kernels.CrossEntropy.Forward<float>(_x, Width, _targets, _rows, _sums);
    }

    [Benchmark]
    public void Adam()
    {
        using var team = Together();
        Optimizers.Adam<float>(_z, _x, _m, _v, new AdamStep(1e-9, 0.9, 0.999, 1e-8, 0, 10));
    }

    [Benchmark]
    public void Norm()
    {
        using var team = Together();
        SquaredNorm.Blocks<float>(_x, _blocks);
    }

    Work ICounted.WorkOf(string method)
    {
        var passes = method switch
        {
            nameof(Norm) or nameof(CrossEntropy) => 1,
            nameof(Add) => 3,
            nameof(Adam) => 7,
            _ => 2,
        };
        return new Work(Bytes: (double)passes * sizeof(float) * Elements);
    }
}
