using Convoy.Cluster.Tests.Jobs;
using Convoy.Cluster.Tests.Processes;
using Convoy.Shared.Checkpoints;
using Convoy.Shared.Storage;

namespace Convoy.Cluster.Tests;

// What the launcher leaves behind, however it ends (R21, R22).
public class LauncherTests(ClusterFixture cluster)
{
    // R22: 2 s after the launcher dies by signal 9 there is no process, and so no port; the run can be resumed.
    [Fact]
    public async Task KilledLauncherLeavesNothing()
    {
        var state = Path.Combine(cluster.Folder, "orphans");
        using var train = EndlessJob.Start(cluster, state, 3);
        var store = new CheckpointStore(Path.Combine(state, "checkpoints"), RealDisk.Instance);
        var status = await new RunningJob(state, train).UntilAsync("a checkpoint", _ => store.List().Count > 0);

        train.Kill9();
        await RunningJob.GoneAsync([train.Pid, .. status.Workers.Select(w => w.Pid)], TimeSpan.FromSeconds(2));

        var saved = store.List()[^1].Step.Value;
        await EndlessJob.SameBitsAsync(cluster, await EndlessJob.ResumeAsync(cluster, state, 2, saved + 50));
    }

    // R21: SIGTERM saves; nothing is lost and no process is left.
    [Fact]
    public async Task TerminatedLauncherSaves()
    {
        var state = Path.Combine(cluster.Folder, "terminated");
        using var train = EndlessJob.Start(cluster, state, 2);
        var status = await new RunningJob(state, train).AtStepAsync(30);

        train.Terminate();
        var ended = await train.EndAsync();

        Assert.True(ended.Code == 130, ended.ToString());
        Assert.Equal("stopped", ended.Json.GetProperty("outcome").GetString());
        var saved = ended.Json.GetProperty("steps").GetInt64();
        Assert.True(saved >= status.Step);
        Assert.True(Directory.Exists(ended.Json.GetProperty("checkpoint").GetString()), ended.LastLine);
        await RunningJob.GoneAsync(status.Workers.Select(w => w.Pid), TimeSpan.FromSeconds(2));
        await EndlessJob.SameBitsAsync(cluster, await EndlessJob.ResumeAsync(cluster, state, 1, saved + 50));
    }

    [Fact]
    public async Task SecondLauncherOnTheSameStateIsRefused()
    {
        var state = Path.Combine(cluster.Folder, "twice");
        using var train = EndlessJob.Start(cluster, state, 2);
        await new RunningJob(state, train).AtStepAsync(1);

        var second = await ConvoyProcess.RunAsync(cluster.Folder, "train", "job.yaml", "--set", EndlessJob.Steps,
            "--state", state, "--resume");

        Assert.Equal(6, second.Code);
        Assert.Contains("in use", second.Error, StringComparison.Ordinal);
        var status = await ConvoyProcess.RunAsync(cluster.Folder, "status", "--state", state, "--json");
        Assert.Equal(2, status.Json.GetProperty("workers").GetArrayLength());
        await EndlessJob.StopAsync(cluster, state, train);
    }
}
