using Convoy.Shared.Checkpoints;
using Convoy.Shared.Ids;
using Convoy.Worker.Collectives;

namespace Convoy.Worker.Training;

/// <summary>
/// State t of the job: weights and optimizer state, all of one version (S2). A state that is loaded is a new object,
/// which takes the old one's place only when it is whole.
/// </summary>
internal sealed class ModelState
{
    public ModelState(int elements, int optimizerStates)
    {
        Weights = new PinnedVector(elements);
        Optimizer = [.. Enumerable.Range(0, optimizerStates).Select(_ => new PinnedVector(elements))];
        OptimizerMemory = [.. Optimizer.Select(v => v.Floats)];
    }

    public PinnedVector Weights { get; }

    public IReadOnlyList<PinnedVector> Optimizer { get; }

    public IReadOnlyList<Memory<float>> OptimizerMemory { get; }

    public IReadOnlyList<PinnedVector> All => [Weights, .. Optimizer];

    public StepNumber Step { get; set; } = new(-1);

    public Fingerprint Fingerprint { get; set; }

    /// <summary>Where every saved tensor lies, by its name in checkpoints.</summary>
    public IEnumerable<(TensorName Tensor, PinnedVector Vector, ModelParameter Parameter)> Tensors(IJobModel model)
    {
        foreach (var p in model.Parameters)
            yield return (new TensorName(ShardPlan.Weights(p.Name), p.Shape), Weights, p);
        for (var s = 0; s < Optimizer.Count; s++)
            foreach (var p in model.Parameters)
                yield return (new TensorName(ShardPlan.State(model.StateNames[s], p.Name), p.Shape), Optimizer[s], p);
    }
}
