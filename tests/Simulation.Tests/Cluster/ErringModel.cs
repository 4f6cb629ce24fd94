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
internal sealed class UnflushedDisk(IDisk disk) : IDisk
{
    public void CreateFolder(string path) => disk.CreateFolder(path);
    public bool FolderExists(string path) => disk.FolderExists(path);
    public bool FileExists(string path) => disk.FileExists(path);
    public IReadOnlyList<string> List(string folder) => disk.List(folder);
    public IDiskFile Create(string path) => new UnflushedFile(disk.Create(path));
    public Stream OpenRead(string path) => disk.OpenRead(path);
    public void RenameFile(string from, string to) => disk.RenameFile(from, to);
    public void RenameFolder(string from, string to) => disk.RenameFolder(from, to);

    public void FlushFolder(string path)
    {
    }

    public void DeleteFile(string path) => disk.DeleteFile(path);
    public void DeleteFolder(string path) => disk.DeleteFolder(path);

    private sealed class UnflushedFile(IDiskFile file) : IDiskFile
    {
        public void Write(ReadOnlySpan<byte> data) => file.Write(data);

        public void Flush()
        {
        }

        public void Dispose() => file.Dispose();
    }
}
