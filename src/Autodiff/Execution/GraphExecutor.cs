using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Kernels;
using Convoy.Shared.Threading;

namespace Convoy.Autodiff.Execution;

/// <summary>In which order the nodes of a graph run, and on how many threads. None of them changes a bit.</summary>
public enum ExecutionSchedule
{
    /// <summary>In the order of the graph, one after the other; each kernel belongs to the whole team.</summary>
    Sequential,
    /// <summary>Level by level: nodes that do not depend on each other run at the same time.</summary>
    Parallel,
    /// <summary>
    /// As <see cref="Parallel"/> without levels: whoever is free takes the ready node with the longest chain of work
    /// behind it (list scheduling, Graham 1966).
    /// </summary>
    CostBased,
    /// <summary>
    /// Each thread has a queue of its own, and takes from another one when it is empty (work stealing, Blumofe and
    /// Leiserson 1999); <see cref="ExecutorOptions.Victims"/> says from which.
    /// </summary>
    WorkStealing,
    /// <summary>One after the other, always the node that leaves the fewest bytes alive.</summary>
    MemoryFrugal,
}

/// <summary>How a <see cref="GraphExecutor"/> runs.</summary>
public sealed record ExecutorOptions
{
    /// <summary>Order and threads.</summary>
    public ExecutionSchedule Schedule { get; init; } = ExecutionSchedule.Parallel;

    /// <summary>A level with fewer nodes that do work runs one after the other, from 1.</summary>
    public int ParallelNodesMin { get; init; } = 2;

    /// <summary>A level with less work than this many floating-point operations runs one after the other.</summary>
    public long ParallelFlopsMin { get; init; } = 100_000;

    /// <summary>
    /// Where results come from: a buffer is lent from the node that writes it to the last one that reads it. Null: the
    /// collector. Outputs of the graph leave the pool.
    /// </summary>
    public BufferPool? Buffers { get; init; }

    /// <summary>Work stealing: whose work is taken.</summary>
    public VictimSelection Victims { get; init; } = VictimSelection.MostLoaded;

    /// <summary>Work stealing: seed of the choice of random victims.</summary>
    public ulong Seed { get; init; } = 1;

    /// <summary>
    /// Work stealing: nodes by name and how urgent they are, higher first; others by the work that waits for them.
    /// </summary>
    public IReadOnlyDictionary<string, long> Priorities { get; init; } = new Dictionary<string, long>();
}

/// <summary>What the runs of an executor did.</summary>
/// <param name="ParallelNodes">Nodes that ran beside others.</param>
/// <param name="SequentialNodes">Nodes that ran alone.</param>
/// <param name="PeakBytes">Most bytes of results that were alive at the same time in a run.</param>
public sealed record ExecutorStatistics(long ParallelNodes, long SequentialNodes, long PeakBytes);

/// <summary>
/// Runs a graph on tensors, forward or, for a graph with gradients, forward and backward: every node is computed whole
/// by one thread or by the whole team, so the schedule never shows in the bits. Results are dropped after their last
/// use.
/// For graphs with branches; <see cref="TrainProgram"/> runs training steps, one kernel at a time on planned memory.
/// The threads are those of the team that the caller entered. Not for two callers at a time.
/// </summary>
public sealed class GraphExecutor : IExecutor
{
    private readonly Graph _graph;
    private readonly int _rows;
    private readonly ExecutorOptions _options;
    private readonly ExecutorPlan _plan;
    private readonly int[] _uses;
    private readonly Tensor[]?[] _results;
    private readonly int[] _left; // uses that are still to come
    private readonly OrderedLock _gate = new("the nodes of a run", LockRank.Record);
    private ExecutorStatistics _statistics = new(0, 0, 0);
    private WorkerBalance[] _balance = [];
    private LentResults? _lent; // of the current run
    private CancellationToken _cancel;
    private long _alive;

    /// <param name="graph">A legal graph.</param>
    /// <param name="rows">Samples of every run.</param>
    /// <param name="options">Order, threads, thresholds; null: the defaults.</param>
    /// <exception cref="GraphException">The graph breaks a rule.</exception>
    public GraphExecutor(Graph graph, int rows, ExecutorOptions? options = null)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(rows);
        GraphVerifier.Check(graph);
        graph.RequireSizes("graph executor");
        (_graph, _rows, _options) = (graph, rows, options ?? new ExecutorOptions());
        ArgumentOutOfRangeException.ThrowIfLessThan(_options.ParallelNodesMin, 1);
        ArgumentOutOfRangeException.ThrowIfNegative(_options.ParallelFlopsMin);
        _plan = new ExecutorPlan(graph, rows);
        _uses = Passes.Uses.Count(graph);
        (_results, _left) = (new Tensor[graph.Nodes.Length][], new int[graph.Nodes.Length]);
    }

    /// <summary>Counts of all runs.</summary>
    public ExecutorStatistics Statistics => _statistics;

    /// <summary>Of the runs with work stealing: how evenly the work fell on the threads.</summary>
    public StealingBalance Balance => new(_balance);

    /// <inheritdoc/>
    public Graph Graph => _graph;

    /// <inheritdoc/>
    public int Rows => _rows;

    /// <inheritdoc/>
    public IReadOnlyDictionary<string, Tensor> Run(
        IReadOnlyDictionary<string, Tensor> bindings, CancellationToken cancel = default)
    {
        cancel.ThrowIfCancellationRequested();
        _cancel = cancel;
        _uses.CopyTo(_left, 0);
        Array.Clear(_results);
        _alive = 0;
        foreach (var node in _graph.Nodes)
            if (IsBound(node)) _results[node.Id] = [BindingOf(node, bindings)];
        using var lent = _options.Buffers is { } pool ? new LentResults(pool) : null;
        _lent = lent;
        try
        {
            RunNodes();
        }
        catch (AggregateException) when (cancel.IsCancellationRequested)
        {
            cancel.ThrowIfCancellationRequested(); // several threads saw it
        }

        var outputs = _graph.Outputs.ToDictionary(
            o => o.Name, o => _results[o.Value.Node]![o.Value.Output], StringComparer.Ordinal);
        foreach (var output in outputs.Values) lent?.Keep(output);
        Array.Clear(_results);
        return outputs;
    }

    private void RunNodes()
    {
        switch (_options.Schedule)
        {
            case ExecutionSchedule.Parallel: RunLevels(); break;
            case ExecutionSchedule.CostBased: RunByCost(); break;
            case ExecutionSchedule.WorkStealing: RunStealing(); break;
            case ExecutionSchedule.MemoryFrugal: RunInOrder(_plan.FrugalOrder(_uses)); break;
            default: RunInOrder(_plan.Computed); break;
        }
    }

    internal static bool IsBound(GraphNode node) => node.Op == OpTable.Input || node.Op == OpTable.Parameter;

    private void RunInOrder(IReadOnlyList<GraphNode> order)
    {
        foreach (var node in order) RunNode(node);
        _statistics = _statistics with { SequentialNodes = _statistics.SequentialNodes + order.Count };
    }

    private void RunLevels()
    {
        foreach (var level in _plan.Levels)
        {
            var threads = Math.Min(TeamTasks.Threads, level.Nodes.Count);
            if (threads < 2 || level.Working < _options.ParallelNodesMin || level.Flops < _options.ParallelFlopsMin)
            {
                RunInOrder(level.Nodes);
                continue;
            }

            var tasks = new Lists(this, _plan.Deal(level.Nodes, threads));
            TeamTasks.Run(ref tasks, threads);
            _statistics = _statistics with { ParallelNodes = _statistics.ParallelNodes + level.Nodes.Count };
        }
    }

    private bool IsWorthThreads => TeamTasks.Threads > 1 && _plan.Computed.Count >= _options.ParallelNodesMin
        && _plan.Flops >= _options.ParallelFlopsMin;

    private void RunStealing()
    {
        if (!IsWorthThreads)
        {
            RunInOrder(_plan.Computed);
            return;
        }

        var threads = TeamTasks.Threads;
        var nodes = new StealingNodes(_plan, threads, _options);
        var tasks = new Thieves(this, nodes);
        TeamTasks.Run(ref tasks, threads);
        Array.Resize(ref _balance, Math.Max(_balance.Length, threads));
        for (var i = 0; i < threads; i++)
        {
            var (was, now) = (_balance[i], nodes.Balance[i]);
            _balance[i] = new WorkerBalance(
                was.Tasks + now.Tasks, was.Work + now.Work, was.Steals + now.Steals, was.Idle + now.Idle);
        }

        _statistics = _statistics with { ParallelNodes = _statistics.ParallelNodes + _plan.Computed.Count };
    }

    private void RunByCost()
    {
        if (!IsWorthThreads)
        {
            RunInOrder(_plan.Computed);
            return;
        }

        var tasks = new Takers(this, new ReadyNodes(_plan));
        TeamTasks.Run(ref tasks, TeamTasks.Threads);
        _statistics = _statistics with { ParallelNodes = _statistics.ParallelNodes + _plan.Computed.Count };
    }

    private void RunNode(GraphNode node)
    {
        _cancel.ThrowIfCancellationRequested();
        var inputs = new Tensor[node.Inputs.Length];
        for (var i = 0; i < inputs.Length; i++) inputs[i] = _results[node.Inputs[i].Node]![node.Inputs[i].Output];
        if (node.Op.IsAlias) _results[node.Id] = [inputs[0].Reshape(node.Type.At(_rows))];
        else
        {
            var outputs = new Tensor[node.Types.Length];
            for (var i = 0; i < outputs.Length; i++)
            {
                var (dtype, shape) = (node.Types[i].DType, node.Types[i].At(_rows));
                outputs[i] = _lent is null ? Tensor.Empty(dtype, shape) : _lent.New(dtype, shape);
            }

            node.Op.Forward(new OpCall(node.Attributes, inputs, outputs));
            _results[node.Id] = outputs;
        }

        Count(node);
    }

    // What nobody reads any more is dropped; an alias counts as its own bytes, so the peak is an upper bound.
    private void Count(GraphNode node)
    {
        using (_gate.Enter())
        {
            foreach (var result in _results[node.Id]!) _lent?.Hold(result);
            _alive += _plan.BytesOf(node);
            if (_alive > _statistics.PeakBytes) _statistics = _statistics with { PeakBytes = _alive };
            if (_left[node.Id] == 0) Drop(node);
            foreach (var input in node.Inputs)
                if (--_left[input.Node] == 0 && !IsBound(_graph.Nodes[input.Node])) Drop(_graph.Nodes[input.Node]);
        }
    }

    private void Drop(GraphNode node)
    {
        foreach (var result in _results[node.Id]!) _lent?.Drop(result);
        _results[node.Id] = null;
        _alive -= _plan.BytesOf(node);
    }

    private Tensor BindingOf(GraphNode node, IReadOnlyDictionary<string, Tensor> bindings)
    {
        if (!bindings.TryGetValue(node.Name, out var tensor))
            throw new GraphException($"{node.Op.Name} {node.Name} is not bound");
        if (tensor.DType != node.Type.DType || !tensor.Shape.Equals(node.Type.At(_rows)))
            throw new GraphException(
                $"{node.Op.Name} {node.Name} is {tensor.Type.Text}, the graph takes {node.Type.Text} with {_rows} rows");
        return tensor.Contiguous();
    }

    private readonly struct Lists(GraphExecutor executor, List<GraphNode>[] lists) : ITeamTasks
    {
        public void Run(int index)
        {
            foreach (var node in lists[index]) executor.RunNode(node);
        }
    }

    private readonly struct Takers(GraphExecutor executor, ReadyNodes ready) : ITeamTasks
    {
        public void Run(int index)
        {
            try
            {
                while (ready.Take() is { } node)
                {
                    executor.RunNode(node);
                    ready.Done(node);
                }
            }
            catch
            {
                // The others must not wait for what will not come; the failure itself goes to the caller.
                ready.Stop();
                throw;
            }
        }
    }

    private readonly struct Thieves(GraphExecutor executor, StealingNodes nodes) : ITeamTasks
    {
        public void Run(int index)
        {
            try
            {
                while (nodes.Take(index) is var (task, node))
                {
                    executor.RunNode(node);
                    nodes.Done(index, task);
                }
            }
            catch
            {
                // As above: nobody waits for what will not come.
                nodes.Stop();
                throw;
            }
        }
    }
}
