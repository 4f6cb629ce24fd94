using System.Globalization;

namespace Convoy.Autodiff.Graphs;

/// <summary>
/// Who waits for whom in a graph: levels of nodes that could run at the same time, the longest chain, and what
/// several devices would gain. Work is counted in floating-point operations; what costs none takes no time.
/// </summary>
public sealed class DependencyAnalysis
{
    private readonly Graph _graph;
    private readonly long[] _flops;

    private DependencyAnalysis(Graph graph, int rows)
    {
        _graph = graph;
        _flops = new long[graph.Nodes.Length];
        foreach (var node in graph.Nodes)
            _flops[node.Id] = node.Op.Cost(node.Attributes, [.. node.Inputs.Select(graph.TypeOf)],
                [.. node.Types], rows).Flops;
        Levels = GraphLevels.Of(graph);
        Work = _flops.Sum();
        CriticalPath = LongestChain();
    }

    /// <summary>Looks at a graph as it runs on so many samples. Operations are counted by the operators'
    /// costs.</summary>
    public static DependencyAnalysis Of(Graph graph, int rows) => new(graph, rows);

    /// <summary>Nodes of one level do not depend on each other; each needs one of the level before.</summary>
    public IReadOnlyList<IReadOnlyList<GraphNode>> Levels { get; }

    /// <summary>Levels with several nodes that do work: these could run at the same time.</summary>
    public IReadOnlyList<IReadOnlyList<GraphNode>> IndependentSets =>
        [.. Levels.Select(l => l.Where(n => _flops[n.Id] > 0).ToArray()).Where(l => l.Length > 1)];

    /// <summary>Operations of all nodes.</summary>
    public long Work { get; }

    /// <summary>The chain of nodes with the most operations: no number of devices is faster.</summary>
    public IReadOnlyList<GraphNode> CriticalPath { get; }

    /// <summary>Operations on <see cref="CriticalPath"/>.</summary>
    public long CriticalWork => CriticalPath.Sum(n => _flops[n.Id]);

    /// <summary>Work over the longest chain: the most that any number of devices could gain.</summary>
    public double SpeedUpMax => CriticalWork == 0 ? 1 : (double)Work / CriticalWork;

    /// <summary>
    /// Work over the end of a schedule on so many equal devices, each taking the ready node with the longest chain
    /// behind it as soon as it is free, without the cost of moving tensors (Graham 1966: at least half of the best).
    /// </summary>
    public double SpeedUp(int devices)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(devices, 1);
        if (Work == 0) return 1;
        var (waiting, users) = (new int[_flops.Length], Users());
        foreach (var node in _graph.Nodes) waiting[node.Id] = node.Inputs.Select(i => i.Node).Distinct().Count();
        var rank = Remaining(users);
        var ready = new PriorityQueue<int, (long, int)>();
        var running = new PriorityQueue<int, (long End, int Node)>();
        for (var id = 0; id < waiting.Length; id++)
            if (waiting[id] == 0) ready.Enqueue(id, (-rank[id], id));
        var (now, free) = (0L, devices);
        while (ready.Count > 0 || running.Count > 0)
        {
            while (free > 0 && ready.TryDequeue(out var next, out _))
            {
                running.Enqueue(next, (now + _flops[next], next));
                free--;
            }

            running.TryDequeue(out var done, out var at);
            (now, free) = (at.End, free + 1);
            foreach (var user in users[done])
                if (--waiting[user] == 0) ready.Enqueue(user, (-rank[user], user));
        }

        return (double)Work / now;
    }

    /// <summary>
    /// Names along a cycle, the first again at the end, or null when there is none. A <see cref="Graph"/> has none by
    /// rule GV-2; this looks at nodes in any order, so that whoever made an illegal list can be told what is wrong with
    /// it.
    /// </summary>
    public static IReadOnlyList<string>? FirstCycle(IReadOnlyList<(string Name, IReadOnlyList<int> Inputs)> nodes)
    {
        const byte Open = 1, Done = 2;
        var state = new byte[nodes.Count];
        var path = new List<(int Node, int Next)>();
        for (var root = 0; root < nodes.Count; root++)
        {
            if (state[root] == Done) continue;
            path.Add((root, 0));
            state[root] = Open;
            while (path.Count > 0)
            {
                var (node, next) = path[^1];
                if (next == nodes[node].Inputs.Count)
                {
                    state[node] = Done;
                    path.RemoveAt(path.Count - 1);
                    continue;
                }

                path[^1] = (node, next + 1);
                var input = nodes[node].Inputs[next];
                if (state[input] == Open)
                {
                    var from = path.FindIndex(p => p.Node == input);
                    return [.. path.Skip(from).Select(p => nodes[p.Node].Name), nodes[input].Name];
                }

                if (state[input] == Done) continue;
                state[input] = Open;
                path.Add((input, 0));
            }
        }

        return null;
    }

    /// <summary>The analysis for readers.</summary>
    public IEnumerable<string> Lines()
    {
        var style = CultureInfo.InvariantCulture;
        yield return string.Create(style,
            $"{_graph.Nodes.Length} nodes in {Levels.Count} levels, at most {Levels.Max(l => l.Count)} in one; {IndependentSets.Count} levels have independent work");
        yield return string.Create(style,
            $"longest chain: {CriticalPath.Count} nodes, {CriticalWork} of {Work} operations; speed-up at most {SpeedUpMax:0.00}");
        foreach (var devices in new[] { 2, 4, 8 })
            yield return string.Create(style,
                $"{devices} devices without cost of moving tensors: {SpeedUp(devices):0.00} times as fast");
        foreach (var set in IndependentSets.Take(8))
            yield return string.Create(style,
                $"independent: {string.Join(", ", set.Take(8).Select(n => n.Name))}{(set.Count > 8 ? $" and {set.Count - 8} more" : "")}");
    }

    private IReadOnlyList<GraphNode> LongestChain()
    {
        var (chain, before) = (new long[_flops.Length], new int[_flops.Length]);
        var end = -1;
        foreach (var node in _graph.Nodes)
        {
            before[node.Id] = -1;
            foreach (var input in node.Inputs)
                if (before[node.Id] < 0 || chain[input.Node] > chain[before[node.Id]]) before[node.Id] = input.Node;
            chain[node.Id] = _flops[node.Id] + (before[node.Id] < 0 ? 0 : chain[before[node.Id]]);
            if (end < 0 || chain[node.Id] > chain[end]) end = node.Id;
        }

        var path = new List<GraphNode>();
        for (; end >= 0; end = before[end]) path.Add(_graph.Nodes[end]);
        path.Reverse();
        return path;
    }

    private List<int>[] Users()
    {
        var users = new List<int>[_flops.Length];
        for (var i = 0; i < users.Length; i++) users[i] = [];
        foreach (var node in _graph.Nodes)
            foreach (var input in node.Inputs.Select(i => i.Node).Distinct()) users[input].Add(node.Id);
        return users;
    }

    // Work of the longest chain from a node to an end.
    private long[] Remaining(List<int>[] users)
    {
        var rank = new long[_flops.Length];
        for (var id = rank.Length - 1; id >= 0; id--)
        {
            foreach (var user in users[id]) rank[id] = Math.Max(rank[id], rank[user]);
            rank[id] += _flops[id];
        }

        return rank;
    }
}
