using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Models;
using Convoy.Autodiff.Optim;
using Convoy.Shared.Jobs;
using Convoy.Shared.Random;
using Convoy.Shared.Tensors;

namespace Convoy.Cli.Bench;

/// <summary>Whole training steps of one model: forward, gradients, Adam.</summary>
internal sealed record StepResult
{
    public required string Model { get; init; }
    public required int Threads { get; init; }
    public required int Slices { get; init; }
    public required long Params { get; init; }
    public required double Ms { get; init; }
    public required double SamplesPerS { get; init; }
    public required double MeanMs { get; init; }
    /// <summary>Standard deviation of the steps' times.</summary>
    public required double DeviationMs { get; init; }
    /// <summary>Deviation over mean of the steps' times.</summary>
    public required double Variation { get; init; }
    /// <summary>Steps that were measured, after the warm-up.</summary>
    public required int Calls { get; init; }
    /// <summary>Bytes that a step allocates on the managed heap, after warm-up.</summary>
    public required long AllocatedBytes { get; init; }
    /// <summary>Time of a step over the time of one with a single slice, taken in turns; null: it has one.</summary>
    public double? OfOneSlice { get; init; }
    public required long PlannedBytes { get; init; }
    /// <summary>Steps of the plan, slowest first; empty without --profile.</summary>
    public IReadOnlyList<StepTiming> Profile { get; init; } = [];
    /// <summary>The same by operator.</summary>
    public IReadOnlyList<StepTiming> Operators { get; init; } = [];
}

/// <summary>The models that peers publish figures of, trained on noise.</summary>
internal sealed class StepBench(int threads, int slices, Timing timing, TimeProvider time)
{
    private const int ProfiledSteps = 5;

    public IEnumerable<StepResult> Run(bool profile) =>
        BenchModel.All.Select(model => Run(model, profile));

    private StepResult Run(BenchModel model, bool profile)
    {
        var count = Math.Min(slices, model.Rows);
        using var run = new Training(model, count);
        using var whole = count == 1 ? null : new Training(model, 1);
        // As steps of one training follow each other: the second of two, whose memory is in the caches again.
        var turns = whole is null ? [timing.Measure(run.Step)]
            : timing.Measure(whole.Step, whole.Step, run.Step, run.Step);
        var sample = turns[^1];
        var steps = profile ? ProfileOf(run) : null;
        return new StepResult
        {
            Model = model.Name, Threads = threads, Slices = count, Params = run.Program.Layout.Slots.Sum(s => s.Length),
            Ms = Math.Round(sample.Median * 1e3, 3), SamplesPerS = Math.Round(model.Rows / sample.Median, 1),
            MeanMs = Math.Round(sample.Mean * 1e3, 3), DeviationMs = Math.Round(sample.Deviation * 1e3, 3),
            Variation = Math.Round(sample.Variation, 3), Calls = sample.Calls,
            AllocatedBytes = sample.AllocatedBytes,
            OfOneSlice = whole is null ? null : Math.Round(sample.Median / turns[1].Median, 3),
            PlannedBytes = run.Program.MemoryBytes.Planned,
            Profile = steps?.Timings ?? [], Operators = steps?.Operators ?? [],
        };
    }

    private ProgramProfile ProfileOf(Training run)
    {
        var profile = new ProgramProfile(run.Program, time);
        using var scope = profile.Start();
        for (var i = 0; i < ProfiledSteps; i++) run.Step();
        return profile;
    }

    /// <summary>One model in training: its program, state and batch.</summary>
    private sealed class Training : IDisposable
    {
        private readonly BatchBuffer _batch;
        private readonly StepSlices _share;
        private readonly float[] _weights;
        private readonly Memory<float>[] _gradients;
        private readonly Memory<float>[] _state;
        private readonly Optimizer _optimizer;
        private readonly double[] _losses;
        private readonly double _scale;
        private long _t;

        public Training(BenchModel model, int slices)
        {
            var rows = model.Rows;
            Program = TrainProgram.Compile(ModelCatalog.Build(new JobSpec { Model = model.Model }, model.Data), rows);
            _batch = Program.CreateBatch(rows);
            Fill(_batch, rows, model.Classes);
            var length = checked((int)Program.Layout.TotalLength);
            var size = ((rows - 1) / slices) + 1;
            int[] perSlice = [.. Enumerable.Range(0, slices).Select(s => Math.Clamp(rows - (s * size), 0, size))];
            _share = new StepSlices(slices, 0, perSlice, new SliceTree(slices).Cover(0, slices));
            (_gradients, _state) = ([Pinned(length)], [Pinned(length), Pinned(length)]);
            _weights = Pinned(length);
            Program.Initialize(1, _weights);
            _optimizer = Optimizer.Create(new OptimizerSpec { Kind = "adam", Lr = 1e-3 }, 1_000_000);
            _losses = new double[slices];
            _scale = 1 / (rows * Program.WeightPerSample);
        }

        public TrainProgram Program { get; }

        public void Step()
        {
            _t++;
            Program.Run(_batch, _share, _t, _weights, _gradients, _losses, null);
            _optimizer.Apply(_weights, _gradients[0].Span, _state, _t, _scale);
        }

        public void Dispose() => Program.Dispose();
    }

    private static float[] Pinned(int length) => GC.AllocateArray<float>(length, pinned: true);

    private static void Fill(BatchBuffer batch, int rows, int classes)
    {
        batch.Rows = rows;
        foreach (var input in batch.Inputs)
        {
            var stream = new RandomStream(7, RandomPurpose.Mask, (ulong)input.Name[0]);
            if (input.DType == DType.Float32) stream.FillNormal(batch.Floats(input.Name), 0, 1);
            else
                for (var i = 0; i < rows * input.ElementsPerSample; i++)
                    batch.Ints(input.Name)[i] = (int)(stream.Word(i) % (uint)classes);
        }
    }
}
