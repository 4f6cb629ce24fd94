using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Optim;
using Convoy.Autodiff.Optim.Rules;
using Convoy.Autodiff.Tape;
using Convoy.Kernels;
using Convoy.Shared;
using Convoy.Shared.Jobs;
using Convoy.Shared.Random;
using Convoy.Worker.Data;
using Google.Protobuf;

namespace Convoy.Worker.Training;

/// <summary>The model of a real job: its data set, the graph that was submitted, compiled, and the optimizer of its
/// file.</summary>
internal sealed class ProgramModel : IJobModel, IGradientObserver
{
    private readonly DatasetPair _data;
    private readonly TrainProgram _program;
    private readonly Optimizer _optimizer;
    private readonly BatchBuffer _batch;
    private readonly MicroBatches? _micro; // null: a share is computed in one piece
    private readonly ThreadTeam _team;
    private readonly JobSpec _job;
    private readonly GradientRules _rules;
    private readonly RunningAverage? _average; // its vector is the last of the optimizer's states
    private Memory<float>[]? _optimizerStates;
    private readonly StepPlan _steps;
    private readonly BlasProvider? _blas;
    private Accelerator? _accelerator; // null: convolutions are computed here
    private readonly RecomputeAdaptation? _adaptation;
    private readonly TrainingNews _news;
    private Action<int>? _parameterReady;

    private ProgramModel(
        JobSpec job, DatasetPair data, TrainProgram program, BlasProvider? blas, int threads, TimeProvider clock)
    {
        (_job, _data, _program, _blas) = (job, data, program, blas);
        _batch = program.CreateBatch(job.Batch);
        _micro = job.MicroBatches > 1 ? new MicroBatches(program, program.RowsMax) : null;
        _steps = new StepPlan(data.Train.Count, job.Batch, job.Slices);
        _rules = new GradientRules(job, program);
        _average = job.Average.Decay > 0 ? new RunningAverage(job.Average.Decay) : null;
        (program.Seed, program.FindsAnomalies) = (job.Seed, job.Anomaly);
        _optimizer = Optimizer.Create(job.Optimizer, _steps.TotalSteps(job),
            [.. program.Layout.Slots.Select(ParameterSpan.Of)]);
        if (RecomputeSpec.Of(job) is { Kind: RecomputeKind.Adapt } adapt)
            _adaptation = new RecomputeAdaptation(program, adapt, clock);
        _news = new TrainingNews(program, clock);
        Parameters = [.. program.Layout.Slots.Select(s => new ModelParameter(s.Name, s.Shape, s.Offset, s.Length))];
        _team = new ThreadTeam(threads); // last: nothing after it can fail and leave its threads
    }

    public IReadOnlyList<ModelParameter> Parameters { get; }

    public int Elements => checked((int)_program.Layout.TotalLength);

    public IReadOnlyList<string> StateNames =>
        _average is null ? _optimizer.StateNames : [.. _optimizer.StateNames, RunningAverage.StateName];

    public IReadOnlyList<StateVector> States
    {
        get
        {
            var states = _optimizer.States(_program.Layout);
            return _average is null ? states : [.. states, StateVector.Like(_program.Layout, RunningAverage.StateName)];
        }
    }

    public long Samples => _data.Train.Count;

    public long TestSamples => _data.Test?.Count ?? 0;

    public byte[] DataSha256 => _data.Sha256;

    public string Library => _blas?.Identity ?? "";

    public double WeightPerSample => _program.WeightPerSample;

    /// <param name="job">The job.</param>
    /// <param name="graph">Its encoded graph.</param>
    /// <param name="threads">Threads that compute each kernel together.</param>
    /// <param name="clock">What the choice of activations that are kept is timed with, where the job adapts it.</param>
    public static IJobModel Open(JobSpec job, ReadOnlyMemory<byte> graph, int threads, TimeProvider clock)
    {
        var blas = BlasProvider.ForJob(job);
        var data = Dataset.Open(job);
        Accelerator? accelerator = null;
        try
        {
            var decoded = GraphCodec.Decode(graph.Span);
            var program = TrainProgram.Compile(decoded, RowsMax(job, data.Train.Count), CompileOptions.Of(job));
            CheckInputs(program, data.Train.Info);
            accelerator = Accelerator.Open(AcceleratorSpec.Of(job));
            return new ProgramModel(job, data, program, blas, threads, clock) { _accelerator = accelerator };
        }
        catch (Exception cause) when (cause is GraphFormatException or GraphException)
        {
            accelerator?.Dispose();
            data.Dispose();
            throw new UserException(ExitCode.BadJob, $"the graph of the job cannot be run: {cause.Message}");
        }
        catch
        {
            accelerator?.Dispose();
            data.Dispose();
            throw;
        }
    }

    /// <summary>Samples of the largest call: a batch, or a micro-batch.</summary>
    internal static int RowsMax(JobSpec job, long samples) => job.MicroBatches == 1 ? job.Batch
        : MicroBatches.RowsOf(new StepPlan(samples, job.Batch, job.Slices).SliceSize, job.MicroBatches);

    private static void CheckInputs(TrainProgram program, SampleInfo info)
    {
        foreach (var input in program.Inputs)
        {
            var expected = input.Name switch { "x" => info.Length, "y" => info.IsTokens ? info.Length : 1, _ => -1 };
            if (input.ElementsPerSample != expected)
                throw new UserException(ExitCode.BadJob,
                    $"graph input {input.Name} takes {input.ElementsPerSample} elements per sample, the data has {expected}");
        }
    }

    public void Initialize(Span<float> weights) => _program.Initialize(_job.Seed, weights);

    public void Load(ReadOnlySpan<long> samples) => _data.Train.Read(samples, _batch);

    public void Run(SliceRun run, long step, ReadOnlySpan<float> weights, IReadOnlyList<Memory<float>> nodeGradients,
        Span<double> sliceLoss, Action<int> parameterReady)
    {
        using var together = _team.Enter();
        if (_adaptation?.AtBoundary() is { } review) _news.Reviewed(review);
        _parameterReady = parameterReady;
        _batch.FirstPosition = _steps.At(step).Slices(run.FirstSlice, run.FirstSlice + run.RowsPerSlice.Count).From;
        var slices = new StepSlices(run.Slices, run.FirstSlice, run.RowsPerSlice, run.Nodes);
        try
        {
            using var products = _blas is null ? default : _blas.Enter();
            using var convolutions = _accelerator is null ? default : _accelerator.Enter();
            if (_micro is null) _program.Run(_batch, slices, step, weights, nodeGradients, sliceLoss, this);
            else _micro.Run(_batch, slices, step, weights, nodeGradients, sliceLoss, this);
        }
        catch (AnomalyException found)
        {
            throw new UserException(ExitCode.BadJob, $"{found.Message} (anomaly: true)");
        }

        _parameterReady = null;
    }

    public void OnParameterReady(int slot) => _parameterReady!(slot);

    public double LearningRate(long step) => _optimizer.LearningRate(step);

    public void Optimize(Span<float> weights, ReadOnlySpan<float> gradient,
        IReadOnlyList<Memory<float>> states, long step,
        double scale)
    {
        using var together = _team.Enter();
        _optimizer.Apply(weights, gradient, OfOptimizer(states), step, scale);
        _rules.Finish(weights);
        _average?.Follow(weights, states[^1].Span);
    }

    /// <summary>All but the average's, in a list that is made once.</summary>
    private IReadOnlyList<Memory<float>> OfOptimizer(IReadOnlyList<Memory<float>> states)
    {
        if (_average is null) return states;
        _optimizerStates ??= new Memory<float>[states.Count - 1];
        for (var i = 0; i < _optimizerStates.Length; i++) _optimizerStates[i] = states[i];
        return _optimizerStates;
    }

    public PreparedGradient Prepare(
        ReadOnlySpan<float> reduced, ReadOnlySpan<float> weights, long step, double weight) =>
        _rules.Prepare(reduced, weights, step, weight);

    public ReadOnlySpan<float> WeightsForTests(ReadOnlySpan<float> weights, IReadOnlyList<Memory<float>> states) =>
        _average is not null && _job.Average.Evaluate && !RunningAverage.IsUnset(states[^1].Span) ? states[^1].Span
            : weights;

    public void Profile(bool on) => _news.Profile(on);

    public IMessage? TakeNews(long step) => _news.Take(step);

    public TestScore Evaluate(ReadOnlySpan<float> weights)
    {
        using var together = _team.Enter();
        using var convolutions = _accelerator is null ? default : _accelerator.Enter();
        var total = new EvalResult(0, 0, 0, 0);
        var samples = new long[_program.RowsMax];
        for (long at = 0; at < TestSamples; at += samples.Length)
        {
            var count = (int)Math.Min(samples.Length, TestSamples - at);
            for (var i = 0; i < count; i++) samples[i] = at + i;
            _data.Test!.Read(samples.AsSpan(0, count), _batch);
            total += _program.Evaluate(_batch, weights);
        }

        return new TestScore(total.LossSum, total.Weight, total.Correct, total.Counted);
    }

    public void Dispose()
    {
        _team.Dispose();
        _program.Dispose();
        _accelerator?.Dispose();
        _data.Dispose();
    }
}
