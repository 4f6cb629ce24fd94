using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared;
using Convoy.Shared.Errors;

namespace Convoy.Autodiff.Graphs;

/// <summary>A graph that breaks a rule; the message starts with the rule's id.</summary>
public sealed class GraphException(string message) : ConvoyException(ErrorCode.Graph, message);

/// <summary>
/// What a legal graph is. Runs after every pass in tests, after decoding, and when a graph is built.
/// GV-1 node i has id i; GV-2 inputs come before; GV-3 types are what the operator infers; GV-4 names differ;
/// GV-5 outputs exist and their names differ; GV-6 parameters have fixed shapes; GV-7 sizes are within limits;
/// GV-8 an input says what a named size is.
/// </summary>
public static class GraphVerifier
{
    /// <summary>Elements of one value, without the batch; larger ones are refused before memory is asked for.</summary>
    public const long ElementsMax = 1L << 33;

    /// <summary>Refuses an illegal graph.</summary>
    /// <exception cref="GraphException">The first broken rule, with its id and the node.</exception>
    public static void Check(Graph graph)
    {
        if (FirstFault(graph) is { } fault) throw new GraphException(fault);
    }

    /// <summary>The first broken rule, or null.</summary>
    public static string? FirstFault(Graph graph)
    {
        if (graph.Nodes.Length > Limits.GraphNodesMax) return $"GV-7 more than {Limits.GraphNodesMax} nodes";
        var names = new HashSet<string>(StringComparer.Ordinal);
        for (var i = 0; i < graph.Nodes.Length; i++)
        {
            var node = graph.Nodes[i];
            if (node.Id != i) return $"GV-1 node {i} has id {node.Id}";
            if (!names.Add(node.Name)) return $"GV-4 two nodes are named {node.Name}";
            if (NodeFault(graph, node) is { } fault) return fault;
        }

        return OutputFault(graph);
    }

    private static string? NodeFault(Graph graph, GraphNode node)
    {
        var types = new TensorType[node.Inputs.Length];
        for (var i = 0; i < types.Length; i++)
        {
            var input = node.Inputs[i];
            if ((uint)input.Node >= (uint)node.Id) return $"GV-2 {node.Name} reads {input}, which does not come before";
            if ((uint)input.Output >= (uint)graph.Nodes[input.Node].Types.Length)
                return $"GV-2 {node.Name} reads {input}, which has no such result";
            types[i] = graph.TypeOf(input);
        }

        if (TypeFault(node, types) is { } fault) return fault;
        foreach (var type in node.Types)
            if (!type.HasNames && type.Coefficient > ElementsMax) return $"GV-7 {node.Name} has more than {ElementsMax} elements";
        if (node.Op == OpTable.Parameter && !node.Type.IsStatic)
            return $"GV-6 parameter {node.Name} has no fixed shape: {node.Type}";
        return NameFault(graph, node);
    }

    private static string? NameFault(Graph graph, GraphNode node)
    {
        foreach (var type in node.Types)
        {
            if (!type.HasNames) continue;
            foreach (var name in type.Dims.SelectMany(d => d.Formula.Names))
                if (name != Dim.BatchName && !graph.Inputs.Any(n => GivesSize(n.Type, name)))
                    return $"GV-8 {node.Name} is {type}: no input has a dimension of {name} alone, so nothing says what it is";
        }

        return null;
    }

    private static bool GivesSize(TensorType input, string name)
    {
        foreach (var dim in input.Dims)
            if (dim.Formula.Single is var (_, given) && given == name) return true;
        return false;
    }

    private static string? TypeFault(GraphNode node, TensorType[] inputs)
    {
        try
        {
            node.Op.RequireKnown(node.Attributes);
            var inferred = node.Op.Infer(node.Attributes, inputs);
            return inferred.AsSpan().SequenceEqual(node.Types.AsSpan()) ? null
                : $"GV-3 {node.Name} is {node.Type}, its operator gives {inferred[0]}";
        }
        catch (ShapeException e)
        {
            return $"GV-3 {node.Name}: {e.Message}";
        }
    }

    private static string? OutputFault(Graph graph)
    {
        var names = new HashSet<string>(StringComparer.Ordinal);
        foreach (var output in graph.Outputs)
        {
            if (!names.Add(output.Name)) return $"GV-5 two outputs are named {output.Name}";
            if ((uint)output.Value.Node >= (uint)graph.Nodes.Length) return $"GV-5 output {output.Name} has no node";
            if ((uint)output.Value.Output >= (uint)graph.Nodes[output.Value.Node].Types.Length)
                return $"GV-5 output {output.Name} has no such result";
        }

        return null;
    }
}
