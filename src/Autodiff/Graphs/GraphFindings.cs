using Convoy.Autodiff.Ops;
using Convoy.Shared.Errors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Graphs;

/// <summary>What a look at a legal graph finds that its author may want to know before it runs.</summary>
public static class GraphFindings
{
    /// <summary>
    /// Nodes that nothing reads, values that take much memory, products of few rows, several element types of weights.
    /// </summary>
    /// <param name="graph">A legal graph.</param>
    /// <param name="rows">Samples of one pass.</param>
    /// <param name="bytesMax">Memory that one value may take before it is worth a line.</param>
    public static DiagnosticList Of(Graph graph, int rows, long bytesMax = 1L << 30)
    {
        var found = new DiagnosticList();
        var used = new bool[graph.Nodes.Length];
        foreach (var output in graph.Outputs) used[output.Value.Node] = true;
        for (var id = graph.Nodes.Length - 1; id >= 0; id--)
            foreach (var input in graph.Nodes[id].Inputs) used[input.Node] |= used[id];
        foreach (var node in graph.Nodes)
        {
            if (!used[node.Id]) found.Add(Unused(node));
            foreach (var type in node.Types)
            {
                var bytes = type.CountAt(rows) * type.DType.Size();
                if (bytes > bytesMax / 2)
                    found.Add(Diagnostic.Memory(node.Name, bytes, bytesMax, "take smaller micro-batches"));
            }

            if (Thin(graph, node, rows) is { } thin) found.Add(thin);
        }

        if (graph.Parameters.Select(p => p.Type.DType).Distinct().Count() > 1)
            found.Add(Diagnostic.Type("parameters", "several element types", "one element type"));
        return found;
    }

    private static Diagnostic Unused(GraphNode node) => new(
        Severity.Warning, ErrorCode.Graph, node.Name,
        node.Op == OpTable.Parameter ? "no output depends on this parameter: it is never trained"
            : "no output depends on it",
        node.Op == OpTable.Parameter ? "use it or leave it out" : "it is left out when the graph is compiled");

    // Fewer rows than a vector register has lanes leave most of each weight's load without work.
    private static Diagnostic? Thin(Graph graph, GraphNode node, int rows)
    {
        const int RowsMin = 8;
        if (node.Op != OpTable.Linear && node.Op != OpTable.MatMul) return null;
        var x = graph.TypeOf(node.Inputs[0]);
        if (x.Rank < 2 || x[-1].Size == 0) return null;
        var count = x.CountAt(rows) / x[-1].At(rows);
        return count >= RowsMin ? null : Diagnostic.Performance(
            node.Name, $"a product of {count} rows is bound by reading its weights", $"take at least {RowsMin} rows");
    }
}
