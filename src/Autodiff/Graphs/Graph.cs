using System.Collections.Immutable;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Graphs;

/// <summary>Result <paramref name="Output"/> of node <paramref name="Node"/>.</summary>
public readonly record struct ValueRef(int Node, int Output)
{
    /// <inheritdoc/>
    public override string ToString() => Output == 0 ? $"%{Node}" : $"%{Node}.{Output}";
}

/// <summary>One application of an operator.</summary>
/// <param name="Id">Its place in the graph, from 0.</param>
/// <param name="Name">Unique in the graph; of inputs and parameters the name by which they are bound.</param>
/// <param name="Op">The operator, one of the table.</param>
/// <param name="Attributes">Its constants.</param>
/// <param name="Inputs">Results of earlier nodes.</param>
/// <param name="Types">Element types and shapes of its results, as the operator infers them.</param>
public sealed record GraphNode(
    int Id, string Name, Op Op, Attributes Attributes, ImmutableArray<ValueRef> Inputs,
    ImmutableArray<TensorType> Types)
{
    /// <summary>The type of the first result.</summary>
    public TensorType Type => Types[0];
}

/// <summary>A result that the graph gives out.</summary>
/// <param name="Name">Unique among the outputs.</param>
/// <param name="Value">Which result of which node.</param>
public sealed record GraphOutput(string Name, ValueRef Value);

/// <summary>
/// A computation as data: nodes in an order in which each comes after its inputs, named inputs, parameters and outputs.
/// Made by <see cref="GraphBuilder"/>, <see cref="GraphCodec"/> or a pass; never changed.
/// </summary>
public sealed class Graph
{
    internal Graph(ImmutableArray<GraphNode> nodes, ImmutableArray<GraphOutput> outputs)
    {
        Nodes = nodes;
        Outputs = outputs;
        Inputs = [.. nodes.Where(n => n.Op == OpTable.Input)];
        Parameters = [.. nodes.Where(n => n.Op == OpTable.Parameter)];
        Symbols = [.. Inputs.SelectMany(n => n.Type.Dims).SelectMany(d => d.Formula.Names)
            .Distinct(StringComparer.Ordinal)];
    }

    /// <summary>All nodes; node i has id i, and each comes after its inputs.</summary>
    public ImmutableArray<GraphNode> Nodes { get; }
    /// <summary>What a run returns, by name.</summary>
    public ImmutableArray<GraphOutput> Outputs { get; }
    /// <summary>What a run is given: the nodes of the operator input, in their order.</summary>
    public ImmutableArray<GraphNode> Inputs { get; }
    /// <summary>In the order of the layout of weights.</summary>
    public ImmutableArray<GraphNode> Parameters { get; }

    /// <summary>
    /// Names of sizes that are known when the graph is run, as the inputs have them: <c>N</c> is the batch, <c>?0</c> a
    /// dynamic dimension.
    /// </summary>
    public IReadOnlyList<string> Symbols { get; }

    /// <summary>The sizes that operands of these shapes give: a number for each of <see cref="Symbols"/>.</summary>
    /// <param name="inputs">A shape for each input, by its name.</param>
    /// <exception cref="GraphException">An input has no shape, or one that is not its own: the line says which input,
    /// and which size another input gave.</exception>
    public IReadOnlyDictionary<string, int> SizesOf(IReadOnlyDictionary<string, Shape> inputs) => DimSizes.Of(
        this, n => inputs.TryGetValue(n.Name, out var shape) ? shape
            : throw new GraphException($"input {n.Name} has no shape")).All;

    /// <summary>
    /// The same computation for fixed sizes: shapes are inferred and verified again, with numbers for names. What runs
    /// compiled has no names but the batch.
    /// </summary>
    /// <param name="sizes">Numbers of some of <see cref="Symbols"/>, 0 or more.</param>
    /// <exception cref="ShapeException">The graph has no such name, or an operator takes no such size.</exception>
    public Graph WithSizes(IReadOnlyDictionary<string, int> sizes) => WithSizes(DimSizes.Of(this, sizes));

    internal Graph WithSizes(DimSizes sizes)
    {
        var edit = new GraphEdit(this);
        foreach (var node in Nodes)
            edit.CopyAs(node, node.Op, sizes.At(node.Attributes), edit.MapAll(node.Inputs.AsSpan()));
        return edit.Finish();
    }

    /// <summary>Refuses a graph with sizes that have no number yet, the batch aside.</summary>
    internal void RequireSizes(string who)
    {
        string[] open = [.. Symbols.Where(s => s != Dim.BatchName)];
        if (open.Length > 0)
            throw new GraphException($"{who}: size {string.Join(", ", open)} of the graph has no number; give one to "
                + "Graph.WithSizes first");
    }

    /// <summary>The result behind a name, or null.</summary>
    public ValueRef? Output(string name)
    {
        foreach (var output in Outputs)
            if (output.Name == name) return output.Value;
        return null;
    }

    /// <summary>Element type and shape of a result.</summary>
    public TensorType TypeOf(ValueRef value) => Nodes[value.Node].Types[value.Output];
}
