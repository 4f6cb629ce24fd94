using Convoy.Autodiff.Graphs;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Execution;

/// <summary>Nodes of one level: none depends on another.</summary>
internal sealed record ExecutorLevel(IReadOnlyList<GraphNode> Nodes, int Working, long Flops);

/// <summary>What a graph costs and in which orders it can run, for <see cref="GraphExecutor"/>.</summary>
internal sealed class ExecutorPlan
{
    private readonly Graph _graph;
    private readonly long[] _flops;
    private readonly long[] _bytes;

    public ExecutorPlan(Graph graph, int rows)
    {
        _graph = graph;
        (_flops, _bytes) = (new long[graph.Nodes.Length], new long[graph.Nodes.Length]);
        foreach (var node in graph.Nodes)
        {
            _flops[node.Id] = node.Op.Cost(
                node.Attributes, [.. node.Inputs.Select(graph.TypeOf)], [.. node.Types], rows).Flops;
            _bytes[node.Id] = node.Types.Sum(t => t.CountAt(rows) * t.DType.Size());
        }

        Computed = [.. graph.Nodes.Where(n => !GraphExecutor.IsBound(n))];
        Levels = [.. GraphLevels.Of(graph).Select(LevelOf).Where(l => l.Nodes.Count > 0)];
        Flops = _flops.Sum();
    }

    /// <summary>Nodes that are computed, in the order of the graph.</summary>
    public IReadOnlyList<GraphNode> Computed { get; }
    public IReadOnlyList<ExecutorLevel> Levels { get; }
    public long Flops { get; }

    public long BytesOf(GraphNode node) => _bytes[node.Id];

    public long FlopsOf(GraphNode node) => _flops[node.Id];

    /// <summary>
    /// The nodes of a level for each thread: the largest first, to whom has the least work (Graham 1969: at most 4/3 of
    /// the best).
    /// </summary>
    public List<GraphNode>[] Deal(IReadOnlyList<GraphNode> nodes, int threads)
    {
        var lists = new List<GraphNode>[threads];
        for (var i = 0; i < threads; i++) lists[i] = [];
        var work = new long[threads];
        foreach (var node in nodes.OrderByDescending(n => _flops[n.Id]).ThenBy(n => n.Id))
        {
            var least = Array.IndexOf(work, work.Min());
            lists[least].Add(node);
            work[least] += Math.Max(1, _flops[node.Id]);
        }

        return lists;
    }

    /// <summary>Work from each node to the end of the longest chain behind it, itself included.</summary>
    public long[] Remaining()
    {
        var rank = new long[_flops.Length];
        for (var id = rank.Length - 1; id >= 0; id--)
        {
            rank[id] += _flops[id];
            foreach (var input in _graph.Nodes[id].Inputs) rank[input.Node] = Math.Max(rank[input.Node], rank[id]);
        }

        return rank;
    }

    /// <summary>Readers of each node, once each, and inputs of each node that are computed.</summary>
    public (List<int>[] Readers, int[] Waiting) Dependencies()
    {
        var (readers, waiting) = (new List<int>[_flops.Length], new int[_flops.Length]);
        for (var id = 0; id < readers.Length; id++) readers[id] = [];
        foreach (var node in Computed)
        {
            foreach (var input in node.Inputs.Select(i => i.Node).Distinct())
            {
                if (GraphExecutor.IsBound(_graph.Nodes[input])) continue;
                readers[input].Add(node.Id);
                waiting[node.Id]++;
            }
        }

        return (readers, waiting);
    }

    /// <summary>
    /// Always the ready node that adds the fewest bytes, those that its inputs free subtracted; the first of equals.
    /// </summary>
    /// <param name="uses">Readers of each node, as inputs and as outputs.</param>
    public IReadOnlyList<GraphNode> FrugalOrder(int[] uses)
    {
        var ((readers, waiting), left) = (Dependencies(), (int[])uses.Clone());
        var ready = Computed.Where(n => waiting[n.Id] == 0).ToList();
        var order = new List<GraphNode>(Computed.Count);
        while (ready.Count > 0)
        {
            var next = ready.MinBy(n => (Grows(n, left), n.Id))!;
            ready.Remove(next);
            order.Add(next);
            foreach (var input in next.Inputs) left[input.Node]--;
            foreach (var reader in readers[next.Id])
                if (--waiting[reader] == 0) ready.Add(_graph.Nodes[reader]);
        }

        return order;
    }

    private long Grows(GraphNode node, int[] left)
    {
        var bytes = _bytes[node.Id];
        foreach (var group in node.Inputs.GroupBy(i => i.Node))
            if (left[group.Key] == group.Count() && !GraphExecutor.IsBound(_graph.Nodes[group.Key]))
                bytes -= _bytes[group.Key];
        return bytes;
    }

    private ExecutorLevel LevelOf(IReadOnlyList<GraphNode> level)
    {
        GraphNode[] nodes = [.. level.Where(n => !GraphExecutor.IsBound(n))];
        return new ExecutorLevel(nodes, nodes.Count(n => _flops[n.Id] > 0), nodes.Sum(n => _flops[n.Id]));
    }
}

/// <summary>Nodes whose inputs are there, the one with the longest chain behind it first. Thread-safe.</summary>
internal sealed class ReadyNodes
{
    // Far beyond one node; who waits longer waits for a kernel that does not end.
    private static readonly TimeSpan NodeTimeout = TimeSpan.FromMinutes(5);

    private readonly ExecutorPlan _plan;
    private readonly object _hall = new();
    private readonly PriorityQueue<GraphNode, (long, int)> _ready = new();
    private readonly Dictionary<int, GraphNode> _byId;
    private readonly List<int>[] _readers;
    private readonly int[] _waiting;
    private readonly long[] _rank;
    private int _left;

    public ReadyNodes(ExecutorPlan plan)
    {
        _plan = plan;
        (_readers, _waiting) = plan.Dependencies();
        _rank = plan.Remaining();
        _left = plan.Computed.Count;
        _byId = plan.Computed.ToDictionary(n => n.Id);
        foreach (var node in plan.Computed)
            if (_waiting[node.Id] == 0) Add(node);
    }

    /// <summary>Null: all are taken.</summary>
    /// <exception cref="TimeoutException">A node that others wait for did not end.</exception>
    public GraphNode? Take()
    {
        lock (_hall)
        {
            while (true)
            {
                if (_ready.TryDequeue(out var node, out _))
                {
                    _left--;
                    return node;
                }

                if (_left <= 0) return null;
                if (!Monitor.Wait(_hall, NodeTimeout))
                    throw new TimeoutException(
                        $"graph executor: {_left} of {_plan.Computed.Count} nodes wait for one that runs longer than {NodeTimeout}");
            }
        }
    }

    public void Done(GraphNode node)
    {
        lock (_hall)
        {
            foreach (var reader in _readers[node.Id])
                if (--_waiting[reader] == 0) Add(_byId[reader]);
            Monitor.PulseAll(_hall);
        }
    }

    /// <summary>Nobody waits any longer.</summary>
    public void Stop()
    {
        lock (_hall)
        {
            _left = 0;
            _ready.Clear();
            Monitor.PulseAll(_hall);
        }
    }

    private void Add(GraphNode node) => _ready.Enqueue(node, (-_rank[node.Id], node.Id));
}
