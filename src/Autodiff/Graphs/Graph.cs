using System.Collections.Immutable;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Graphs;

/// <summary>Result <paramref name="Output"/> of node <paramref name="Node"/>.</summary>
public readonly record struct ValueRef(int Node, int Output)
{
    public override string ToString() => Output == 0 ? $"%{Node}" : $"%{Node}.{Output}";
}

public sealed record GraphNode(
    int Id, string Name, Op Op, Attributes Attributes, ImmutableArray<ValueRef> Inputs,
    ImmutableArray<TensorType> Types)
{
    public TensorType Type => Types[0];
}

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
    }

    public ImmutableArray<GraphNode> Nodes { get; }
    public ImmutableArray<GraphOutput> Outputs { get; }
    public ImmutableArray<GraphNode> Inputs { get; }
    /// <summary>In the order of the layout of weights.</summary>
    public ImmutableArray<GraphNode> Parameters { get; }

    public ValueRef? Output(string name)
    {
        foreach (var output in Outputs)
            if (output.Name == name) return output.Value;
        return null;
    }

    public TensorType TypeOf(ValueRef value) => Nodes[value.Node].Types[value.Output];
}
