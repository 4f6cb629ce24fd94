using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Graphs;

/// <summary>Copies a graph node by node while values are replaced: what every pass is made of.</summary>
internal sealed class GraphEdit(Graph source)
{
    private readonly ValueRef[][] _map = new ValueRef[source.Nodes.Length][];

    public Graph Source => source;
    public GraphBuilder Target { get; } = new();

    public ValueRef Map(ValueRef old) => _map[old.Node][old.Output];

    /// <summary>From here on, the results of a node are other values of the new graph.</summary>
    public void Replace(GraphNode node, params ReadOnlySpan<ValueRef> values) => _map[node.Id] = values.ToArray();

    public void Copy(GraphNode node) => CopyAs(node, node.Op, node.Attributes, MapAll(node.Inputs.AsSpan()));

    public void CopyAs(GraphNode node, Op op, Attributes attributes, ReadOnlySpan<ValueRef> inputs)
    {
        var values = Target.Append(op, attributes, inputs, node.Name);
        Replace(node, [.. values.Select(GraphBuilder.RefOf)]);
    }

    public ValueRef[] MapAll(ReadOnlySpan<ValueRef> old)
    {
        var mapped = new ValueRef[old.Length];
        for (var i = 0; i < old.Length; i++) mapped[i] = Map(old[i]);
        return mapped;
    }

    public void CopyAll()
    {
        foreach (var node in source.Nodes) Copy(node);
    }

    /// <summary>The new graph with the outputs of the old one.</summary>
    public Graph Finish()
    {
        foreach (var output in source.Outputs) Target.Output(output.Name, Target.ValueOf(Map(output.Value)));
        return Target.Build();
    }
}
