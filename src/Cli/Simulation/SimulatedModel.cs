using System.Numerics;
using Convoy.Shared.Jobs;
using Convoy.Shared.Tensors;
using Convoy.Worker.Training;

namespace Convoy.Cli.Simulation;

/// <summary>What the simulated compute tells the checkers.</summary>
internal interface IComputeWitness
{
    /// <summary>A worker computes slices of a step over these samples, slice after slice.</summary>
    void OnRun(string host, long step, int firstSlice, IReadOnlyList<int> rowsPerSlice, IReadOnlyList<long> samples);

    /// <summary>A worker applied a step: its state as it is now.</summary>
    void OnApplied(string host, ulong incarnation, long step, ReadOnlySpan<float> weights,
        ReadOnlySpan<float> momentum);
}

/// <summary>
/// A small model with real weights: a gradient that follows exactly from sample, element and weight, in float32 whose
/// bits show every change in the order of sums, and SGD with momentum. Everything around it is the system.
/// </summary>
internal sealed class SimulatedModel(
    string host, ulong incarnation, int elements, SimulatedJob witness) : IJobModel
{
    public const int SmallElements = 240;
    public const int LargeElements = 5 * 4096;
    private const int FirstLength = 160;

    private readonly List<long> _loaded = [];
    private readonly Stack<float[]> _free = new();

    public IReadOnlyList<ModelParameter> Parameters { get; } =
    [
        new("a", new Shape(20, 8), 0, FirstLength),
        new("b", new Shape(elements - FirstLength - 3), FirstLength, elements - FirstLength - 3),
    ];

    public int Elements => elements;
    public IReadOnlyList<string> StateNames { get; } = ["momentum"];
    public long Samples => witness.Plan.Samples;

    /// <summary>The job that it belongs to.</summary>
    public SimulatedJob Job => witness;
    public long TestSamples => 0;
    public byte[] DataSha256 { get; } = new byte[32];
    public double WeightPerSample => 1;

    /// <summary>Gradient of one sample in one element.</summary>
    public static float Gradient(long sample, int element, float weight)
    {
        var mixed = unchecked(((uint)sample * 2654435761u) ^ ((uint)element * 2246822519u));
        mixed ^= mixed >> 15;
        mixed *= 2246822519u;
        return ((int)(mixed >> 8) * (1f / (1 << 23))) - 1f - (weight * 0.125f);
    }

    /// <summary>Adds the gradient of one sample in the first elements; the same bits as element by element.</summary>
    public static void AddGradient(long sample, ReadOnlySpan<float> weights, Span<float> sum)
    {
        var e = 0;
        var lanes = Vector<uint>.Count;
        var index = Vector.CreateSequence(0u, 1u);
        var mixedSample = new Vector<uint>(unchecked((uint)sample * 2654435761u));
        for (; e + lanes <= sum.Length; e += lanes, index += new Vector<uint>((uint)lanes))
        {
            var mixed = mixedSample ^ (index * 2246822519u);
            mixed ^= mixed >>> 15;
            mixed *= 2246822519u;
            var noise = Vector.ConvertToSingle((mixed >>> 8).As<uint, int>()) * (1f / (1 << 23));
            var gradient = noise - Vector<float>.One - (new Vector<float>(weights[e..]) * 0.125f);
            (new Vector<float>(sum[e..]) + gradient).CopyTo(sum[e..]);
        }

        for (; e < sum.Length; e++) sum[e] += Gradient(sample, e, weights[e]);
    }

    public static float FirstWeight(int element) => ((element * 37 % 101) - 50) * 0.02f;

    public const float MomentumFactor = 0.9f;
    public const float Rate = 0.01f;

    public void Initialize(Span<float> weights)
    {
        weights.Clear();
        for (var e = 0; e < elements - 3; e++) weights[e] = FirstWeight(e);
    }

    public void Load(ReadOnlySpan<long> samples)
    {
        _loaded.Clear();
        _loaded.AddRange(samples);
    }

    public void Run(SliceRun run, long step, ReadOnlySpan<float> weights, IReadOnlyList<Memory<float>> nodeGradients,
        Span<double> sliceLoss, Action<int> parameterReady)
    {
        witness.OnRun(host, step, run.FirstSlice, run.RowsPerSlice, _loaded);
        var leaves = new float[run.RowsPerSlice.Count][];
        var row = 0;
        for (var s = 0; s < leaves.Length; s++)
        {
            if (run.RowsPerSlice[s] == 0) continue;
            var leaf = leaves[s] = Rent();
            for (var r = 0; r < run.RowsPerSlice[s]; r++) Add(leaf, witness.FirstSample + _loaded[row++], weights);
            sliceLoss[s] = leaf[0];
        }

        for (var n = 0; n < run.Nodes.Length; n++)
            if (Sum(run.Nodes[n], run.FirstSlice, leaves) is { } sum)
                sum.AsSpan(0, elements).CopyTo(nodeGradients[n].Span);
        for (var p = Parameters.Count - 1; p >= 0; p--) parameterReady(p);
        foreach (var leaf in leaves)
            if (leaf is not null) _free.Push(leaf);
    }

    private float[] Rent()
    {
        if (!_free.TryPop(out var leaf)) return new float[elements];
        Array.Clear(leaf);
        return leaf;
    }

    private void Add(float[] leaf, long sample, ReadOnlySpan<float> weights) =>
        AddGradient(sample, weights, leaf.AsSpan(0, elements - 3));

    private static float[]? Sum(TreeNode node, int first, float[]?[] leaves)
    {
        if (node.Level == 0) return node.Index - first < leaves.Length ? leaves[node.Index - first] : null;
        var (left, right) = (Sum(node.Left, first, leaves), Sum(node.Right, first, leaves));
        if (left is null || right is null) return left ?? right;
        for (var e = 0; e < left.Length; e++) left[e] += right[e];
        return left;
    }

    public double LearningRate(long step) => Rate;

    public void Optimize(Span<float> weights, ReadOnlySpan<float> gradient, IReadOnlyList<Memory<float>> states,
        long step, double scale)
    {
        var momentum = states[0].Span;
        var (i, lanes) = (0, Vector<float>.Count);
        var (factor, rate) = (new Vector<float>(MomentumFactor), new Vector<float>(Rate));
        for (; i + lanes <= weights.Length; i += lanes)
        {
            var moved = (factor * new Vector<float>(momentum[i..]))
                + (new Vector<float>(gradient[i..]) * (float)scale);
            moved.CopyTo(momentum[i..]);
            (new Vector<float>(weights[i..]) - (rate * moved)).CopyTo(weights[i..]);
        }

        for (; i < weights.Length; i++)
        {
            momentum[i] = (MomentumFactor * momentum[i]) + (gradient[i] * (float)scale);
            weights[i] -= Rate * momentum[i];
        }

        witness.OnApplied(host, incarnation, step, weights, momentum);
    }

    public TestScore Evaluate(ReadOnlySpan<float> weights) => default;

    public void Dispose()
    {
    }
}
