using BenchmarkDotNet.Attributes;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;

namespace Convoy.LoadTests.Kernels;

/// <summary>
/// TEST-09: what gradients cost beside the values they belong to, by class of operator. Each call records, sums its
/// result and goes back to all operands; the base of the column Ratio is the same without a tape.
/// </summary>
public class GradientBenchmarks
{
    private static readonly Dictionary<string, (int[][] Shapes, Func<Value[], Value> Run)> Calls = All();

    private Variable[] _free = [];
    private Func<Value[], Value> _run = x => x[0];

    public static IEnumerable<string> Names => Calls.Keys;

    /// <summary>Class of operator and size.</summary>
    [ParamsSource(nameof(Names))]
    public string Of { get; set; } = "matmul 16";

    [GlobalSetup]
    public void Setup()
    {
        (var shapes, _run) = Calls[Of];
        _free = [.. shapes.Select((s, i) => new Variable(
            Tensor.Of(Operands.Numbers(s.Aggregate((a, b) => a * b), (uint)i + 1), s), requiresGradient: true))];
    }

    [Benchmark(Baseline = true)]
    public long Forward()
    {
        using var off = GradientMode.Off();
        return Total().Data.Count;
    }

    [Benchmark]
    public int ForwardAndBackward() => Differentiate.Gradient([Total()], _free).Count;

    private Variable Total() => (Variable)_run(_free).Sum();

    private static Dictionary<string, (int[][], Func<Value[], Value>)> All()
    {
        var calls = new Dictionary<string, (int[][], Func<Value[], Value>)>(StringComparer.Ordinal);
        foreach (var n in (int[])[16, 64, 256]) calls[$"matmul {n}"] = Einsum("ij,jk->ik", [n, n], [n, n]);
        foreach (var n in (int[])[8, 32, 64]) calls[$"contraction {n}"] = Einsum("ijk,jkl->il", [n, n, n], [n, n, n]);
        foreach (var n in (int[])[1_000, 32_000, 1_000_000])
        {
            calls[$"element-wise {n}"] = ([[n], [n]], x => (x[0] * x[1]).Tanh());
            calls[$"chain of eight {n}"] = ([[n]], x => Chain(x[0], 8));
        }

        foreach (var n in (int[])[100, 500, 2_000])
        {
            calls[$"sum of rows {n}"] = ([[n, n]], x => x[0].Sum([1]));
            calls[$"max of rows {n}"] = ([[n, n]], x => x[0].Max([1]));
        }

        foreach (var rank in (int[])[8, 32, 64])
            calls[$"CP rank {rank}"] = Einsum("ir,jr,kr->ijk", [24, rank], [24, rank], [24, rank]);
        foreach (var core in (int[])[4, 8, 16])
            calls[$"Tucker core {core}"] =
                Einsum("abc,ia,jb,kc->ijk", [core, core, core], [24, core], [24, core], [24, core]);
        calls["softmax 128x1000"] = ([[128, 1_000]], x => x[0].Softmax());
        calls["conv 16x16x28x28 to 32"] = ([[16, 16, 28, 28], [32, 16, 3, 3]], x => x[0].Conv2d(x[1], padding: 1));
        return calls;
    }

    private static Value Chain(Value x, int depth)
    {
        for (var i = 0; i < depth; i++) x = i % 2 == 0 ? x.Sigmoid() : x * 1.5;
        return x;
    }

    private static (int[][], Func<Value[], Value>) Einsum(string spec, params int[][] shapes) =>
        (shapes, x => Functions.Einsum(spec, x));
}
