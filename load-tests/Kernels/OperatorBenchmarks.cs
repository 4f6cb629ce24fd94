using BenchmarkDotNet.Attributes;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;

namespace Convoy.LoadTests.Kernels;

/// <summary>
/// Operators as a user of the library calls them, on tensors without a history: contractions, element-wise functions,
/// reductions, logic; results from the collector or from a pool of buffers.
/// </summary>
public class OperatorBenchmarks
{
    private static readonly Dictionary<string, (int[][] Shapes, Func<Value[], Value> Run)> Calls =
        new(StringComparer.Ordinal)
        {
            ["einsum matmul ij,jk->ik"] = Einsum("ij,jk->ik", [128, 128], [128, 128]),
            ["einsum batched bij,bjk->bik"] = Einsum("bij,bjk->bik", [16, 64, 64], [16, 64, 64]),
            ["einsum transpose ij->ji"] = Einsum("ij->ji", [512, 256]),
            ["einsum trace ii->"] = Einsum("ii->", [512, 512]),
            ["einsum attention bqd,bkd->bqk"] = Einsum("bqd,bkd->bqk", [16, 64, 32], [16, 64, 32]),
            ["einsum outer i,j->ij"] = Einsum("i,j->ij", [512], [512]),
            ["unary relu"] = ([[512, 256]], x => x[0].Relu()),
            ["unary exp"] = ([[512, 256]], x => x[0].Exp()),
            ["unary tanh"] = ([[512, 256]], x => x[0].Tanh()),
            ["binary add"] = ([[512, 256], [512, 256]], x => x[0] + x[1]),
            ["binary multiply, a row"] = ([[512, 256], [256]], x => x[0] * x[1]),
            ["binary divide"] = ([[512, 256], [512, 256]], x => x[0] / x[1]),
            ["reduce sum"] = ([[512, 256]], x => x[0].Sum()),
            ["reduce mean of rows"] = ([[512, 256]], x => x[0].Mean([1])),
            ["reduce max of columns"] = ([[512, 256]], x => x[0].Max([0])),
            ["logic greater"] = ([[512, 256], [512, 256]], x => x[0].Greater(x[1])),
            ["logic and"] = ([[512, 256], [512, 256]], x => x[0].AndSmooth(x[1], 1)),
            ["logic for all"] = ([[512, 256]], x => x[0].ForAll([1])),
        };

    private readonly BufferPool _pool = new();
    private Value[] _operands = [];
    private Func<Value[], Value> _run = x => x[0];

    public static IEnumerable<string> Names => Calls.Keys;

    [ParamsSource(nameof(Names))]
    public string Operator { get; set; } = "unary relu";

    [Params(false, true)]
    public bool Pool { get; set; }

    internal long Reuses => _pool.Statistics.Reuses;

    [GlobalSetup]
    public void Setup()
    {
        _pool.IsOn = Pool;
        (var shapes, _run) = Calls[Operator];
        _operands = [.. shapes.Select((s, i) =>
            new Variable(Tensor.Of(Operands.Numbers(s.Aggregate((a, b) => a * b), (uint)i + 1), s)))];
    }

    [Benchmark]
    public int Run()
    {
        using var scope = _pool.Enter();
        return _run(_operands).Type.Rank;
    }

    private static (int[][], Func<Value[], Value>) Einsum(string spec, params int[][] shapes) =>
        (shapes, x => Functions.Einsum(spec, x));
}
