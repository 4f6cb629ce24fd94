using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Ops;

namespace Convoy.Autodiff.Passes;

/// <summary>
/// Needs: a forward graph. Guarantees: the same model as it is used after training: nothing is dropped out, and running
/// values take the place of statistics of the batch. A graph without either is returned as it is.
/// </summary>
public static class EvaluationForm
{
    /// <summary>The model as it is used after training.</summary>
    public static Graph Run(Graph graph)
    {
        if (!graph.Nodes.Any(n => n.Op == OpTable.DropoutMask || n.Op == OpTable.Statistic)) return graph;
        var edit = new GraphEdit(graph);
        foreach (var node in graph.Nodes)
        {
            if (node.Op == OpTable.DropoutMask)
            {
                var one = Attributes.Of("value", 1.0, "dims", node.Type.Dims).With("dtype", node.Type.DType);
                edit.CopyAs(node, OpTable.Full, one, []);
            }
            else if (node.Op == OpTable.Statistic)
            {
                var running = edit.Target.ValueOf(edit.Map(node.Inputs[1]));
                edit.Replace(node, GraphBuilder.RefOf(running.BroadcastTo(node.Type.Dims.AsSpan())));
            }
            else edit.Copy(node);
        }

        return PassPipeline.Simplify(edit.Finish());
    }
}
