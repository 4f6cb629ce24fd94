using Convoy.Autodiff.Ops;

namespace Convoy.Autodiff.Graphs;

/// <summary>Counts over a graph: nodes per operator, edges, parameters, work of one run.</summary>
public sealed record GraphStatistics(
    int Nodes, int Edges, long Parameters, OpCost Cost, IReadOnlyList<(string Op, int Count)> PerOperator)
{
    /// <summary>Counts a graph as it runs on so many samples.</summary>
    public static GraphStatistics Of(Graph graph, int rows)
    {
        var cost = default(OpCost);
        var counts = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var node in graph.Nodes)
        {
            cost += node.Op.Cost(node.Attributes, [.. node.Inputs.Select(graph.TypeOf)], [.. node.Types], rows);
            counts[node.Op.Name] = counts.GetValueOrDefault(node.Op.Name) + 1;
        }

        return new GraphStatistics(
            graph.Nodes.Length, graph.Nodes.Sum(n => n.Inputs.Length),
            graph.Parameters.Sum(p => p.Type.Coefficient), cost,
            [.. counts.Select(c => (c.Key, c.Value))]);
    }
}

/// <summary>Which nodes could run at the same time: level 0 has no inputs, level n needs one of level n - 1.</summary>
public static class GraphLevels
{
    /// <summary>The nodes of each level, in the order of the graph.</summary>
    public static IReadOnlyList<IReadOnlyList<GraphNode>> Of(Graph graph)
    {
        var level = new int[graph.Nodes.Length];
        var levels = new List<List<GraphNode>>();
        foreach (var node in graph.Nodes)
        {
            foreach (var input in node.Inputs) level[node.Id] = Math.Max(level[node.Id], level[input.Node] + 1);
            while (levels.Count <= level[node.Id]) levels.Add([]);
            levels[level[node.Id]].Add(node);
        }

        return levels;
    }

    /// <summary>Work over the longest path: the speed-up that any number of devices could give at most.</summary>
    public static double Parallelism(Graph graph, int rows)
    {
        var path = new double[graph.Nodes.Length];
        var (total, longest) = (0.0, 0.0);
        foreach (var node in graph.Nodes)
        {
            double flops = node.Op.Cost(node.Attributes, [.. node.Inputs.Select(graph.TypeOf)],
                [.. node.Types], rows).Flops;
            foreach (var input in node.Inputs) path[node.Id] = Math.Max(path[node.Id], path[input.Node]);
            path[node.Id] += flops;
            total += flops;
            longest = Math.Max(longest, path[node.Id]);
        }

        return longest == 0 ? 1 : total / longest;
    }
}
