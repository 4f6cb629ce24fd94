using Convoy.Cluster.Tests.Jobs;
using Convoy.Cluster.Tests.Processes;

namespace Convoy.Cluster.Tests;

// The promise of decision 4 on real processes: the same weights, to the bit, for any number of workers and any history
// (DIST-01, FT-01, R13).
public class SameBitsTests(ClusterFixture cluster)
{
    [Fact]
    public async Task ReferenceRunHasEveryFieldOfTheResult()
    {
        var json = (await cluster.ReferenceAsync()).Json;
        string[] fields =
        [
            "job", "steps", "epochs", "workers", "generations", "final_loss", "metrics", "samples_per_second",
            "startup_seconds", "weights_sha256", "checkpoint", "outcome",
        ];
        Assert.Equal(fields, json.EnumerateObject().Select(field => field.Name));
        Assert.Equal("finished", json.GetProperty("outcome").GetString());
        Assert.Equal(SmallDigits.Steps, json.GetProperty("steps").GetInt64());
        Assert.True(json.GetProperty("metrics").GetProperty("test_accuracy").GetDouble() > 0.9);
        Assert.True(Directory.Exists(json.GetProperty("checkpoint").GetString()));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(5)]
    public async Task AnyNumberOfWorkersGivesTheSameWeights(int workers)
    {
        var ended = await ConvoyProcess.RunAsync(cluster.Folder, "train", "job.yaml", "--workers", $"{workers}",
            "--state", $"workers-{workers}", "--json");

        Assert.True(ended.Code == 0, ended.ToString());
        Assert.Equal(workers, ended.Json.GetProperty("workers").GetInt32());
        Assert.Equal(await cluster.ReferenceHashAsync(), ended.Json.GetProperty("weights_sha256").GetString());
    }

    // FT-01, FT-02: workers killed by signal 9, twice, at steps that nothing is aligned with; the same bits whether a
    // step commits at each worker by itself or by the word of all (S3).
    [Theory]
    [InlineData("local")]
    [InlineData("unanimous")]
    public async Task KilledWorkersChangeNothing(string commit)
    {
        var state = Path.Combine(cluster.Folder, "killed-" + commit);
        using var train = EndlessJob.Start(cluster, state, 3, "--set", $"sync.commit={commit}");
        var run = new RunningJob(state, train);

        var before = await run.AtStepAsync(37);
        Signal.Kill9(before.Workers[1].Pid);
        // Two are left and go on before anybody can be replaced.
        var between = await run.UntilAsync("steps without the first", status =>
            status.Generation > before.Generation && status.Step > before.Step + 20);
        Signal.Kill9(before.Workers[0].Pid);
        await run.UntilAsync("steps without both", status =>
            status.Generation > between.Generation && status.Step > between.Step + 20);
        var ended = await EndlessJob.StopAsync(cluster, state, train);

        await EndlessJob.SameBitsAsync(cluster, ended);
        Assert.True(ended.Json.GetProperty("generations").GetInt64() >= 3, ended.LastLine);
    }

    // CKPT-01, R12, R13: k steps, then the rest with another number of workers.
    [Fact]
    public async Task ResumedWithOtherWorkersGivesTheSameWeights()
    {
        var first = await ConvoyProcess.RunAsync(cluster.Folder, "train", "job.yaml", "--workers",
            "2", "--steps", "250",
            "--state", "resumed", "--json");
        Assert.True(first.Code == 0, first.ToString());
        Assert.Equal(250, first.Json.GetProperty("steps").GetInt64());

        var second = await ConvoyProcess.RunAsync(cluster.Folder, "train", "job.yaml", "--workers", "3", "--resume",
            "--state", "resumed", "--json");

        Assert.True(second.Code == 0, second.ToString());
        Assert.Equal(SmallDigits.Steps, second.Json.GetProperty("steps").GetInt64());
        Assert.Equal(await cluster.ReferenceHashAsync(), second.Json.GetProperty("weights_sha256").GetString());
    }
}
