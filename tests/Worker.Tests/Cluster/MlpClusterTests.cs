using System.Globalization;
using System.Text;
using Convoy.Autodiff.Graphs;
using Convoy.Autodiff.Models;
using Convoy.Shared;
using Convoy.Shared.Jobs;
using Convoy.Shared.Protocol;
using Convoy.Worker.Training;

namespace Convoy.Worker.Tests.Cluster;

/// <summary>The whole worker on real data: a CSV file, a compiled graph, AdamW, over loopback.</summary>
public sealed class MlpClusterTests : IDisposable
{
    private const long Steps = 12;
    private readonly string _file = Path.GetTempFileName();

    public MlpClusterTests()
    {
        var text = new StringBuilder("a,b,c,d,e,f,label\n");
        for (var row = 0; row < 150; row++)
        {
            for (var x = 0; x < 6; x++)
                text.Append(Math.Sin((row * 1.7) + x).ToString("R", CultureInfo.InvariantCulture)).Append(',');
            text.Append((int)Math.Floor((Math.Sin(row * 1.7) * 1.49) + 1.5)).Append('\n');
        }

        File.WriteAllText(_file, text.ToString());
    }

    private JobSpec Job => new()
    {
        Seed = 11, Batch = 64, Slices = 8, Steps = 100,
        Model = new ModelSpec { Family = "mlp", Layers = [6, 700, 3] },
        Data = new DataSpec { Format = "csv", Path = [_file], TestSplit = 0.2 },
        Optimizer = new OptimizerSpec { Kind = "adamw", Lr = 0.01, WeightDecay = 0.01 },
        Clip = new ClipSpec { GlobalNorm = 1 }, Sync = new SyncSpec { BucketBytes = 16 << 10 },
    };

    [Fact]
    public async Task A_small_mlp_has_the_same_weights_on_1_2_3_and_5_workers()
    {
        var hashes = new List<string>();
        foreach (var workers in new[] { 1, 2, 3, 5 })
        {
            await using var c = await StartAsync();
            for (var w = 1; w <= workers; w++) await c.AddWorkerAsync($"n{w}", With(threads: w));
            c.OpenAll(0, Steps, AlignAction.Initialize);
            for (var w = 1; w <= workers; w++) hashes.Add(await c.WeightsAtEndAsync($"n{w}", Steps));
            var rows = c.Rows("n1");
            Assert.True(rows[^1].LossSum / rows[^1].Weight < rows[0].LossSum / rows[0].Weight, "the loss falls");
            c.Tell("n1", new Evaluate { LeaderToken = 1, Generation = 1, Step = Steps });
            Assert.InRange((await c.HearAsync<Evaluated>("n1")).Metrics["test_loss"], 0, 1.2);
        }

        Assert.Single(hashes.Distinct());
    }

    [Fact]
    public async Task Data_that_is_not_there_is_refused_before_training_with_its_name()
    {
        await using var c = await StartAsync(Job with { Data = Job.Data with { Path = ["/nowhere/x.csv"] } });
        await using var worker = await c.StartWorkerAsync("n1", With(threads: 1));
        var failed = await c.HearAsync<PrepareFailed>("n1");
        Assert.Equal((int)ExitCode.BadData, failed.ExitCode);
        Assert.Contains("/nowhere/x.csv", failed.Text);
    }

    private Task<FakeCoordinator> StartAsync(JobSpec? job = null)
    {
        var graph = ModelCatalog.Build(Job, new DataShape([6], 3));
        return FakeCoordinator.StartAsync(job ?? Job, GraphCodec.Encode(graph));
    }

    public void Dispose() => File.Delete(_file);

    private static OpenModel With(int threads) =>
        (job, graph) => ProgramModel.Open(job, graph, threads, TimeProvider.System);
}
