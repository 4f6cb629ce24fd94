using Convoy.Autodiff.Optim;
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
    private readonly IReadOnlyList<StateVector> _states;

    public ModelState(int elements, IReadOnlyList<StateVector> states)
    {
        _states = states;
        Weights = new PinnedVector(elements);
        Optimizer = [.. states.Select(s => new PinnedVector(checked((int)s.Length)))];
        OptimizerMemory = [.. Optimizer.Select(v => v.Floats)];
    }

    public PinnedVector Weights { get; }

    public IReadOnlyList<PinnedVector> Optimizer { get; }

    public IReadOnlyList<Memory<float>> OptimizerMemory { get; }

    public IReadOnlyList<PinnedVector> All => [Weights, .. Optimizer];

    public StepNumber Step { get; set; } = new(-1);

    public Fingerprint Fingerprint { get; set; }

    /// <summary>Where every saved tensor lies, by its name in checkpoints.</summary>
    public IEnumerable<(TensorName Tensor, PinnedVector Vector, long Offset)> Tensors(IJobModel model)
    {
        foreach (var p in model.Parameters)
            yield return (new TensorName(ShardPlan.Weights(p.Name), p.Shape), Weights, p.Offset);
        for (var s = 0; s < Optimizer.Count; s++)
            foreach (var t in _states[s].Tensors)
                yield return (new TensorName(ShardPlan.State(t.State, t.Parameter), t.Shape), Optimizer[s], t.Offset);
    }
}
