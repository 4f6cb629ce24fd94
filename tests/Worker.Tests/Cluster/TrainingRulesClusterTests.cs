using System.Globalization;
using System.Text;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Models;
using Convoy.Shared;
using Convoy.Shared.Jobs;
using Convoy.Shared.Protocol;
using Convoy.Worker.Training;

namespace Convoy.Worker.Tests.Cluster;

/// <summary>
/// GP-01..04, GP-07, MON-07: dropout, batch norm, clipping that learns, noise and the average of weights give the same
/// bits to any number of workers, through a kill, a joiner and a checkpoint: all they remember is part of the state.
/// </summary>
public sealed class TrainingRulesClusterTests : IDisposable
{
    private const long Steps = 9;
    private readonly string _file = Path.GetTempFileName();

    public TrainingRulesClusterTests()
    {
        var text = new StringBuilder(string.Join(',', Enumerable.Range(0, 16).Select(i => $"p{i}"))).Append(",label\n");
        for (var row = 0; row < 110; row++)
        {
            for (var x = 0; x < 16; x++)
                text.Append(Math.Sin((row * 1.7) + (x * 0.6)).ToString("R", CultureInfo.InvariantCulture)).Append(',');
            text.Append(row % 3).Append('\n');
        }

        File.WriteAllText(_file, text.ToString());
    }

    private JobSpec Job => new()
    {
        Seed = 11, Batch = 32, Slices = 8, Steps = 100,
        Model = new ModelSpec
        {
            Family = "cnn", Image = [1, 4, 4], Network = ["conv4", "pool", "7", "3"], Norm = "batch", Dropout = 0.3,
        },
        Data = new DataSpec { Format = "csv", Path = [_file], TestSplit = 0.2 },
        Optimizer = new OptimizerSpec { Kind = "adamw", Lr = 0.01, WeightDecay = 0.01 },
        Clip = new ClipSpec
        {
            Value = 0.5, LayerNorm = 2, WeightNorm = 0.5, Percentile = 50, Window = 5,
            GlobalNorm = 1
        },
        Gradient = new GradientSpec { Noise = 1e-4, NonFinite = "clean" },
        Average = new AverageSpec { Decay = 0.9 },
        Sync = new SyncSpec { BucketBytes = 16 << 10 }, Checkpoint = new CheckpointSpec { Every = 0 },
    };

    // Adafactor keeps rows and columns, fewer elements than there are weights.
    private JobSpec With(string optimizer) => Job with
    {
        Optimizer = optimizer == "adamw" ? Job.Optimizer
            : new OptimizerSpec { Kind = optimizer, Lr = 0.01, WeightDecay = 0.01, RelativeStep = true },
    };

    [Theory]
    [InlineData("adamw")]
    [InlineData("adafactor")]
    public async Task One_two_and_three_workers_a_kill_and_a_joiner_end_with_the_same_weights(string optimizer)
    {
        // OPTIM-03 with adafactor.
        var job = With(optimizer);
        var hashes = new List<string>();
        foreach (var workers in new[] { 1, 2, 3 })
        {
            await using var c = await StartAsync(job);
            for (var w = 1; w <= workers; w++) await c.AddWorkerAsync($"n{w}", Open);
            c.OpenAll(0, Steps, AlignAction.Initialize);
            for (var w = 1; w <= workers; w++) hashes.Add(await c.WeightsAtEndAsync($"n{w}", Steps));
        }

        hashes.AddRange(await KilledAsync(job));
        hashes.AddRange(await JoinedAsync(job));
        Assert.Single(hashes.Distinct());
    }

    [Theory]
    [InlineData("adamw")]
    [InlineData("adafactor")]
    public async Task A_checkpoint_goes_on_with_other_workers_to_the_same_weights_CKPT_01(string optimizer)
    {
        var job = With(optimizer) with { Checkpoint = new CheckpointSpec { Every = 4 } };
        await using var c = await StartAsync(job);
        for (var w = 1; w <= 3; w++) await c.AddWorkerAsync($"n{w}", Open);
        c.OpenAll(0, 4, AlignAction.Initialize);
        for (var w = 1; w <= 3; w++)
        {
            await c.HearAsync<ShardSaved>($"n{w}");
            await c.WeightsAtEndAsync($"n{w}", 4);
        }

        TestCheckpoint.Publish(c, 4);
        await using var other = await StartAsync(job);
        await other.AddWorkerAsync("n1", Open);
        await other.AddWorkerAsync("n2", Open);
        Directory.Move(Path.Combine(c.Folder, "published"), Path.Combine(other.Folder, "published"));
        other.OpenAll(4, Steps, AlignAction.LoadCheckpoint);
        var resumed = await other.WeightsAtEndAsync("n1", Steps);

        await using var straight = await StartAsync(With(optimizer));
        await straight.AddWorkerAsync("n1", Open);
        straight.OpenAll(0, Steps, AlignAction.Initialize);
        Assert.Equal(await straight.WeightsAtEndAsync("n1", Steps), resumed);
    }

    [Fact]
    public async Task Tests_use_the_average_of_weights_when_asked()
    {
        var losses = new List<double>();
        foreach (var evaluate in new[] { true, false })
        {
            await using var c =
                await StartAsync(Job with { Average = new AverageSpec { Decay = 0.9, Evaluate = evaluate } });
            await c.AddWorkerAsync("n1", Open);
            c.OpenAll(0, Steps, AlignAction.Initialize);
            await c.WeightsAtEndAsync("n1", Steps);
            c.Tell("n1", new Evaluate { LeaderToken = 1, Generation = 1, Step = Steps });
            losses.Add((await c.HearAsync<Evaluated>("n1")).Metrics["test_loss"]);
        }

        Assert.All(losses, l => Assert.True(double.IsFinite(l)));
        Assert.NotEqual(losses[0], losses[1]);
    }

    [Fact]
    public async Task A_gradient_of_no_number_ends_the_job_where_it_is_to_stop_and_names_the_parameter()
    {
        var job = Job with
        {
            Gradient = new GradientSpec { NonFinite = "stop" },
            Clip = new ClipSpec(),
            Optimizer = new OptimizerSpec { Kind = "sgd", Lr = 1e30 },
        };
        await using var c = await StartAsync(job);
        await c.AddWorkerAsync("n1", Open);
        c.OpenAll(0, Steps, AlignAction.Initialize);
        var failed = await c.HearAsync<WorkerFailed>("n1");
        Assert.Equal((int)ExitCode.BadJob, failed.ExitCode);
        Assert.Matches("step [0-9]+: element [0-9]+ of the gradient of [a-z0-9._]+ is (NaN|-?Infinity)", failed.Text);
    }

    [Fact]
    public async Task An_anomaly_names_operator_and_step()
    {
        var job = Job with
        { Anomaly = true, Clip = new ClipSpec(), Optimizer = new OptimizerSpec { Kind = "sgd", Lr = 1e38 } };
        await using var c = await StartAsync(job);
        await c.AddWorkerAsync("n1", Open);
        c.OpenAll(0, Steps, AlignAction.Initialize);
        var failed = await c.HearAsync<WorkerFailed>("n1");
        Assert.Equal((int)ExitCode.BadJob, failed.ExitCode);
        Assert.Matches(@"step [0-9]+: [a-z0-9-]+ \(.+\) makes the first NaN", failed.Text);
    }

    private async Task<string[]> KilledAsync(JobSpec settings)
    {
        await using var c = await StartAsync(settings);
        using var reached = new SemaphoreSlim(0);
        using var go = new ManualResetEventSlim();
        await c.AddWorkerAsync("n1", Open);
        await c.AddWorkerAsync("n2", Open);
        await c.AddWorkerAsync("n3", (job, graph) => new HeldModel(Open(job, graph), step =>
        {
            if (step != 5) return;
            reached.Release();
            go.Wait(FakeCoordinator.Deadline);
        }));
        c.OpenAll(0, Steps, AlignAction.Initialize);
        Assert.True(await reached.WaitAsync(FakeCoordinator.Deadline), c.Transcript());
        var killed = c.KillAsync("n3");
        await c.HearAsync<Suspect>("n1");
        await c.HearAsync<Suspect>("n2");
        c.OpenFenced(await c.FenceAsync(FenceKind.Hard, 0, "n1", "n2"), Steps);
        string[] ends = [await c.WeightsAtEndAsync("n1", Steps), await c.WeightsAtEndAsync("n2", Steps)];
        go.Set();
        await killed;
        return ends;
    }

    private async Task<string[]> JoinedAsync(JobSpec settings)
    {
        await using var c = await StartAsync(settings);
        await c.AddWorkerAsync("n1", Open);
        await c.AddWorkerAsync("n2", Open);
        c.OpenAll(0, 5, AlignAction.Initialize);
        await c.WeightsAtEndAsync("n1", 5);
        await c.WeightsAtEndAsync("n2", 5);
        await c.AddWorkerAsync("n3", Open);
        c.Open(5, Steps, ("n1", AlignAction.Keep, ""), ("n2", AlignAction.Keep, ""),
            ("n3", AlignAction.LoadSnapshot, "n2"));
        return [await c.WeightsAtEndAsync("n3", Steps), await c.WeightsAtEndAsync("n1", Steps)];
    }

    private Task<FakeCoordinator> StartAsync(JobSpec? job = null) => FakeCoordinator.StartAsync(
        job ?? Job, GraphCodec.Encode(ModelCatalog.Build(job ?? Job, new DataShape([16], 3))));

    private static IJobModel Open(JobSpec job, ReadOnlyMemory<byte> graph) =>
        ProgramModel.Open(job, graph, 1, TimeProvider.System);

    public void Dispose() => File.Delete(_file);
}
