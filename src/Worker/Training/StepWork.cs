using Convoy.Shared.Ids;
using Convoy.Shared.Tensors;
using Convoy.Worker.Collectives;

namespace Convoy.Worker.Training;

/// <summary>
/// One step in flight, shared by the device (which fills the own part) and the exchange (which fills the rest). There
/// are two of them, used in turn by odd and even steps: the reduced gradient of t is kept until step t+2 overwrites it
/// (S6).
/// </summary>
internal sealed class StepWork
{
    public StepWork(int elements, int slices)
    {
        Reduced = new PinnedVector(elements);
        Checksums = new uint[FingerprintChain.BlockCount(elements)];
        SliceLoss = new double[slices];
    }

    /// <summary>The sum over all slices: what the optimizer gets.</summary>
    public PinnedVector Reduced { get; }

    /// <summary>CRC32C of each norm block of <see cref="Reduced"/>.</summary>
    public uint[] Checksums { get; }

    /// <summary>Loss sum of every slice of the step.</summary>
    public double[] SliceLoss { get; }

    public Span<double> LossOfShare => SliceLoss.AsSpan(Share.From, Share.Count);

    public StepNumber Step { get; private set; } = new(-1);

    public ReduceTree Tree { get; private set; } = null!;

    /// <summary>Leaves [0, PresentSlices) have samples.</summary>
    public int PresentSlices { get; private set; }

    /// <summary>H of the state that the step starts from.</summary>
    public Fingerprint Before { get; private set; }

    /// <summary>H of the state that the step leads to; counts once it is applied.</summary>
    public Fingerprint After => FingerprintChain.Next(Before, Step, Checksums);

    /// <summary>Own gradients, one vector for each node of the own share, absent ones included.</summary>
    public IReadOnlyList<PinnedVector> NodeGradients { get; private set; } = [];

    /// <summary>The same vectors as the model takes them.</summary>
    public Memory<float>[] NodeMemory { get; private set; } = [];

    public IReadOnlyList<TreeNode> Nodes { get; private set; } = [];

    /// <summary>Slices of this worker.</summary>
    public SliceRange Share { get; private set; }

    /// <summary>
    /// Samples of the whole step; every member sends it along, so that no two mean different steps (S7).
    /// </summary>
    public int Samples { get; private set; }

    public bool Held { get; set; }

    /// <summary>The step was applied from <see cref="Reduced"/>: whoever is one step behind may fetch it.</summary>
    public bool Applied { get; set; }

    public void Begin(StepNumber step, Fingerprint before, int samples, int presentSlices, ReduceTree tree,
        SliceRange share,
        IReadOnlyList<TreeNode> nodes, IReadOnlyList<PinnedVector> nodeGradients)
    {
        (Step, Before, Samples, PresentSlices, Tree) = (step, before, samples, presentSlices, tree);
        (Share, Nodes, NodeGradients, Held, Applied) = (share, nodes, nodeGradients, false, false);
        NodeMemory = [.. nodeGradients.Select(v => v.Floats)];
        Array.Clear(SliceLoss);
    }

    /// <summary>The reduced gradient came from others: there is no own part.</summary>
    public void BeginFed(StepNumber step, Fingerprint before, int samples, int presentSlices)
    {
        (Step, Before, Samples, PresentSlices, Held, Applied) = (step, before, samples, presentSlices, true, false);
        Array.Clear(SliceLoss);
    }

    /// <summary>The own gradient of a node.</summary>
    public PinnedVector GradientOf(TreeNode node)
    {
        for (var i = 0; i < Nodes.Count; i++)
            if (Nodes[i] == node) return NodeGradients[i];
        throw new Shared.InvariantException($"X1 node {node} is not one of this worker's");
    }
}
