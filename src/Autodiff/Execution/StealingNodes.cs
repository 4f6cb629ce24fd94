using Convoy.Autodiff.Graphs;

namespace Convoy.Autodiff.Execution;

/// <summary>
/// The nodes of a graph for threads that steal: <see cref="StealingProtocol"/> behind one lock, which is short beside
/// a node.
/// </summary>
internal sealed class StealingNodes
{
    // Far beyond one node; who waits longer waits for a kernel that does not end.
    private static readonly TimeSpan NodeTimeout = TimeSpan.FromMinutes(5);

    private readonly object _hall = new();
    private readonly IReadOnlyList<GraphNode> _nodes;
    private readonly StealingProtocol _protocol;
    private bool _stopped;

    public StealingNodes(ExecutorPlan plan, int workers, ExecutorOptions options)
    {
        _nodes = plan.Computed;
        var numbers = new Dictionary<int, int>();
        for (var i = 0; i < _nodes.Count; i++) numbers[_nodes[i].Id] = i;
        var (readers, waiting) = plan.Dependencies();
        var rank = plan.Remaining();
        _protocol = new StealingProtocol(
            new StealingTasks(
                [.. _nodes.Select(n => (int[])[.. readers[n.Id].Select(r => numbers[r])])],
                [.. _nodes.Select(n => waiting[n.Id])],
                [.. _nodes.Select(n => options.Priorities.TryGetValue(n.Name, out var first) ? first : rank[n.Id])],
                [.. _nodes.Select(plan.FlopsOf)]),
            workers, options.Victims, options.Seed);
    }

    public IReadOnlyList<WorkerBalance> Balance => _protocol.Balance;

    /// <summary>Null: all are taken.</summary>
    /// <exception cref="TimeoutException">A node that others wait for did not end.</exception>
    public (int Task, GraphNode Node)? Take(int worker)
    {
        lock (_hall)
        {
            while (!_stopped && _protocol.Left > 0)
            {
                if (_protocol.Take(worker) is { } task) return (task, _nodes[task]);
                if (!Monitor.Wait(_hall, NodeTimeout))
                    throw new TimeoutException($"graph executor: {_protocol.Left} of {_nodes.Count} nodes wait for one "
                        + $"that runs longer than {NodeTimeout}");
            }

            return null;
        }
    }

    public void Done(int worker, int task)
    {
        lock (_hall)
        {
            if (_protocol.Done(worker, task) || _protocol.Left == 0) Monitor.PulseAll(_hall);
        }
    }

    /// <summary>Nobody waits any longer.</summary>
    public void Stop()
    {
        lock (_hall)
        {
            _stopped = true;
            Monitor.PulseAll(_hall);
        }
    }
}
