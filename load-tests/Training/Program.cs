using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Convoy.Autodiff.Execution;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Models;
using Convoy.Autodiff.Optim;
using Convoy.Kernels;
using Convoy.Shared.Jobs;
using Convoy.Shared.Random;
using Convoy.Shared.Tensors;

// Whole training steps of one thread (forward, gradients, Adam) of three models, as JSON lines.
//   dotnet run -c Release --project load-tests/Training -- [--slices S] [--threads N] [--repeat N] [--only mlp|cnn|gpt] [--profile]
// Compare side by side with another framework in one run: machines are shared and noisy.

var slices = Option("--slices", 1);
var repeat = Option("--repeat", 15);
var only = args.SkipWhile(a => a != "--only").Skip(1).FirstOrDefault("");
using var team = new ThreadTeam(Option("--threads", 1));
using var together = team.Enter();
Console.Error.WriteLine($"# {SimdInfo.Name}, {slices} slices, {team.Threads} threads, median of {repeat}");

if (only is "" or "mlp") Measure("mlp784-512-512-10 b128", 128, 10, Mlp());
if (only is "" or "cnn") Measure("cnn16-32 b64", 64, 10, Cnn());
if (only is "" or "gpt") Measure("gpt L4 D128 T128 b8", 8, 65, Gpt());

static Graph Mlp() => ModelCatalog.Build(
    new JobSpec { Model = new ModelSpec { Family = "mlp", Layers = [784, 512, 512, 10] } }, new DataShape([784], 10));

static Graph Cnn() => ModelCatalog.Build(
    new JobSpec
    {
        Model = new ModelSpec
        {
            Family = "cnn", Image = [1, 28, 28], Network = ["conv16", "pool", "conv32", "pool", "10"],
        },
    },
    new DataShape([784], 10));

static Graph Gpt() => ModelCatalog.Build(
    new JobSpec
    {
        Model = new ModelSpec { Family = "gpt", Vocabulary = 65, Context = 128, Width = 128, Depth = 4, Heads = 4 },
    },
    new DataShape([128], 65));

void Measure(string name, int rows, int classes, Graph graph)
{
    using var program = TrainProgram.Compile(graph, rows);
    var batch = program.CreateBatch(rows);
    Fill(batch, rows, classes);
    var length = (int)program.Layout.TotalLength;
    var cover = new SliceTree(slices).Cover(0, slices);
    int[] perSlice = [.. Enumerable.Range(0, slices).Select(s => RowsOf(s, rows))];
    var share = new StepSlices(slices, 0, perSlice, cover);
    Memory<float>[] gradients = [.. cover.Select(_ => GC.AllocateArray<float>(length, pinned: true).AsMemory())];
    var weights = GC.AllocateArray<float>(length, pinned: true);
    program.Initialize(1, weights);
    var optimizer = Optimizer.Create(new OptimizerSpec { Kind = "adam", Lr = 1e-3 }, 1_000);
    Memory<float>[] state = [new float[length], new float[length]];
    var losses = new double[slices];
    var scale = 1 / (rows * program.WeightPerSample);
    var watch = new Stopwatch();
    var times = new List<double>();
    for (var t = 1; t <= repeat + 5; t++)
    {
        watch.Restart();
        program.Run(batch, share, t, weights, gradients, losses, null);
        optimizer.Apply(weights, gradients[0].Span, state, t, scale);
        watch.Stop();
        if (t > 5) times.Add(watch.Elapsed.TotalMilliseconds);
    }

    times.Sort();
    var ms = times[times.Count / 2];
    Console.WriteLine(JsonSerializer.Serialize(new
    {
        op = "train-step", model = name, slices, @params = program.Layout.Slots.Sum(s => s.Length), ms = Math.Round(ms, 2),
        samples_per_s = Math.Round(rows / ms * 1e3, 1), loss = Math.Round(losses.Sum() * scale, 4),
    }));
    if (args.Contains("--profile")) Profile(program, batch, share, weights, gradients, losses);
}

void Profile(
    TrainProgram program, BatchBuffer batch, StepSlices share, float[] weights, Memory<float>[] gradients, double[] losses)
{
    var watch = new Stopwatch();
    var perStep = program.Profile(batch, share, weights, gradients, losses, watch.Restart, () => watch.Elapsed.TotalMilliseconds);
    foreach (var (step, ms) in perStep.OrderByDescending(p => p.Milliseconds).Take(24))
        Console.WriteLine($"  {ms,8:f3} ms  {step}");
}

int RowsOf(int slice, int rows)
{
    var size = (rows + slices - 1) / slices;
    return Math.Clamp(rows - (slice * size), 0, size);
}

static void Fill(BatchBuffer batch, int rows, int classes)
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

int Option(string name, int otherwise)
{
    var at = Array.IndexOf(args, name);
    return at >= 0 ? int.Parse(args[at + 1], CultureInfo.InvariantCulture) : otherwise;
}
