using System.Runtime.CompilerServices;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Execution.Asynchronous;

/// <summary>Runs that were submitted together. One that fails does not end the others.</summary>
public sealed class ExecutionBatch
{
    private readonly CancellationTokenSource _stop = new();

    internal ExecutionBatch(
        ExecutorPool pool, IReadOnlyList<IReadOnlyDictionary<string, Tensor>> items, int priority)
    {
        Items = [.. items.Select(item => RunAsync(pool, item, priority, _stop.Token))];
        Results = Task.WhenAll(Items);
    }

    /// <summary>The outputs of each run, or how it failed, in the order of the submission.</summary>
    public IReadOnlyList<Task<IReadOnlyDictionary<string, Tensor>>> Items { get; }

    /// <summary>All outputs in the order of the submission; when all have ended and none failed.</summary>
    public Task<IReadOnlyDictionary<string, Tensor>[]> Results { get; }

    /// <summary>Runs that have ended, however they did.</summary>
    public int Ended => Items.Count(item => item.IsCompleted);

    /// <summary>Awaits all outputs.</summary>
    public TaskAwaiter<IReadOnlyDictionary<string, Tensor>[]> GetAwaiter() => Results.GetAwaiter();

    /// <summary>Cancels the runs that have not ended.</summary>
    public void Cancel() => _stop.Cancel();

    private static async Task<IReadOnlyDictionary<string, Tensor>> RunAsync(
        ExecutorPool pool, IReadOnlyDictionary<string, Tensor> item, int priority, CancellationToken stop)
    {
        var run = await pool.SubmitAsync(item, priority, stop).ConfigureAwait(false);
        await using var registration = stop.Register(() => run.Cancel()).ConfigureAwait(false);
        return await run.Result.ConfigureAwait(false);
    }
}
