using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tape;

/// <summary>
/// One run of a graph with everything it held, by name: what was bound, the result of each node, and the outputs.
/// Further results of a node are named <c>node.1</c>, <c>node.2</c>.
/// </summary>
public sealed record KeyedRun(TensorTable Inputs, TensorTable Intermediates, TensorTable Outputs)
{
    /// <summary>What has to be bound to run a graph: inputs and parameters.</summary>
    public static BundleType InputsOf(Graph graph) => new(
        [.. graph.Inputs.Concat(graph.Parameters).Select(n => (n.Name, RuleOf(n.Type), ShapeContract.Of(n.Type)))]);

    /// <summary>What a run of the graph gives.</summary>
    public static BundleType OutputsOf(Graph graph) => new(
        [.. graph.Outputs.Select(o =>
            (o.Name, RuleOf(graph.TypeOf(o.Value)), ShapeContract.Of(graph.TypeOf(o.Value))))]);

    /// <summary>Checks the inputs against <see cref="InputsOf"/>, runs, and keeps every value.</summary>
    public static KeyedRun Of(Graph graph, TensorTable inputs)
    {
        InputsOf(graph).Check(inputs).ThrowIfErrors("inputs of the graph");
        var bound = inputs.Names.ToDictionary(n => n, n => new Variable(inputs[n]), StringComparer.Ordinal);
        using var scope = GradientMode.Off();
        var values = GraphRunner.Values(graph, bound);
        var (intermediates, outputs) = (new TensorTable(), new TensorTable());
        foreach (var node in graph.Nodes)
        {
            if (node.Op == OpTable.Input || node.Op == OpTable.Parameter) continue;
            for (var i = 0; i < values[node.Id].Length; i++)
                intermediates.Add(i == 0 ? node.Name : $"{node.Name}.{i}", ((Variable)values[node.Id][i]).Data);
        }

        foreach (var output in graph.Outputs)
            outputs.Add(output.Name, ((Variable)values[output.Value.Node][output.Value.Output]).Data);
        return new KeyedRun(inputs, intermediates, outputs);
    }

    // A graph of float32 runs in float64 as well: the reference of the compiled executor needs both.
    private static ElementRule RuleOf(TensorType type) =>
        type.DType is DType.Float32 or DType.Float64 ? ElementRule.AnyFloat : type.DType;
}
