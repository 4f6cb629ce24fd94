using Convoy.Autodiff.Optim;
using Convoy.Shared.Jobs;
using Convoy.Shared.Tensors;
using Google.Protobuf;

namespace Convoy.Worker.Training;

/// <summary>A parameter in the flat vector.</summary>
internal sealed record ModelParameter(string Name, Shape Shape, long Offset, long Length);

/// <summary>Test results, summed over samples.</summary>
internal readonly record struct TestScore(double LossSum, double Weight, long Correct, long Counted);

/// <summary>
/// Slices of this worker in one step: how many samples each has, and which tree nodes get a gradient.
/// </summary>
internal sealed record SliceRun(int Slices, int FirstSlice, IReadOnlyList<int> RowsPerSlice, TreeNode[] Nodes)
{
    public int Rows => RowsPerSlice.Sum();
}

/// <summary>
/// Data, compiled graph and optimizer of one job, as the device sees them. One implementation runs graphs; tests have a
/// small one whose bits can be computed by hand.
/// </summary>
internal interface IJobModel : IDisposable
{
    /// <summary>In layout order: backward finishes the last ones first.</summary>
    IReadOnlyList<ModelParameter> Parameters { get; }

    /// <summary>Length of the flat vectors; a multiple of 16, padding included.</summary>
    int Elements { get; }

    /// <summary>Names of the optimizer's state vectors.</summary>
    IReadOnlyList<string> StateNames { get; }

    /// <summary>The state vectors themselves, in the order of the names.</summary>
    IReadOnlyList<StateVector> States => [.. StateNames.Select(name => new StateVector(Elements,
        [.. Parameters.Select(p => new StateTensor(name, p.Name, p.Shape, p.Offset))]))];

    long Samples { get; }

    long TestSamples { get; }

    byte[] DataSha256 { get; }

    /// <summary>The library that multiplies matrices, with version and processor; empty: Convoy's kernels.</summary>
    string Library => "";

    /// <summary>1, or the tokens of a sample: the loss sum is divided by samples times this.</summary>
    double WeightPerSample { get; }

    void Initialize(Span<float> weights);

    /// <summary>Gathers the samples of the next <see cref="Run"/>.</summary>
    void Load(ReadOnlySpan<long> samples);

    /// <summary>
    /// Forward and backward over the loaded samples; one gradient per present node, one loss per slice.
    /// </summary>
    void Run(SliceRun run, long step, ReadOnlySpan<float> weights, IReadOnlyList<Memory<float>> nodeGradients,
        Span<double> sliceLoss, Action<int> parameterReady);

    double LearningRate(long step);

    /// <summary>The reduced gradient as the optimizer is to get it; what is not finite skips the step.</summary>
    PreparedGradient Prepare(
        ReadOnlySpan<float> reduced, ReadOnlySpan<float> weights, long step, double weight) => new(reduced, weight);

    void Optimize(Span<float> weights, ReadOnlySpan<float> gradient, IReadOnlyList<Memory<float>> states,
        long step, double scale);

    /// <summary>The weights that tests use: those of the state, or an average of them.</summary>
    ReadOnlySpan<float> WeightsForTests(ReadOnlySpan<float> weights, IReadOnlyList<Memory<float>> states) => weights;

    /// <summary>Times the operators of each run from now on, or no more (MON-07).</summary>
    void Profile(bool on)
    {
    }

    /// <summary>What is to be told of the runs up to this step, asked for after each; null: nothing.</summary>
    IMessage? TakeNews(long step) => null;

    TestScore Evaluate(ReadOnlySpan<float> weights);
}

/// <summary>Opens the job of an Assign. Throws a UserException when data or graph do not fit.</summary>
internal delegate IJobModel OpenModel(JobSpec job, ReadOnlyMemory<byte> graph);
