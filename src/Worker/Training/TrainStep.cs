using Convoy.Kernels;
using Convoy.Shared.Protocol;
using Convoy.Shared.Random;
using Convoy.Shared.Time;
using Convoy.Worker.Collectives;

namespace Convoy.Worker.Training;

/// <summary>
/// The path of one training step on the device's thread, top to bottom. Which step runs when is StepProtocol's
/// decision; what travels between workers is ExchangeProtocol's. Neither looks at numbers, and nothing here looks at
/// workers.
/// </summary>
internal sealed class TrainStep(IJobModel model, StepPlan plan, SampleOrder order, double clipNorm,
    MonotonicClock clock)
{
    private readonly double[] _blockNorms = new double[SquaredNorm.BlockCount(model.Elements)];
    private readonly List<int> _complete = [];

    /// <summary>
    /// The samples of this worker's slices; they depend on the step alone, so they may be read ahead (S7).
    /// </summary>
    public void Load(StepShare share, long step) => model.Load(share.SamplesOf(SamplesOf(step), order));

    public StepSamples SamplesOf(long step) => plan.At(step);

    /// <summary>Phase Compute: forward and backward. Buckets leave for the exchange while backward goes on.</summary>
    public StepRow Compute(StepShare share, ModelState state, StepWork work, BucketTracker buckets,
        ExchangeLoop exchange)
    {
        var started = clock.Now;
        var samples = plan.At(state.Step.Value + 1);
        var run = share.Begin(work, samples, state.Fingerprint);
        exchange.Begin(work);
        void Send()
        {
            foreach (var bucket in _complete) exchange.BucketReady(work.Step, bucket);
            _complete.Clear();
        }

        void OnReady(int parameter)
        {
            buckets.ParameterReady(parameter, _complete);
            Send();
        }

        buckets.Begin(_complete);
        Send();
        if (run.Rows > 0)
            model.Run(run, samples.Step, state.Weights.Span, work.NodeMemory, work.LossOfShare, OnReady);
        else
            for (var p = model.Parameters.Count - 1; p >= 0; p--) OnReady(p);
        exchange.ScalarsReady(work.Step);
        return new StepRow
        { Step = samples.Step, Samples = samples.Count, ComputeUs = (clock.Now - started).Ticks / 10 };
    }

    /// <summary>
    /// Phase Apply: everything of the step is held. Weights change here and nowhere else, or not at all (S2).
    /// </summary>
    public void Apply(ModelState state, StepWork work, StepRow row)
    {
        var started = clock.Now;
        row.Weight = plan.At(row.Step).Weight(model.WeightPerSample);
        var gradient = model.Prepare(work.Reduced.Span, state.Weights.Span, row.Step, row.Weight);
        SquaredNorm.Blocks(gradient.Values, _blockNorms);
        row.LossSum = SquaredNorm.Tree(work.SliceLoss.AsSpan(0, work.PresentSlices)); // the one tree, over slices
        row.GradientNorm = Math.Sqrt(SquaredNorm.Tree(_blockNorms)) / gradient.Weight;
        row.LearningRate = model.LearningRate(row.Step);
        row.Skipped = !double.IsFinite(row.GradientNorm);
        var clip = clipNorm > 0 && row.GradientNorm > clipNorm ? clipNorm / row.GradientNorm : 1;
        if (!row.Skipped)
        {
            var scale = clip / gradient.Weight;
            model.Optimize(state.Weights.Span, gradient.Values, state.OptimizerMemory, row.Step, scale);
        }

        row.Fingerprint = (state.Fingerprint = FingerprintChain.Next(work.Before, work.Step, work.Checksums)).Value;
        (state.Step, work.Applied) = (work.Step, true);
        row.ApplyUs = (clock.Now - started).Ticks / 10;
    }
}
