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
    /// <param name="graph">Of operators of the table; the batch is as long as the dimension of its first
    /// input that follows it says.</param>
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
        var rows = RowsThatFit(graph, bindings);
        foreach (var node in graph.Nodes)
        {
            if (node.Op == OpTable.Input || node.Op == OpTable.Parameter) values[node.Id] = [Bound(node, bindings)];
            else
            {
                Value[] inputs = [.. node.Inputs.Select(i => values[i.Node][i.Output])];
                var attributes = AtRows(node, inputs, rows, widens);
                values[node.Id] = EagerBuilder.Instance.Apply(node.Op, attributes, inputs);
            }
        }

        return values;
    }

    // The batch; where a shape is not the graph's, operators might still accept it, and say something else.
    private static int RowsThatFit(Graph graph, IReadOnlyDictionary<string, Variable> bindings)
    {
        var rows = -1;
        foreach (var leaf in graph.Inputs.Concat(graph.Parameters))
        {
            var (type, bound) = (leaf.Type, Bound(leaf, bindings).Data);
            if (type.BatchAxis is >= 0 and var axis && rows < 0 && bound.Rank == type.Rank)
                rows = bound.Shape[axis] / type[axis].Size;
            var isFloat = type.DType is DType.Float32 or DType.Float64;
            var fits = bound.Shape == type.At(Math.Max(rows, 0)) && (bound.DType == type.DType
                || (isFloat && bound.DType is DType.Float32 or DType.Float64));
            if (!fits) throw new GraphException(
                $"{leaf.Op.Name} {leaf.Name} is {type}, not {bound.Type}"
                + (rows < 0 ? "" : $", in a batch of {rows}"));
        }

        return Math.Max(rows, 0);
    }

    private static Variable Bound(GraphNode node, IReadOnlyDictionary<string, Variable> bindings) =>
        bindings.TryGetValue(node.Name, out var variable) ? variable
        : throw new GraphException($"{node.Op.Name} {node.Name} is not bound");

    // Shapes in attributes get the number of rows of this run, and constants the element type of the numbers.
    private static Attributes AtRows(GraphNode node, Value[] inputs, int rows, bool widens)
    {
        var attributes = node.Attributes;
        if (!attributes.Has("dims")) return attributes;
        var dims = attributes.Dims("dims").Select(d => new Tensors.Dim(d.At(rows))).ToArray();
        attributes = attributes.With("dims", dims);
        return inputs.Length == 0 && widens && node.Type.DType == DType.Float32
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
