using Convoy.Autodiff.Graphs;

namespace Convoy.Autodiff.Passes;

/// <summary>The order of passes, in one place.</summary>
public static class PassPipeline
{
    public static Graph Simplify(Graph graph) => DeadCode.Run(CommonSubexpressions.Run(FoldConstants.Run(graph)));

    /// <summary>A forward graph, ready for the executor or for <see cref="GradientGraph"/>.</summary>
    public static Graph Forward(Graph graph) => Simplify(FuseActivations.Run(FuseBias.Run(graph)));

    /// <summary>Forward and gradients of all parameters.</summary>
    public static Graph Training(Graph graph, string loss = "loss_sum") =>
        Simplify(GradientGraph.Build(Forward(graph), loss));
}
