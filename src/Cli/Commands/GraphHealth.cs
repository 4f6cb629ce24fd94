using Convoy.Autodiff.Graphs;
using Convoy.Coordinator.Health;

namespace Convoy.Cli.Commands;

/// <summary>What can be wrong with a graph before it runs.</summary>
internal static class GraphHealth
{
    public static HealthFinding Of(Graph graph)
    {
        if (GraphVerifier.FirstFault(graph) is { } fault)
            return new("graph", "rules", 60, fault, "this graph cannot run: report it with its job file");
        var idle = Idle(graph).ToList();
        return idle.Count == 0
            ? new("graph", "parameters", 0,
                $"{graph.Nodes.Length} nodes, all {graph.Parameters.Length} parameters reach an output", "")
            : new("graph", "parameters", 15, $"no output depends on {string.Join(", ", idle)}: never trained",
                "remove them from the model, or use them");
    }

    private static IEnumerable<string> Idle(Graph graph)
    {
        var needed = new bool[graph.Nodes.Length];
        foreach (var output in graph.Outputs) needed[output.Value.Node] = true;
        for (var id = graph.Nodes.Length - 1; id >= 0; id--)
            if (needed[id])
                foreach (var input in graph.Nodes[id].Inputs) needed[input.Node] = true;
        return graph.Parameters.Where(parameter => !needed[parameter.Id]).Select(parameter => parameter.Name);
    }
}
