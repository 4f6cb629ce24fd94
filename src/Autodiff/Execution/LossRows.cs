using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Passes;

namespace Convoy.Autodiff.Execution;

/// <summary>
/// A loss is summed per slice and in float64, outside of the graph: the executor takes what the graph would sum. So the
/// graph's loss_sum (and correct) must be the sum over all elements of something per sample.
/// </summary>
internal static class LossRows
{
    public const string Name = "loss_rows";
    public const string CorrectName = "correct_rows";

    public static Graph Expose(Graph graph, bool keepOthers)
    {
        var edit = new GraphEdit(graph);
        edit.CopyAll();
        var target = edit.Target;
        var loss = graph.Output("loss_sum") ?? throw new GraphException("the graph has no output loss_sum");
        target.Output(Name, target.ValueOf(edit.Map(RowsOf(graph, loss, "loss_sum"))));
        if (keepOthers && graph.Output("correct") is { } correct)
            target.Output(CorrectName, target.ValueOf(edit.Map(RowsOf(graph, correct, "correct"))));
        foreach (var output in graph.Outputs)
        {
            var isKept = output.Name.StartsWith(GradientGraph.Prefix, StringComparison.Ordinal)
                || (keepOthers && output.Name == "logits");
            if (isKept) target.Output(output.Name, target.ValueOf(edit.Map(output.Value)));
        }

        return DeadCode.Run(target.Build());
    }

    private static ValueRef RowsOf(Graph graph, ValueRef sum, string name)
    {
        var node = graph.Nodes[sum.Node];
        if (node.Op != OpTable.Sum || node.Type.Rank != 0 || graph.TypeOf(node.Inputs[0]).BatchAxis != 0)
        {
            throw new GraphException(
                $"the output {name} is made by {node.Op.Name}; it must be the sum of all elements of something per sample "
                + "(add the terms of a loss before the sum)");
        }

        return node.Inputs[0];
    }
}
