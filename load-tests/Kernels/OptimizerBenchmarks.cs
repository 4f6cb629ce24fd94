using BenchmarkDotNet.Attributes;
using Convoy.Autodiff.Optim.Rules;
using Convoy.Shared.Jobs;

namespace Convoy.LoadTests.Kernels;

/// <summary>TEST-10: one step of each update rule over a million weights, a matrix of 1,000 x 1,000.</summary>
public class OptimizerBenchmarks : ICounted
{
    private const int Rows = 1_000;
    private readonly float[] _weights = Operands.Numbers(Rows * Rows);
    private readonly float[] _gradient = Operands.Numbers(Rows * Rows, 2);
    private readonly ParameterSpan[] _matrix = [new(0, Rows * Rows, Rows)];
    private Memory<float>[] _state = [];
    private UpdateRule? _rule;
    private long _step;

    public static IEnumerable<string> Kinds => UpdateRule.Kinds;

    [ParamsSource(nameof(Kinds))]
    public string Rule { get; set; } = "sgd";

    [GlobalSetup]
    public void Setup()
    {
        _rule = UpdateRule.Create(new OptimizerSpec { Kind = Rule });
        _state = [.. _rule.StateNames.Select(_ => (Memory<float>)new float[_weights.Length])];
    }

    [Benchmark]
    public void Step() =>
        _rule!.Apply(_weights, _gradient, _state, new RuleStep(++_step, 1e-9), _matrix);

    Work ICounted.WorkOf(string method)
    {
        // Weights and state are read and written, the gradient is read.
        var states = UpdateRule.Create(new OptimizerSpec { Kind = Rule }).StateNames.Count;
        return new Work(Bytes: (3.0 + (2 * states)) * _weights.Length * sizeof(float));
    }
}
