using Convoy.Kernels;
using Convoy.Shared.Jobs;
using Convoy.Shared.Tensors;
using Convoy.Worker.Training;

namespace Convoy.Worker.Tests.Cluster;

/// <summary>
/// A model whose gradients can be said by hand and whose bits show every change in the order of sums. Three parameters
/// that do not tile the buckets; SGD with momentum, so that optimizer state matters too.
/// </summary>
internal sealed class ToyModel : IJobModel
{
    public const int Length = (2 * 4096) + 800;
    private readonly Action<long>? _beforeRun;
    private readonly List<long> _loaded = [];

    public ToyModel(Action<long>? beforeRun = null) => _beforeRun = beforeRun;

    public IReadOnlyList<ModelParameter> Parameters { get; } =
    [
        new("a.weight", new Shape(50, 80), 0, 4000), new("a.bias", new Shape(77), 4000, 77),
        new("b", new Shape(4900), 4080, 4900),
    ];

    public int Elements => Length;

    public IReadOnlyList<string> StateNames { get; } = ["momentum"];

    public long Samples => 100;

    public long TestSamples => 10;

    public byte[] DataSha256 { get; } = new byte[32];

    public double WeightPerSample => 1;

    /// <summary>A non-finite gradient at this step.</summary>
    public long PoisonedStep { get; init; } = -1;

    public static OpenModel Opener(Action<long>? beforeRun = null, long poisonedStep = -1) =>
        (JobSpec _, ReadOnlyMemory<byte> _) => new ToyModel(beforeRun) { PoisonedStep = poisonedStep };

    public void Initialize(Span<float> weights)
    {
        foreach (var p in Parameters)
            for (var i = 0; i < p.Length; i++) weights[(int)p.Offset + i] = MathF.Sin(i * 0.1f + p.Offset);
    }

    public void Load(ReadOnlySpan<long> samples)
    {
        _loaded.Clear();
        _loaded.AddRange(samples);
    }

    public void Run(SliceRun run, long step, ReadOnlySpan<float> weights, IReadOnlyList<Memory<float>> nodeGradients,
        Span<double> sliceLoss, Action<int> parameterReady)
    {
        _beforeRun?.Invoke(step);
        Assert.Equal(run.Rows, _loaded.Count);
        var leaves = new float[run.Slices][];
        var row = 0;
        for (var s = 0; s < run.RowsPerSlice.Count; s++)
        {
            if (run.RowsPerSlice[s] == 0) continue;
            var leaf = leaves[run.FirstSlice + s] = new float[Length];
            for (var r = 0; r < run.RowsPerSlice[s]; r++) AddSample(leaf, _loaded[row++], weights);
            sliceLoss[s] = leaf[3] * 0.001 + run.FirstSlice + s;
        }

        if (step == PoisonedStep && run.RowsPerSlice.Count > 0 && run.FirstSlice == 0) leaves[0][5] = float.NaN;
        for (var p = Parameters.Count - 1; p >= 0; p--)
        {
            for (var n = 0; n < run.Nodes.Length; n++)
            {
                if (Node(run.Nodes[n], leaves) is not { } sum) continue;
                var (at, length) = ((int)Parameters[p].Offset, (int)Parameters[p].Length);
                sum.AsSpan(at, length).CopyTo(nodeGradients[n].Span[at..]);
            }

            parameterReady(p);
        }
    }

    private void AddSample(float[] leaf, long sample, ReadOnlySpan<float> weights)
    {
        foreach (var p in Parameters)
            for (var e = (int)p.Offset; e < p.Offset + p.Length; e++)
                leaf[e] += (MathF.Sin((sample * 31) + (e * 0.01f)) * (1 << (int)(sample % 9))) - (weights[e] * 0.25f);
    }

    private static float[]? Node(TreeNode node, float[][] leaves)
    {
        if (node.Level == 0) return node.Index < leaves.Length ? (float[]?)leaves[node.Index]?.Clone() : null;
        var (left, right) = (Node(node.Left, leaves), Node(node.Right, leaves));
        if (left is null || right is null) return left ?? right;
        AxpyTree.Add<float>(left, right);
        return left;
    }

    public double LearningRate(long step) => 0.01;

    public void Optimize(Span<float> weights, ReadOnlySpan<float> gradient, IReadOnlyList<Memory<float>> states,
        long step, double scale)
    {
        var momentum = states[0].Span;
        for (var i = 0; i < weights.Length; i++)
        {
            momentum[i] = (0.9f * momentum[i]) + (gradient[i] * (float)scale);
            weights[i] -= 0.01f * momentum[i];
        }
    }

    public TestScore Evaluate(ReadOnlySpan<float> weights) => new(weights[0], 1, 7, 10);

    public void Dispose()
    {
    }
}
