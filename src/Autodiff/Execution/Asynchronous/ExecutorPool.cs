using System.Runtime.CompilerServices;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Tensors;
using Convoy.Kernels;

namespace Convoy.Autodiff.Execution.Asynchronous;

/// <summary>
/// Runs a graph in the background: one run, a batch of them, or a stream, none of which blocks the caller. Executors,
/// each on a thread of its own, take from one queue: whoever is free takes the most urgent run, so a slow executor
/// takes fewer and none is idle while something waits. Which executor a run has never shows in its bits. Safe to use
/// from any thread.
/// <code>
///   await using var pool = new ExecutorPool(graph, rows: 32, new() { Executors = 4 });
///   var outputs = await pool.Submit(bindings, priority: 1);
///   await foreach (var each in pool.StreamAsync(source)) ...
/// </code>
/// </summary>
public sealed class ExecutorPool : IAsyncDisposable
{
    private readonly object _gate = new();
    private readonly WorkQueue _queue = new();
    private readonly SemaphoreSlim _room;
    private readonly CancellationTokenSource _closing = new();
    private readonly ExecutorPoolOptions _options;
    private readonly IReadOnlyList<IExecutor> _executors;
    private readonly Thread[] _threads;
    private readonly (long Runs, TimeSpan Busy)[] _loads;
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ExecutionHandle?[] _running; // by executor
    private bool _closed;
    private int _alive;
    private long _submitted;
    private long _done;
    private long _failed;
    private long _cancelled;

    /// <param name="graph">A legal graph, forward or with gradients.</param>
    /// <param name="rows">Samples of every run.</param>
    /// <param name="options">Executors, threads, bounds; null: one executor with one thread.</param>
    /// <exception cref="GraphException">The graph breaks a rule.</exception>
    public ExecutorPool(Graph graph, int rows, ExecutorPoolOptions? options = null)
        : this(Make(graph, rows, options ?? new ExecutorPoolOptions()), options)
    {
    }

    /// <param name="executors">At least one, all of one graph and one number of rows; the pool is their only
    /// caller.</param>
    /// <param name="options">Threads and bounds.</param>
    /// <exception cref="ArgumentException">The executors do not run the same.</exception>
    public ExecutorPool(IReadOnlyList<IExecutor> executors, ExecutorPoolOptions? options = null)
    {
        _options = options ?? new ExecutorPoolOptions();
        ArgumentOutOfRangeException.ThrowIfLessThan(executors.Count, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.ThreadsEach, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.WaitingMax, 1);
        if (executors.Any(e => e.Graph != executors[0].Graph || e.Rows != executors[0].Rows))
            throw new ArgumentException("the executors of a pool run one graph with one number of rows");
        (_executors, _room, _alive) = (executors, new SemaphoreSlim(_options.WaitingMax), executors.Count);
        _loads = new (long Runs, TimeSpan Busy)[executors.Count];
        _running = new ExecutionHandle?[executors.Count];
        _threads = new Thread[executors.Count];
        for (var i = 0; i < _threads.Length; i++)
        {
            var index = i;
            _threads[i] = new Thread(() => Serve(index)) { IsBackground = true, Name = $"executor {index}" };
            _threads[i].Start();
        }
    }

    /// <summary>What was submitted, what became of it, and how the executors shared it.</summary>
    public ExecutorPoolStatistics Statistics
    {
        get
        {
            lock (_gate)
            {
                var running = _submitted - _done - _failed - _cancelled - _queue.Count;
                return new ExecutorPoolStatistics(
                    _submitted, _done, _failed, _cancelled, _queue.Count, (int)running,
                    [.. _loads.Select(l => new ExecutorLoad(l.Runs, l.Busy))]);
            }
        }
    }

    /// <summary>Submits a run. Never waits.</summary>
    /// <param name="bindings">Inputs and parameters by name; they must not change before the run has ended.</param>
    /// <param name="priority">Higher goes first.</param>
    /// <exception cref="InvalidOperationException">As many runs wait as may.</exception>
    /// <exception cref="ObjectDisposedException">The pool is closed.</exception>
    public ExecutionHandle Submit(IReadOnlyDictionary<string, Tensor> bindings, int priority = 0) =>
        TrySubmit(bindings, out var run, priority) ? run : throw new InvalidOperationException(
            $"{_options.WaitingMax} runs wait in the executor pool, which is all that may; await some of them");

    /// <summary>As <see cref="Submit"/>; false: as many runs wait as may.</summary>
    public bool TrySubmit(
        IReadOnlyDictionary<string, Tensor> bindings, out ExecutionHandle run, int priority = 0)
    {
        run = null!;
        if (!_room.Wait(0)) return false;
        run = Add(bindings, priority);
        return true;
    }

    /// <summary>As <see cref="Submit"/>; waits until a further run may wait.</summary>
    /// <exception cref="TimeoutException">There was no room within the deadline of a run.</exception>
    public async ValueTask<ExecutionHandle> SubmitAsync(
        IReadOnlyDictionary<string, Tensor> bindings, int priority = 0, CancellationToken cancel = default)
    {
        cancel.ThrowIfCancellationRequested();
        if (!_room.Wait(0, CancellationToken.None))
        {
            using var late = new CancellationTokenSource(_options.Deadline, _options.Time);
            using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, late.Token, _closing.Token);
            try
            {
                await _room.WaitAsync(either.Token).ConfigureAwait(false);
            }
            catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
            {
                ObjectDisposedException.ThrowIf(_closing.IsCancellationRequested, this);
                throw new TimeoutException(
                    $"the executor pool had no room for a run within {_options.Deadline.TotalSeconds:0.###} s");
            }
        }

        return Add(bindings, priority);
    }

    /// <summary>Submits many runs; they wait for room by themselves. Never waits.</summary>
    public ExecutionBatch SubmitBatch(
        IReadOnlyList<IReadOnlyDictionary<string, Tensor>> items, int priority = 0) => new(this, items, priority);

    /// <summary>
    /// The outputs of each run in the order of the source, as soon as they are there. The source is read ahead of what
    /// was taken by at most <paramref name="ahead"/> runs. Who stops early cancels what is under way.
    /// </summary>
    /// <param name="source">Bindings, one run each.</param>
    /// <param name="ahead">From 1; 0: two for each executor.</param>
    /// <param name="priority">Higher goes first.</param>
    /// <param name="cancel">Ends the stream.</param>
    public async IAsyncEnumerable<IReadOnlyDictionary<string, Tensor>> StreamAsync(
        IAsyncEnumerable<IReadOnlyDictionary<string, Tensor>> source, int ahead = 0, int priority = 0,
        [EnumeratorCancellation] CancellationToken cancel = default)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(ahead);
        if (ahead == 0) ahead = 2 * _executors.Count;
        var under = new Queue<ExecutionHandle>();
        var items = source.GetAsyncEnumerator(cancel);
        var next = items.MoveNextAsync().AsTask();
        try
        {
            while (next is not null || under.Count > 0)
            {
                // What is done goes out although the source is slow.
                var reads = next is not null && under.Count < ahead;
                if (reads && under.Count > 0)
                    reads = await Task.WhenAny(next!, under.Peek().Result).ConfigureAwait(false) == next;
                if (reads)
                {
                    if (await next!.ConfigureAwait(false))
                    {
                        under.Enqueue(await SubmitAsync(items.Current, priority, cancel).ConfigureAwait(false));
                        next = items.MoveNextAsync().AsTask();
                    }
                    else next = null;
                    continue;
                }

                yield return await under.Dequeue().Result.WaitAsync(cancel).ConfigureAwait(false);
            }
        }
        finally
        {
            foreach (var run in under) run.Cancel();
            if (next is not null) await ((Task)next).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await items.DisposeAsync().ConfigureAwait(false);
        }
    }

    /// <summary>
    /// Cancels what waits and what runs, and ends the threads.
    /// </summary>
    /// <exception cref="TimeoutException">An executor did not come back within the deadline of a run.</exception>
    public async ValueTask DisposeAsync()
    {
        var left = new List<ExecutionHandle>();
        lock (_gate)
        {
            if (_closed) return;
            _closed = true;
            while (_queue.Take() is { } waiting) left.Add(waiting);
            foreach (var run in _running)
                if (run is not null) left.Add(run);
            Monitor.PulseAll(_gate);
        }

        await _closing.CancelAsync().ConfigureAwait(false);
        foreach (var run in left) run.Cancel();
        await _ended.Task.WaitAsync(_options.Deadline, _options.Time).ConfigureAwait(false);
    }

    private static IReadOnlyList<IExecutor> Make(Graph graph, int rows, ExecutorPoolOptions options)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Executors, 1);
        return [.. Enumerable.Range(0, options.Executors)
            .Select(_ => new GraphExecutor(graph, rows, options.Execution))];
    }

    // A place in the queue is taken already.
    private ExecutionHandle Add(IReadOnlyDictionary<string, Tensor> bindings, int priority)
    {
        lock (_gate)
        {
            if (_closed) _room.Release();
            ObjectDisposedException.ThrowIf(_closed, this);
            var run = new ExecutionHandle(
                _submitted++, priority, bindings, _options.Deadline, _options.Time, OnEnded);
            _queue.Add(run);
            Monitor.Pulse(_gate);
            return run;
        }
    }

    private void OnEnded(ExecutionHandle run)
    {
        lock (_gate)
        {
            if (_queue.Remove(run)) _room.Release();
            switch (run.Status)
            {
                case ExecutionStatus.Done: _done++; break;
                case ExecutionStatus.Failed: _failed++; break;
                default: _cancelled++; break;
            }
        }
    }

    private void Serve(int index)
    {
        using (var team = new ThreadTeam(_options.ThreadsEach))
        using (team.Enter())
        {
            while (Next(index) is { } run) Run(index, run);
        }

        if (Interlocked.Decrement(ref _alive) == 0) _ended.SetResult();
    }

    /// <summary>Null: the pool is closed.</summary>
    private ExecutionHandle? Next(int index)
    {
        lock (_gate)
        {
            while (true)
            {
                if (_closed) return null;
                if (_queue.Take() is { } run)
                {
                    _room.Release();
                    if (!run.TryBegin()) continue; // it was cancelled just now
                    _running[index] = run;
                    return run;
                }

                Monitor.Wait(_gate); // for work or the end; deadlines are those of the runs
            }
        }
    }

    private void Run(int index, ExecutionHandle run)
    {
        var start = _options.Time.GetTimestamp();
        try
        {
            run.Complete(_executors[index].Run(run.Bindings, run.Stop));
        }
        catch (OperationCanceledException) when (run.Stop.IsCancellationRequested)
        {
            run.Cancel(); // who asked has said so already
        }
        catch (Exception failure)
        {
            run.Fail(failure);
        }

        lock (_gate)
        {
            _running[index] = null;
            _loads[index].Runs++;
            _loads[index].Busy += _options.Time.GetElapsedTime(start);
        }
    }
}
