using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;

namespace Convoy.Autodiff.Tape;

/// <summary>
/// Runs a graph on eager variables, in float32 or float64: named inputs and parameters in, named outputs out. The
/// reference of the compiled executor, and differentiable like any eager computation.
/// </summary>
public static class GraphRunner
{
    /// <summary>The outputs by name, with their histories.</summary>
    /// <param name="graph">Of operators of the table; the batch is as long as the inputs' first dimension
    /// says.</param>
    /// <param name="bindings">A variable for each input and parameter, of its shape; all floats float32 or all
    /// float64.</param>
    /// <exception cref="GraphException">An input or a parameter is not bound.</exception>
    public static IReadOnlyDictionary<string, Variable> Run(Graph graph, IReadOnlyDictionary<string, Variable> bindings)
    {
        var values = Values(graph, bindings);
        return graph.Outputs.ToDictionary(o => o.Name, o => (Variable)values[o.Value.Node][o.Value.Output]);
    }

    /// <summary>The results of all nodes.</summary>
    internal static Value[][] Values(Graph graph, IReadOnlyDictionary<string, Variable> bindings)
    {
        var values = new Value[graph.Nodes.Length][];
        foreach (var node in graph.Nodes)
        {
            if (node.Op == OpTable.Input || node.Op == OpTable.Parameter) values[node.Id] = [Bound(node, bindings)];
            else
            {
                Value[] inputs = [.. node.Inputs.Select(i => values[i.Node][i.Output])];
                values[node.Id] = EagerBuilder.Instance.Apply(node.Op, AtRows(node, graph, inputs, bindings), inputs);
            }
        }

        return values;
    }

    private static Variable Bound(GraphNode node, IReadOnlyDictionary<string, Variable> bindings) =>
        bindings.TryGetValue(node.Name, out var variable) ? variable
        : throw new GraphException($"{node.Op.Name} {node.Name} is not bound");

    // Shapes in attributes get the number of rows of this run, and constants the element type of the numbers.
    private static Attributes AtRows(
        GraphNode node, Graph graph, Value[] inputs, IReadOnlyDictionary<string, Variable> bindings)
    {
        var attributes = node.Attributes;
        if (!attributes.Has("dims")) return attributes;
        var rows = graph.Inputs.FirstOrDefault(i => i.Type.BatchAxis == 0) is { } input
            ? bindings[input.Name].Data.Shape[0] / input.Type[0].Size : 0;
        var dims = attributes.Dims("dims").Select(d => new Tensors.Dim(d.At(rows))).ToArray();
        var dtype = bindings.Values.Select(v => v.Data.DType).FirstOrDefault(
            d => d == Shared.Tensors.DType.Float64, node.Type.DType);
        attributes = attributes.With("dims", dims);
        return inputs.Length == 0 ? attributes.With("dtype", dtype) : attributes;
    }
}
