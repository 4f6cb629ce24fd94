using BenchmarkDotNet.Attributes;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;

namespace Convoy.LoadTests.Kernels;

/// <summary>
/// TEST-10: one gradient of a network of <see cref="Depth"/> layers, eager (the base of the column Ratio), and as a
/// graph that is captured once, goes through the passes, and is run again for each call.
/// </summary>
public class CaptureBenchmarks
{
    private const int Width = 32;
    private readonly Value[] _operands =
    [
        new Variable(Tensor.Of(Operands.Numbers(Width * Width, 2), Width, Width)),
        new Variable(Tensor.Of(Operands.Numbers(16 * Width), 16, Width)),
    ];

    private Func<Value[], Value> _eager = x => x[0];
    private Func<Value[], Value> _captured = x => x[0];

    [Params(5, 20)]
    public int Depth { get; set; } = 5;

    [GlobalSetup]
    public void Setup()
    {
        _eager = Transform.Grad(Loss, 0);
        _captured = Transform.JitOf(Transform.Grad(Loss, 0));
    }

    [Benchmark(Baseline = true)]
    public long Eager() => ((Variable)_eager(_operands)).Data.Count;

    [Benchmark]
    public long Captured() => ((Variable)_captured(_operands)).Data.Count;

    private Value Loss(Value[] x)
    {
        var y = x[1];
        for (var i = 0; i < Depth; i++) y = y.Linear(x[0] * 0.1).Tanh();
        return y.Square().Sum();
    }
}
