using System.Globalization;
using System.Text;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Graphs;

/// <summary>Graphs for readers: as lines of text, or for Graphviz.</summary>
public static class GraphPrinter
{
    /// <summary>A line for each node and output, under a line of totals for one sample.</summary>
    public static string Text(Graph graph)
    {
        var text = new StringBuilder();
        var statistics = GraphStatistics.Of(graph, 1);
        text.Append(CultureInfo.InvariantCulture,
            $"# {graph.Nodes.Length} nodes, {statistics.Parameters} parameters, ");
        text.Append(CultureInfo.InvariantCulture, $"{statistics.Cost.Flops} flops a sample\n");
        foreach (var node in graph.Nodes) Line(text, node);
        foreach (var output in graph.Outputs)
            text.Append(CultureInfo.InvariantCulture, $"output {output.Name} = {output.Value}\n");
        return text.ToString();
    }

    /// <summary>The graph in the DOT language of Graphviz, inputs blue, parameters yellow.</summary>
    public static string Dot(Graph graph)
    {
        var text = new StringBuilder("digraph model {\n  rankdir=TB; node [shape=box, fontname=monospace];\n");
        foreach (var node in graph.Nodes)
        {
            var shape = node.Op == OpTable.Parameter ? ", style=filled, fillcolor=lightyellow"
                : node.Op == OpTable.Input ? ", style=filled, fillcolor=lightblue" : "";
            var label = Escape($"{node.Name}\n{node.Op.Name} {node.Type.Text}");
            text.Append(CultureInfo.InvariantCulture, $"  n{node.Id} [label=\"{label}\"{shape}];\n");
            foreach (var input in node.Inputs)
                text.Append(CultureInfo.InvariantCulture, $"  n{input.Node} -> n{node.Id};\n");
        }

        foreach (var output in graph.Outputs)
        {
            var name = Escape(output.Name);
            text.Append(CultureInfo.InvariantCulture,
                $"  \"{name}\" [shape=ellipse]; n{output.Value.Node} -> \"{name}\";\n");
        }

        return text.Append("}\n").ToString();
    }

    private static void Line(StringBuilder text, GraphNode node)
    {
        text.Append(CultureInfo.InvariantCulture,
            $"%{node.Id} {node.Name}: {string.Join(", ", node.Types)} = {node.Op.Name}");
        text.Append('(').AppendJoin(", ", node.Inputs).Append(')');
        var attributes = node.Attributes.Entries.Where(e => e.Key is not "dims" and not "dtype");
        var shown = attributes.Aggregate(Attributes.None, (all, e) => all.With(e.Key, e.Value)).ToString();
        if (shown.Length > 0) text.Append(" {").Append(shown).Append('}');
        text.Append('\n');
    }

    private static string Escape(string text) =>
        text.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)
            .Replace("\n", "\\n", StringComparison.Ordinal);
}
