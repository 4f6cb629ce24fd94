using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Execution.Asynchronous;

/// <summary>The loss of some samples and its gradient.</summary>
/// <param name="Loss">The sum over the samples, a scalar.</param>
/// <param name="Gradients">By the names of the parameters that the loss depends on, in their shapes.</param>
public sealed record LossAndGradients(Tensor Loss, IReadOnlyDictionary<string, Tensor> Gradients);

/// <summary>
/// Gradients in the background: parts of a batch are submitted with a priority, computed by the executors of an
/// <see cref="ExecutorPool"/>, awaited one by one or summed. A sum is taken in the order of its parts, so neither the
/// number of executors nor who finished first shows in its bits. Safe to use from any thread.
/// </summary>
public sealed class GradientEngine : IAsyncDisposable
{
    private readonly ExecutorPool _pool;
    private readonly string _loss;

    /// <param name="forward">A graph with a scalar output that is summed over the samples.</param>
    /// <param name="rows">Samples of a part.</param>
    /// <param name="options">Executors, threads, bounds.</param>
    /// <param name="loss">The name of that output.</param>
    /// <exception cref="GraphException">The graph breaks a rule, or has no such output.</exception>
    public GradientEngine(
        Graph forward, int rows, ExecutorPoolOptions? options = null, string loss = "loss_sum")
    {
        _loss = loss;
        _pool = new ExecutorPool(PassPipeline.Training(forward, loss), rows, options);
    }

    /// <summary>What was submitted, what became of it, and how the executors shared it.</summary>
    public ExecutorPoolStatistics Statistics => _pool.Statistics;

    /// <summary>Loss and gradient of one part; waits only for room in the queue.</summary>
    /// <param name="bindings">Parameters and inputs by name; they must not change before the result is there.</param>
    /// <param name="priority">Higher goes first: the layer or the part that somebody waits for.</param>
    /// <param name="cancel">Takes the part back.</param>
    public async Task<LossAndGradients> ComputeAsync(
        IReadOnlyDictionary<string, Tensor> bindings, int priority = 0, CancellationToken cancel = default)
    {
        var run = await _pool.SubmitAsync(bindings, priority, cancel).ConfigureAwait(false);
        await using var registration = cancel.Register(() => run.Cancel()).ConfigureAwait(false);
        var outputs = await run.Result.ConfigureAwait(false);
        return new LossAndGradients(outputs[_loss], outputs
            .Where(o => o.Key.StartsWith(GradientGraph.Prefix, StringComparison.Ordinal))
            .ToDictionary(o => o.Key[GradientGraph.Prefix.Length..], o => o.Value, StringComparer.Ordinal));
    }

    /// <summary>
    /// The sums of loss and gradients over parts that share the parameters, in the order of the parts.
    /// </summary>
    /// <param name="parameters">By name.</param>
    /// <param name="parts">At least one: inputs by name.</param>
    /// <param name="priority">Higher goes first.</param>
    /// <param name="cancel">Takes all parts back.</param>
    public async Task<LossAndGradients> SumAsync(
        IReadOnlyDictionary<string, Tensor> parameters, IReadOnlyList<IReadOnlyDictionary<string, Tensor>> parts,
        int priority = 0, CancellationToken cancel = default)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(parts.Count, 1);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var computed = parts.Select(part => ComputeAsync(Joined(parameters, part), priority, stop.Token)).ToArray();
        try
        {
            var sum = await computed[0].ConfigureAwait(false);
            for (var i = 1; i < computed.Length; i++) Add(sum, await computed[i].ConfigureAwait(false));
            return sum;
        }
        finally
        {
            await stop.CancelAsync().ConfigureAwait(false); // of what is left when one failed
        }
    }

    /// <summary>Cancels what is under way and ends the threads.</summary>
    public ValueTask DisposeAsync() => _pool.DisposeAsync();

    private static Dictionary<string, Tensor> Joined(
        IReadOnlyDictionary<string, Tensor> parameters, IReadOnlyDictionary<string, Tensor> part)
    {
        var all = new Dictionary<string, Tensor>(parameters, StringComparer.Ordinal);
        foreach (var (name, tensor) in part) all[name] = tensor;
        return all;
    }

    // The tensors of a sum are its own: outputs of a run belong to its caller.
    private static void Add(LossAndGradients sum, LossAndGradients part)
    {
        AddTo(sum.Loss, part.Loss);
        foreach (var (name, gradient) in part.Gradients) AddTo(sum.Gradients[name], gradient);
    }

    private static void AddTo(Tensor sum, Tensor part) =>
        OpTable.Add.Forward(new OpCall(Attributes.None, [sum, part], [sum]));
}
