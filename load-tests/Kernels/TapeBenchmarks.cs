using BenchmarkDotNet.Attributes;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;
using Convoy.Autodiff.Tensors;

namespace Convoy.LoadTests.Kernels;

/// <summary>
/// TEST-10: what the tape itself costs, on tensors so small that kernels cost little: without a tape (the base of the
/// column Ratio), recording, backward alone over a kept history, and both. Divide by <see cref="OpsOf"/> for an
/// operator's share; Allocated says the bytes.
/// </summary>
public class TapeBenchmarks
{
    private static readonly (string, Func<Value, Value>)[] Activations =
    [
        ("relu", y => y.Relu()), ("sigmoid", y => y.Sigmoid()), ("tanh", y => y.Tanh()), ("gelu", y => y.Gelu()),
        ("mish", y => y.Mish()),
    ];

    private static readonly Dictionary<string, (int[][] Shapes, Func<Value[], Value> Run)> Calls = All();

    private Variable[] _free = [];
    private Variable? _kept;
    private Func<Value[], Value> _run = x => x[0];

    public static IEnumerable<string> Names => Calls.Keys;

    /// <summary>What is recorded, and how much of it.</summary>
    [ParamsSource(nameof(Names))]
    public string Of { get; set; } = "arithmetic 40";

    /// <summary>Operators that a call records, the last sum included.</summary>
    public int OpsOf { get; private set; }

    [GlobalSetup]
    public void Setup()
    {
        (var shapes, _run) = Calls[Of];
        _free = [.. shapes.Select((s, i) => new Variable(
            Tensor.Of(Operands.Numbers(s.Aggregate((a, b) => a * b), (uint)i + 1), s), requiresGradient: true))];
        _kept = Total();
        using var environment = new VariableEnvironment();
        Total();
        OpsOf = environment.Recorded;
    }

    [Benchmark(Baseline = true)]
    public long WithoutTape()
    {
        using var off = GradientMode.Off();
        return Total().Data.Count;
    }

    [Benchmark]
    public long Recording() => Total().Data.Count;

    [Benchmark]
    public int Backward() => Differentiate.Gradient([_kept!], _free).Count;

    [Benchmark]
    public int RecordingAndBackward() => Differentiate.Gradient([Total()], _free).Count;

    private Variable Total() => (Variable)_run(_free).Sum();

    private static Dictionary<string, (int[][], Func<Value[], Value>)> All()
    {
        var calls = new Dictionary<string, (int[][], Func<Value[], Value>)>(StringComparer.Ordinal)
        {
            ["arithmetic 40"] = ([[4], [4]], x => Repeated(10, x[0], y => ((y + x[1]) * x[1] - x[1]) / 2.0)),
        };
        foreach (var ops in (int[])[10, 50, 200])
            calls[$"construction {ops}"] = ([[4]], x => Repeated(ops, x[0], y => y.Tanh()));
        foreach (var rows in (int[])[1, 16, 64])
            calls[$"layer of 64, batch {rows}"] =
                ([[rows, 64], [64, 64], [64]], x => x[0].Linear(x[1], x[2]).Relu());
        foreach (var depth in (int[])[5, 10, 20])
            calls[$"depth {depth}"] = ([[8, 16], [16, 16]], x => Repeated(depth, x[0], y => y.Linear(x[1]).Tanh()));
        foreach (var (name, f) in Activations) calls[$"activation {name}"] = ([[64]], x => Repeated(10, x[0], f));
        foreach (var count in (int[])[10, 100])
            calls[$"{count} variables"] = (
                [.. Enumerable.Repeat((int[])[16], count)], x => x.Aggregate((a, b) => a + b));
        return calls;
    }

    private static Value Repeated(int times, Value x, Func<Value, Value> f)
    {
        for (var i = 0; i < times; i++) x = f(x);
        return x;
    }
}
