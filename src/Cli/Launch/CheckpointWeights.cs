using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Graphs;
using Convoy.Shared.Checkpoints;
using Convoy.Shared.Storage;

namespace Convoy.Cli.Launch;

/// <summary>The weights of a checkpoint as the flat vector that a graph's layout describes.</summary>
internal static class CheckpointWeights
{
    public static float[] Load(Graph graph, string path)
    {
        var layout = ParameterLayout.Of(graph);
        var weights = new float[layout.TotalLength];
        var slots = layout.Slots.Select(slot => new FlatSlot(ShardPlan.Weights(slot.Name), slot.Shape, slot.Offset))
            .ToList();
        Checkpoint.Open(RealDisk.Instance, path).Load(new FlatVector(weights, slots));
        return weights;
    }
}
