using Convoy.Cluster.Tests.Jobs;
using Convoy.Cluster.Tests.Processes;
using Convoy.Coordinator.Api;

namespace Convoy.Cluster.Tests;

// FT-05, R2, L4: kill -9 of the leader while a standby waits costs no generation, no row and no bit. The job is endless
// and is stopped through whoever leads then (L6).
public class TakeoverTests(ClusterFixture cluster)
{
    [Fact]
    public async Task LeaderKilledAndReplaced()
    {
        var state = Path.Combine(cluster.Folder, "takeover");
        using var leader = ConvoyProcess.Start(cluster.Folder, "coordinator", "--listen", "127.0.0.1:0", "--state",
            state, "--workers", "2");
        var run = new RunningJob(state, leader);
        await run.UntilAsync("a leader", status => status.Membership == "forming");
        using var standby = ConvoyProcess.Start(cluster.Folder, "coordinator", "--standby", "--listen", "127.0.0.1:0",
            "--state", state, "--workers", "2");
        await run.UntilAsync("a standby", _ => EndpointFile.Standbys(state).Count == 1);
        var addresses = $"{EndpointFile.TryRead(state)!.Address},{EndpointFile.Standbys(state)[0].Address}";
        using var w1 = ConvoyProcess.Start(cluster.Folder, "worker", "--join", addresses, "--name", "w1");
        using var w2 = ConvoyProcess.Start(cluster.Folder, "worker", "--join", addresses, "--name", "w2");
        using var submit = ConvoyProcess.Start(cluster.Folder, "submit", "job.yaml", "--set", EndlessJob.Steps, "--to",
            addresses, "--json");
        var before = await run.UntilAsync("two members", status => status.Step >= 10
            && status.Workers.Count(w => w.Slices.Length > 0) == 2);

        leader.Kill9();
        var after = await run.UntilAsync("the standby to lead", status => status.Membership == "stable"
            && EndpointFile.TryRead(state)!.Pid == standby.Pid && status.Step > before.Step + 10);
        // A starved machine may silence a worker for longer than the deadlines: that loss would be the worker's.
        if (!after.Events.Any(e => e.Contains("lost w", StringComparison.Ordinal)))
            Assert.Equal(before.Generation, after.Generation);
        Assert.Equal(before.JobId, after.JobId);
        Assert.Equal(0, (await ConvoyProcess.RunAsync(cluster.Folder, "stop", "--state", state)).Code);
        var ended = await submit.EndAsync();

        Assert.True(ended.Code == 0, ended.ToString());
        var steps = ended.Json.GetProperty("steps").GetInt64();
        using (var client = new ConvoyClient(EndpointFile.TryRead(state)!.Address))
            Assert.Equal(1, (await client.StepsAsync(1)).Rows[0].Step);
        var rows = File.ReadLines(Path.Combine(state, "metrics.jsonl"))
            .Select(line => System.Text.Json.JsonDocument.Parse(line).RootElement.GetProperty("step").GetInt64());
        Assert.Equal(Enumerable.Range(1, (int)steps).Select(n => (long)n), rows);
        await EndlessJob.SameBitsAsync(cluster, ended);
    }
}
