using System.Globalization;
using Convoy.Autodiff.Ops;
using Convoy.Kernels;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Graphs;

/// <summary>Tiles of a matrix product [M, K] [K, N] that keep its operands near.</summary>
/// <param name="Rows">Rows of the left operand that stay in the second level while panels of the right one pass.</param>
/// <param name="Columns">Columns of the right operand that stay in the last level.</param>
/// <param name="Terms">Terms of one pass; the order of sums fixes them.</param>
public sealed record TileSizes(int Rows, int Columns, int Terms);

/// <summary>What the caches mean for one node.</summary>
/// <param name="Node">Name of the node.</param>
/// <param name="WorkingSetBytes">Bytes that it reads and writes.</param>
/// <param name="Home">Level of memory that holds them all.</param>
/// <param name="Tiles">Tile sizes, of a matrix product.</param>
/// <param name="HitRate">Estimated share of the loads of elements that the first level answers, 0 to 1.</param>
/// <param name="LatencyNs">Estimated mean time of a load.</param>
/// <param name="GigaBytesPerS">Bandwidth that bounds the node: that of the level it streams from.</param>
/// <param name="Advice">What another layout would gain; empty: nothing.</param>
/// <param name="PrefetchLines">Cache lines to ask for ahead, so that a stream does not wait; 0: none.</param>
public sealed record NodeCachePlan(
    string Node, long WorkingSetBytes, string Home, TileSizes? Tiles, double HitRate, double LatencyNs,
    double GigaBytesPerS, string Advice, int PrefetchLines);

/// <summary>
/// How the nodes of a graph lie in the caches of a machine: working sets, tiles, estimated hit rates and times, advice.
/// An analytical model: operands pass once from where they lie, a product reads a tile again from the cache that it was
/// cut for.
/// </summary>
public sealed class CachePlan
{
    private const int WayBytes = 4_096;

    private CachePlan(IReadOnlyList<NodeCachePlan> nodes) => Nodes = nodes;

    /// <summary>Nodes that compute something, in the order of the graph.</summary>
    public IReadOnlyList<NodeCachePlan> Nodes { get; }

    /// <param name="graph">A legal graph.</param>
    /// <param name="rows">Samples of a call.</param>
    /// <param name="caches">Caches of a core.</param>
    public static CachePlan Of(Graph graph, int rows, CacheHierarchy caches)
    {
        var nodes = new List<NodeCachePlan>();
        foreach (var node in graph.Nodes)
        {
            var cost = node.Op.Cost(
                node.Attributes, [.. node.Inputs.Select(graph.TypeOf)], [.. node.Types], rows);
            if (cost.Flops > 0) nodes.Add(PlanOf(graph, node, rows, cost, caches));
        }

        return new CachePlan(nodes);
    }

    /// <summary>The plan for readers: the nodes with the largest working sets.</summary>
    public IEnumerable<string> Lines()
    {
        foreach (var n in Nodes.OrderByDescending(n => n.WorkingSetBytes).Take(8))
        {
            var tiles = n.Tiles is { } t ? $", tiles {t.Rows}x{t.Columns}x{t.Terms}" : "";
            var ahead = n.PrefetchLines > 0 ? $", prefetch {n.PrefetchLines} lines" : "";
            yield return string.Create(CultureInfo.InvariantCulture,
                $"{n.Node}: {n.WorkingSetBytes} bytes in {n.Home}, about {n.HitRate:0.0%} hits, {n.LatencyNs:0.0} ns a load, {n.GigaBytesPerS:0} GB/s{tiles}{ahead}{(n.Advice.Length > 0 ? "; " : "")}{n.Advice}");
        }
    }

    private static NodeCachePlan PlanOf(Graph graph, GraphNode node, int rows, OpCost cost, CacheHierarchy caches)
    {
        var bytes = node.Inputs.Select(graph.TypeOf).Concat(node.Types)
            .Sum(t => t.CountAt(rows) * t.DType.Size());
        var home = caches.Holding(bytes);
        var isProduct = node.Op == OpTable.MatMul || node.Op == OpTable.Linear;
        var terms = isProduct ? TermsOf(graph, node, rows) : 0;
        var tiles = isProduct ? TilesOf(terms, caches) : null;
        // Of the elements of a line one load misses; in a product an element in registers serves a tile.
        var perLine = (double)node.Type.DType.Size() / CacheHierarchy.LineBytes;
        var reuse = isProduct ? Math.Min(Gemm.RegisterTile.Rows, Gemm.RegisterTile.Columns) : 1;
        var misses = home == caches.Levels[0] ? 0 : perLine / reuse;
        var latency = ((1 - misses) * caches.Levels[0].LatencyNs) + (misses * home.LatencyNs);
        var ahead = home.Bytes > caches.Levels[1].Bytes && !isProduct
            ? (int)Math.Ceiling(home.LatencyNs * home.GigaBytesPerS / CacheHierarchy.LineBytes) : 0;
        // A product with many operations for each byte is bound by arithmetic: its tiles stream from the second level.
        var source = isProduct && cost.Flops > 8 * bytes ? caches.Levels[Math.Min(1, caches.Levels.Count - 1)] : home;
        return new NodeCachePlan(node.Name, bytes, home.Name, tiles, 1 - misses, latency, source.GigaBytesPerS,
            isProduct ? AdviceOf(graph, node, rows) : "", ahead);
    }

    private static int TermsOf(Graph graph, GraphNode node, int rows)
    {
        var left = graph.TypeOf(node.Inputs[0]).At(rows);
        return node.Op == OpTable.MatMul && node.Attributes.Flag("ta") ? left[-2] : left[-1];
    }

    private static TileSizes TilesOf(int terms, CacheHierarchy caches)
    {
        var k = Math.Clamp(terms, 1, Order.Block);
        // Half of a level for what stays, the other half for what passes.
        int Fitting(CacheLevel level, int unit) =>
            (int)Math.Clamp(level.Bytes / 2 / (k * sizeof(float)) / unit * unit, unit, 1 << 16);
        var (rows, columns) = Gemm.RegisterTile;
        return new TileSizes(Fitting(caches.Levels[1], rows), Fitting(caches.Levels[^2], columns), k);
    }

    private static string AdviceOf(Graph graph, GraphNode node, int rows)
    {
        var advice = new List<string>();
        foreach (var input in node.Inputs.Take(2))
        {
            var shape = graph.TypeOf(input).At(rows);
            var stride = (long)shape[-1] * sizeof(float);
            if (shape.Count > shape[-1] && stride % WayBytes == 0)
                advice.Add($"rows of {graph.Nodes[input.Node].Name} begin {stride} bytes apart, in the same sets of a cache: one line of padding spreads them");
        }

        if (node.Op == OpTable.MatMul && node.Attributes.Flag("ta") && node.Attributes.Flag("tb"))
            advice.Add("both operands are read across their rows: store one of them transposed");
        return string.Join("; ", advice);
    }
}
