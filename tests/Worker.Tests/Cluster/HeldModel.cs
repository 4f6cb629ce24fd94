using Convoy.Autodiff.Optim;
using Convoy.Worker.Training;

namespace Convoy.Worker.Tests.Cluster;

/// <summary>A real model that calls the test before each of its runs.</summary>
internal sealed class HeldModel(IJobModel model, Action<long> beforeRun) : IJobModel
{
    public IReadOnlyList<ModelParameter> Parameters => model.Parameters;
    public int Elements => model.Elements;
    public IReadOnlyList<string> StateNames => model.StateNames;
    public IReadOnlyList<StateVector> States => model.States;
    public long Samples => model.Samples;
    public long TestSamples => model.TestSamples;
    public byte[] DataSha256 => model.DataSha256;
    public double WeightPerSample => model.WeightPerSample;

    public void Initialize(Span<float> weights) => model.Initialize(weights);

    public void Load(ReadOnlySpan<long> samples) => model.Load(samples);

    public void Run(SliceRun run, long step, ReadOnlySpan<float> weights, IReadOnlyList<Memory<float>> nodeGradients,
        Span<double> sliceLoss, Action<int> parameterReady)
    {
        beforeRun(step);
        model.Run(run, step, weights, nodeGradients, sliceLoss, parameterReady);
    }

    public double LearningRate(long step) => model.LearningRate(step);

    public PreparedGradient Prepare(
        ReadOnlySpan<float> reduced, ReadOnlySpan<float> weights, long step, double weight) =>
        model.Prepare(reduced, weights, step, weight);

    public void Optimize(Span<float> weights, ReadOnlySpan<float> gradient,
        IReadOnlyList<Memory<float>> states, long step,
        double scale) => model.Optimize(weights, gradient, states, step, scale);

    public ReadOnlySpan<float> WeightsForTests(ReadOnlySpan<float> weights, IReadOnlyList<Memory<float>> states) =>
        model.WeightsForTests(weights, states);

    public TestScore Evaluate(ReadOnlySpan<float> weights) => model.Evaluate(weights);

    public void Dispose() => model.Dispose();
}
