using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Random;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Checking;

/// <summary>An executor that computes nothing: outputs of the right types, all zero. Counts its runs.</summary>
/// <param name="graph">Whose outputs.</param>
/// <param name="rows">Samples of every run.</param>
public sealed class DummyExecutor(Graph graph, int rows) : IExecutor
{
    private int _runs;

    /// <inheritdoc/>
    public Graph Graph => graph;

    /// <inheritdoc/>
    public int Rows => rows;

    /// <summary>Runs so far.</summary>
    public int Runs => Volatile.Read(ref _runs);

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, Tensor> Run(
        IReadOnlyDictionary<string, Tensor> bindings, CancellationToken cancel = default)
    {
        Interlocked.Increment(ref _runs);
        return graph.Outputs.ToDictionary(
            o => o.Name, o => Tensor.Full(graph.TypeOf(o.Value).DType, 0, graph.TypeOf(o.Value).At(rows)),
            StringComparer.Ordinal);
    }
}

/// <summary>
/// An executor whose runs fail now and then, chosen by a seed: what is built on executors is shown to bear it.
/// </summary>
/// <param name="inner">What computes.</param>
/// <param name="share">Of runs that fail, 0 to 1.</param>
/// <param name="seed">The same seed fails the same runs.</param>
public sealed class FaultyExecutor(IExecutor inner, double share, ulong seed) : IExecutor
{
    private readonly RandomStream _random = new(seed, RandomPurpose.TestDouble, 0);
    private long _runs;

    /// <inheritdoc/>
    public Graph Graph => inner.Graph;

    /// <inheritdoc/>
    public int Rows => inner.Rows;

    /// <inheritdoc/>
    /// <exception cref="InvalidOperationException">The run was chosen to fail; half of them after the work.</exception>
    public IReadOnlyDictionary<string, Tensor> Run(
        IReadOnlyDictionary<string, Tensor> bindings, CancellationToken cancel = default)
    {
        var run = _runs++;
        var fails = _random.UniformDouble(2 * run) < share;
        if (fails && _random.UniformDouble(2 * run + 1) < 0.5)
            throw new InvalidOperationException("the executor fails before the run, as it was told");
        var outputs = inner.Run(bindings, cancel);
        return fails ? throw new InvalidOperationException("the executor fails after the run, as it was told")
            : outputs;
    }
}

/// <summary>Tensors that stand for a user's: the right types, numbers from a seed.</summary>
public static class MockTensors
{
    /// <summary>One tensor for each input and parameter of a graph, by name.</summary>
    /// <param name="graph">What takes them.</param>
    /// <param name="rows">Samples.</param>
    /// <param name="seed">The same seed gives the same numbers, uniform in [-1, 1).</param>
    /// <param name="below">Whole numbers are from 0 to one less.</param>
    public static IReadOnlyDictionary<string, Tensor> For(Graph graph, int rows, ulong seed, int below = 2)
    {
        var tensors = new Dictionary<string, Tensor>(StringComparer.Ordinal);
        foreach (var node in graph.Inputs.Concat(graph.Parameters))
        {
            var random = new RandomStream(seed, RandomPurpose.TestDouble, (ulong)node.Id);
            var isFloat = node.Type.DType is DType.Float32 or DType.Float64;
            var numbers = new double[node.Type.CountAt(rows)];
            for (var i = 0; i < numbers.Length; i++)
            {
                var number = random.UniformDouble(i);
                numbers[i] = isFloat ? (2 * number) - 1 : Math.Floor(number * below);
            }

            tensors[node.Name] = Tensor.Of<double>(numbers, node.Type.At(rows)).Cast(node.Type.DType);
        }

        return tensors;
    }
}
