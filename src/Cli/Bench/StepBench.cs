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
    /// <summary>Deviation over mean of the steps' times.</summary>
    public required double Variation { get; init; }
    /// <summary>Bytes that a step allocates on the managed heap, after warm-up.</summary>
    public required long AllocatedBytes { get; init; }
    public required long PlannedBytes { get; init; }
    /// <summary>Milliseconds of each step of the plan, slowest first; empty without --profile.</summary>
    public IReadOnlyList<(string Step, double Milliseconds)> Profile { get; init; } = [];
}

/// <summary>The models that peers publish figures of, trained on noise.</summary>
internal sealed class StepBench(int threads, int slices, Timing timing, TimeProvider time)
{
    private static readonly (string Name, int Rows, int Classes, ModelSpec Model, DataShape Data)[] Models =
    [
        ("mlp784-512-512-10 b128", 128, 10,
            new ModelSpec { Family = "mlp", Layers = [784, 512, 512, 10] }, new DataShape([784], 10)),
        ("mlp64-128-10 b32", 32, 10, new ModelSpec { Family = "mlp", Layers = [64, 128, 10] }, new DataShape([64], 10)),
        ("cnn16-32 b64", 64, 10,
            new ModelSpec { Family = "cnn", Image = [1, 28, 28], Network = ["conv16", "pool", "conv32", "pool", "10"] },
            new DataShape([784], 10)),
        ("gpt L4 D128 T128 b8", 8, 65,
            new ModelSpec { Family = "gpt", Vocabulary = 65, Context = 128, Width = 128, Depth = 4, Heads = 4 },
            new DataShape([128], 65)),
    ];

    public IEnumerable<StepResult> Run(bool profile) =>
        Models.Select(m => Run(m.Name, m.Rows, m.Classes, m.Model, m.Data, profile));

    private StepResult Run(string name, int rows, int classes, ModelSpec model, DataShape data, bool profile)
    {
        using var program = TrainProgram.Compile(ModelCatalog.Build(new JobSpec { Model = model }, data), rows);
        var batch = program.CreateBatch(rows);
        Fill(batch, rows, classes);
        var length = checked((int)program.Layout.TotalLength);
        var count = Math.Min(slices, rows);
        var size = ((rows - 1) / count) + 1;
        int[] perSlice = [.. Enumerable.Range(0, count).Select(s => Math.Clamp(rows - (s * size), 0, size))];
        var share = new StepSlices(count, 0, perSlice, new SliceTree(count).Cover(0, count));
        Memory<float>[] gradients = [Pinned(length)];
        Memory<float>[] state = [Pinned(length), Pinned(length)];
        var weights = Pinned(length);
        program.Initialize(1, weights);
        var optimizer = Optimizer.Create(new OptimizerSpec { Kind = "adam", Lr = 1e-3 }, 1_000_000);
        var losses = new double[count];
        var scale = 1 / (rows * program.WeightPerSample);
        var t = 0L;
        void Step()
        {
            t++;
            program.Run(batch, share, t, weights, gradients, losses, null);
            optimizer.Apply(weights, gradients[0].Span, state, t, scale);
        }

        var seconds = timing.Measure(Step);
        var before = GC.GetTotalAllocatedBytes(precise: true);
        for (var i = 0; i < 10; i++) Step();
        var allocated = (GC.GetTotalAllocatedBytes(precise: true) - before) / 10;
        return new StepResult
        {
            Model = name, Threads = threads, Slices = count, Params = program.Layout.Slots.Sum(s => s.Length),
            Ms = Math.Round(seconds.Median * 1e3, 3), SamplesPerS = Math.Round(rows / seconds.Median, 1),
            Variation = Math.Round(seconds.Variation, 3), AllocatedBytes = allocated,
            PlannedBytes = program.MemoryBytes.Planned,
            Profile = profile ? ProfileOf(program, batch, share, weights, gradients, losses) : [],
        };
    }

    private IReadOnlyList<(string Step, double Milliseconds)> ProfileOf(
        TrainProgram program, BatchBuffer batch, StepSlices share, float[] weights, Memory<float>[] gradients,
        double[] losses)
    {
        var begun = 0L;
        return [.. program.Profile(batch, share, weights, gradients, losses, () => begun = time.GetTimestamp(),
            () => time.GetElapsedTime(begun).TotalMilliseconds).OrderByDescending(p => p.Milliseconds)];
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
