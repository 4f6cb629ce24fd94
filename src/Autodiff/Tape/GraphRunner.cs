using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tape;

/// <summary>
/// Runs a graph on eager variables, in float32 or float64: named inputs and parameters in, named outputs out. The
/// reference of the compiled executor, and differentiable like any eager computation.
/// </summary>
public static class GraphRunner
{
    /// <summary>The outputs by name, with their histories.</summary>
    /// <param name="graph">Of operators of the table; the batch and other names are what the first input that has
    /// one of them says.</param>
    /// <param name="bindings">A variable for each input and parameter, of its shape. Where all that the graph takes as
    /// float32 is given as float64, its constants of float32 are float64 too; else each keeps its type.</param>
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
        var widens = Widens(graph, bindings);
        var sizes = SizesThatFit(graph, bindings);
        foreach (var node in graph.Nodes)
        {
            if (node.Op == OpTable.Input || node.Op == OpTable.Parameter) values[node.Id] = [Bound(node, bindings)];
            else
            {
                Value[] inputs = [.. node.Inputs.Select(i => values[i.Node][i.Output])];
                var attributes = AtSizes(node, inputs, sizes, widens);
                values[node.Id] = EagerBuilder.Instance.Apply(node.Op, attributes, inputs);
            }
        }

        return values;
    }

    // The batch and other names; where a shape is not the graph's, operators might still accept it, and say something
    // else.
    private static DimSizes SizesThatFit(Graph graph, IReadOnlyDictionary<string, Variable> bindings)
    {
        foreach (var leaf in graph.Inputs.Concat(graph.Parameters))
        {
            var (type, bound) = (leaf.Type, Bound(leaf, bindings).Data);
            var isFloat = type.DType is DType.Float32 or DType.Float64;
            if (bound.DType != type.DType && !(isFloat && bound.DType is DType.Float32 or DType.Float64))
                throw new GraphException($"{leaf.Op.Name} {leaf.Name} is {type}, not {bound.Type}");
        }

        var sizes = DimSizes.Of(graph, n => Bound(n, bindings).Data.Shape);
        foreach (var leaf in graph.Parameters) sizes.Require(leaf, Bound(leaf, bindings).Data.Shape);
        return sizes.WithBatch();
    }

    private static Variable Bound(GraphNode node, IReadOnlyDictionary<string, Variable> bindings) =>
        bindings.TryGetValue(node.Name, out var variable) ? variable
        : throw new GraphException($"{node.Op.Name} {node.Name} is not bound");

    // Shapes in attributes get the sizes of this run, and constants the element type of the numbers.
    private static Attributes AtSizes(GraphNode node, Value[] inputs, DimSizes sizes, bool widens)
    {
        var attributes = sizes.At(node.Attributes);
        return attributes.Has("dims") && inputs.Length == 0 && widens && node.Type.DType == DType.Float32
            ? attributes.With("dtype", DType.Float64) : attributes;
    }

    private static bool Widens(Graph graph, IReadOnlyDictionary<string, Variable> bindings)
    {
        var (narrow, wide) = (0, 0);
        foreach (var leaf in graph.Inputs.Concat(graph.Parameters))
        {
            if (leaf.Type.DType != DType.Float32) continue;
            if (Bound(leaf, bindings).Data.DType == DType.Float64) wide++;
            else narrow++;
        }

        return wide > 0 && narrow == 0;
    }
}
