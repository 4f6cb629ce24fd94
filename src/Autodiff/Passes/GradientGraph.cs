using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tape;

namespace Convoy.Autodiff.Passes;

/// <summary>
/// Needs: an output that is a scalar. Guarantees: the same graph plus an output <c>grad:NAME</c> for each parameter
/// that the scalar depends on; gradients of later layers come first.
/// </summary>
public static class GradientGraph
{
    /// <summary>Outputs that are gradients are named so, with the parameter's name after it.</summary>
    public const string Prefix = "grad:";

    /// <summary>
    /// An output of the forward graph with this prefix and the name of a parameter stands where its gradient would: a
    /// sum over samples that the parameter follows by a rule of its own.
    /// </summary>
    public const string StatisticPrefix = "stat:";

    /// <summary>Forward and backward in one graph.</summary>
    /// <param name="graph">A forward graph.</param>
    /// <param name="loss">The output that is differentiated: one number, a sum over samples.</param>
    public static Graph Build(Graph graph, string loss = "loss_sum")
    {
        var start = graph.Output(loss) ?? throw new GraphException($"the graph has no output {loss}");
        if (graph.TypeOf(start).Rank != 0)
            throw new GraphException(
                $"the output {loss} is {graph.TypeOf(start).Text}; a gradient starts from a scalar");

        var edit = new GraphEdit(graph);
        edit.CopyAll();
        var builder = edit.Target;
        var tape = new List<Application>();
        foreach (var node in graph.Nodes)
        {
            if (node.Inputs.Length == 0) continue;
            Value[] outputs = [.. node.Types.Select((_, i) => builder.ValueOf(edit.Map(new ValueRef(node.Id, i))))];
            Value[] inputs = [.. node.Inputs.Select(r => builder.ValueOf(edit.Map(r)))];
            tape.Add(new Application(node.Op, node.Attributes, inputs, outputs));
        }

        var seed = builder.ValueOf(edit.Map(start));
        Value[] parameters = [.. graph.Parameters.Select(p => builder.ValueOf(edit.Map(new ValueRef(p.Id, 0))))];
        var reverse = new ReverseMode(builder);
        reverse.Run(tape, [(seed, builder.Full(1, seed.Type))], parameters);
        for (var i = 0; i < parameters.Length; i++)
        {
            var name = graph.Parameters[i].Name;
            if (graph.Output(StatisticPrefix + name) is { } sum)
                builder.Output(Prefix + name, builder.ValueOf(edit.Map(sum)));
            else if (reverse.GradientOf(parameters[i]) is { } gradient) builder.Output(Prefix + name, gradient);
        }

        return edit.Finish();
    }
}
