using Convoy.Shared.Storage;
using Convoy.Worker.Training;

namespace Convoy.Simulation.Tests.Cluster;

/// <summary>The simulated model with a bug around it.</summary>
internal sealed class ErringModel(IJobModel model) : IJobModel
{
    /// <summary>What is loaded instead of the samples.</summary>
    public Func<long[], long[]> Samples { get; init; } = static samples => samples;

    /// <summary>After this step one bit of one weight is another one; -1: never.</summary>
    public long Flips { get; init; } = -1;

    public Action<long> AfterStep { get; init; } = static _ => { };

    public IReadOnlyList<ModelParameter> Parameters => model.Parameters;
    public int Elements => model.Elements;
    public IReadOnlyList<string> StateNames => model.StateNames;
    long IJobModel.Samples => model.Samples;
    public long TestSamples => model.TestSamples;
    public byte[] DataSha256 => model.DataSha256;
    public double WeightPerSample => model.WeightPerSample;

    public void Initialize(Span<float> weights) => model.Initialize(weights);

    public void Load(ReadOnlySpan<long> samples) => model.Load(Samples(samples.ToArray()));

    public void Run(SliceRun run, long step, ReadOnlySpan<float> weights, IReadOnlyList<Memory<float>> nodeGradients,
        Span<double> sliceLoss, Action<int> parameterReady) =>
        model.Run(run, step, weights, nodeGradients, sliceLoss, parameterReady);

    public double LearningRate(long step) => model.LearningRate(step);

    public void Optimize(
        Span<float> weights, ReadOnlySpan<float> gradient, IReadOnlyList<Memory<float>> states, long step, double scale)
    {
        model.Optimize(weights, gradient, states, step, scale);
        if (step == Flips)
            weights[5] = BitConverter.UInt32BitsToSingle(BitConverter.SingleToUInt32Bits(weights[5]) ^ 1);
        AfterStep(step);
    }

    public TestScore Evaluate(ReadOnlySpan<float> weights) => model.Evaluate(weights);

    public void Dispose() => model.Dispose();
}

/// <summary>A disk that says "durable" and does nothing.</summary>
internal sealed class UnflushedDisk(IDisk disk) : DiskOver(disk)
{
    public override IDiskFile Create(string path) => new UnflushedFile(base.Create(path));

    public override void FlushFolder(string path)
    {
    }

    private sealed class UnflushedFile(IDiskFile file) : IDiskFile
    {
        public void Write(ReadOnlySpan<byte> data) => file.Write(data);

        public void Flush()
        {
        }

        public void Dispose() => file.Dispose();
    }
}
