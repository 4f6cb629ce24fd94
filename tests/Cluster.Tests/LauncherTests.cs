using Convoy.Cluster.Tests.Processes;

namespace Convoy.Cluster.Tests;

// What the launcher leaves behind, however it ends (R21, R22).
public class LauncherTests(ClusterFixture cluster)
{
    // R22: 2 s after the launcher dies by signal 9 there is no process, and so no port; the run can be resumed.
    [Fact]
    public async Task KilledLauncherLeavesNothing()
    {
        var state = Path.Combine(cluster.Folder, "orphans");
        using var train = ConvoyProcess.Start(cluster.Folder, "train", "job.yaml", "--workers", "3",
            "--state", state, "--json");
        var status = await new RunningJob(state, train).AtStepAsync(120);

        train.Kill9();
        await RunningJob.GoneAsync([train.Pid, .. status.Workers.Select(w => w.Pid)], TimeSpan.FromSeconds(2));

        var resumed = await ConvoyProcess.RunAsync(cluster.Folder, "train", "job.yaml", "--workers", "2", "--resume",
            "--state", state, "--json");
        Assert.True(resumed.Code == 0, resumed.ToString());
        Assert.Equal(await cluster.ReferenceHashAsync(), resumed.Json.GetProperty("weights_sha256").GetString());
    }

    // R21: SIGTERM saves; nothing is lost and no process is left.
    [Fact]
    public async Task TerminatedLauncherSaves()
    {
        var state = Path.Combine(cluster.Folder, "terminated");
        using var train = ConvoyProcess.Start(cluster.Folder, "train", "job.yaml", "--workers", "2",
            "--state", state, "--json");
        var status = await new RunningJob(state, train).AtStepAsync(30);

        train.Terminate();
        var ended = await train.EndAsync();

        Assert.True(ended.Code == 130, ended.ToString());
        Assert.Equal("stopped", ended.Json.GetProperty("outcome").GetString());
        Assert.True(ended.Json.GetProperty("steps").GetInt64() >= status.Step);
        Assert.True(Directory.Exists(ended.Json.GetProperty("checkpoint").GetString()), ended.LastLine);
        await RunningJob.GoneAsync(status.Workers.Select(w => w.Pid), TimeSpan.FromSeconds(2));
        var resumed = await ConvoyProcess.RunAsync(cluster.Folder, "train", "job.yaml", "--workers", "1", "--resume",
            "--state", state, "--json");
        Assert.Equal(await cluster.ReferenceHashAsync(), resumed.Json.GetProperty("weights_sha256").GetString());
    }

    [Fact]
    public async Task SecondLauncherOnTheSameStateIsRefused()
    {
        var state = Path.Combine(cluster.Folder, "twice");
        using var train = ConvoyProcess.Start(cluster.Folder, "train", "job.yaml", "--state", state, "--json");
        await new RunningJob(state, train).AtStepAsync(1);

        var second = await ConvoyProcess.RunAsync(cluster.Folder, "train", "job.yaml", "--state", state, "--resume");

        Assert.Equal(6, second.Code);
        Assert.Contains("in use", second.Error, StringComparison.Ordinal);
        var status = await ConvoyProcess.RunAsync(cluster.Folder, "status", "--state", state, "--json");
        Assert.Equal(2, status.Json.GetProperty("workers").GetArrayLength());
        var stop = await ConvoyProcess.RunAsync(cluster.Folder, "stop", "--state", state);
        Assert.Equal(0, stop.Code);
        var ended = await train.EndAsync();
        Assert.Equal("stopped", ended.Json.GetProperty("outcome").GetString());
        Assert.Equal(0, ended.Code);
    }
}
