using Convoy.Cluster.Tests.Jobs;
using Convoy.Cluster.Tests.Processes;
using Convoy.Coordinator.Api;

namespace Convoy.Cluster.Tests;

// FT-05, R2, L4: workers know one address only and learn the others while they train. kill -9 of the leader while a
// standby waits costs no generation, no row and no bit. The job is endless and is stopped through whoever leads then
// (L6).
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
        var (first, second) = (EndpointFile.TryRead(state)!.Address, EndpointFile.Standbys(state)[0].Address);
        var addresses = $"{first},{second}";
        using var w1 = ConvoyProcess.Start(cluster.Folder, "worker", "--join", first, "--name", "w1");
        using var w2 = ConvoyProcess.Start(cluster.Folder, "worker", "--join", first, "--name", "w2");
        using var submit = ConvoyProcess.Start(cluster.Folder, "submit", "job.yaml", "--set", EndlessJob.Steps, "--to",
            addresses, "--json");
        var before = await run.UntilAsync("two members", status => status.Step >= 10
            && status.Workers.Count(w => w.Slices.Length > 0) == 2);

        foreach (var worker in new[] { w1, w2 }) await KnowsAsync(worker, second);
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

    // FT-05, scenario 15: each job goes on behind its own wall.
    [Fact]
    public async Task TwoJobsGoOnWhenTheirLeaderIsKilled()
    {
        var state = Path.Combine(cluster.Folder, "takeover-two");
        using var leader = Coordinator(state);
        var run = new RunningJob(state, leader);
        await run.UntilAsync("a leader", status => status.Membership == "forming");
        using var standby = Coordinator(state, "--standby");
        await run.UntilAsync("a standby", _ => EndpointFile.Standbys(state).Count == 1);
        var addresses = $"{EndpointFile.TryRead(state)!.Address},{EndpointFile.Standbys(state)[0].Address}";
        var workers = Enumerable.Range(0, 4).Select(i => ConvoyProcess.Start(
            cluster.Folder, "worker", "--join", addresses, "--name", $"w{i}")).ToList();
        try
        {
            await run.UntilAsync("all workers", status => status.Workers.Count == 4);
            var before = new List<StatusReport>();
            foreach (var job in Two) await SubmitAsync(job, addresses);
            foreach (var job in Two) before.Add(await TrainsAsync(state, leader, job));

            leader.Kill9();
            for (var i = 0; i < Two.Length; i++)
            {
                var (was, job) = (before[i], new RunningJob(state, standby, Two[i]));
                var now = await job.UntilAsync($"{Two[i]} under the standby", s => s.Membership == "stable"
                    && EndpointFile.TryRead(state)!.Pid == standby.Pid && s.Step > was.Step + 10);
                Assert.Equal(was.JobId, now.JobId);
                if (!now.Events.Any(e => e.Contains("lost w", StringComparison.Ordinal)))
                    Assert.Equal(was.Generation, now.Generation);
            }

            await StopBothAsync(state, standby);
        }
        finally
        {
            foreach (var worker in workers) worker.Dispose();
        }
    }

    // FT-04, FT-05: who is asked to end hands over what a standby goes on with; nobody stops, nothing is saved for it.
    [Fact]
    public async Task ALeaderThatIsAskedToEndHandsOver()
    {
        var state = Path.Combine(cluster.Folder, "takeover-asked");
        using var leader = Coordinator(state);
        var run = new RunningJob(state, leader);
        await run.UntilAsync("a leader", status => status.Membership == "forming");
        using var standby = Coordinator(state, "--standby");
        await run.UntilAsync("a standby", _ => EndpointFile.Standbys(state).Count == 1);
        var addresses = $"{EndpointFile.TryRead(state)!.Address},{EndpointFile.Standbys(state)[0].Address}";
        using var w1 = ConvoyProcess.Start(cluster.Folder, "worker", "--join", addresses, "--name", "w1");
        using var w2 = ConvoyProcess.Start(cluster.Folder, "worker", "--join", addresses, "--name", "w2");
        await run.UntilAsync("both workers", status => status.Workers.Count == 2);
        using var submit = ConvoyProcess.Start(cluster.Folder, "submit", "job.yaml", "--set", EndlessJob.Steps, "--to",
            addresses, "--json");
        var before = await run.UntilAsync("two members", status => status.Step >= 10 && status.Membership == "stable"
            && status.Workers.Count(w => w.Slices.Length > 0) == 2);

        leader.Terminate();
        var asked = await leader.EndAsync();
        Assert.True(asked.Code == 0, asked.ToString());
        Assert.Contains("hands over to the standby at", asked.Out, StringComparison.Ordinal);
        var after = await run.UntilAsync("the standby to lead", status => status.Membership == "stable"
            && EndpointFile.TryRead(state)!.Pid == standby.Pid && status.Step > before.Step + 10);
        if (!after.Events.Any(e => e.Contains("lost w", StringComparison.Ordinal)))
            Assert.Equal(before.Generation, after.Generation);
        Assert.Equal(0, (await ConvoyProcess.RunAsync(cluster.Folder, "stop", "--state", state)).Code);
        var ended = await submit.EndAsync();
        Assert.True(ended.Code == 0, ended.ToString());
        await EndlessJob.SameBitsAsync(cluster, ended);
    }

    // FT-05, 4.5 row 9: without a standby members train on as orphans until the coordinator is there again, at the
    // address that they know.
    [Fact]
    public async Task JobsGoOnWhenTheirCoordinatorIsStartedAgain()
    {
        var state = Path.Combine(cluster.Folder, "started-again");
        using var first = Coordinator(state);
        var run = new RunningJob(state, first);
        await run.UntilAsync("a coordinator", status => status.Membership == "forming");
        var address = EndpointFile.TryRead(state)!.Address;
        var workers = Enumerable.Range(0, 4).Select(i => ConvoyProcess.Start(
            cluster.Folder, "worker", "--join", address, "--name", $"w{i}")).ToList();
        try
        {
            await run.UntilAsync("all workers", status => status.Workers.Count == 4);
            var before = new List<StatusReport>();
            foreach (var job in Two) await SubmitAsync(job, address);
            foreach (var job in Two) before.Add(await TrainsAsync(state, first, job));

            first.Kill9();
            await first.EndAsync();
            using var second = ConvoyProcess.Start(
                cluster.Folder, "coordinator", "--listen", address, "--state", state);
            for (var i = 0; i < Two.Length; i++)
            {
                var (was, job) = (before[i], new RunningJob(state, second, Two[i]));
                var now = await job.UntilAsync($"{Two[i]} again", s => s.Membership == "stable"
                    && EndpointFile.TryRead(state)!.Pid == second.Pid && s.Step > was.Step + 10);
                Assert.Equal(was.JobId, now.JobId);
                if (!now.Events.Any(e => e.Contains("lost w", StringComparison.Ordinal)))
                    Assert.Equal(was.Generation, now.Generation);
            }

            var again = await ConvoyProcess.RunAsync(cluster.Folder, "submit", "job.yaml", "--set", $"job={Two[1]}",
                "--resume", "--to", address, "--detach");
            Assert.Equal((int)Shared.ExitCode.Cluster, again.Code);
            Assert.Contains("goes on here already", again.Error, StringComparison.Ordinal);
            await StopBothAsync(state, second);
        }
        finally
        {
            foreach (var worker in workers) worker.Dispose();
        }
    }

    // FT-05, 4.5 row 7: who wakes after another one leads is refused, says so and ends; its jobs have not noticed.
    [Fact]
    public async Task ALeaderThatWakesAfterItWasReplacedIsRefused()
    {
        var state = Path.Combine(cluster.Folder, "takeover-woken");
        using var leader = Coordinator(state);
        var run = new RunningJob(state, leader);
        await run.UntilAsync("a leader", status => status.Membership == "forming");
        using var standby = Coordinator(state, "--standby");
        await run.UntilAsync("a standby", _ => EndpointFile.Standbys(state).Count == 1);
        var (first, second) = (EndpointFile.TryRead(state)!.Address, EndpointFile.Standbys(state)[0].Address);
        using var w1 = ConvoyProcess.Start(cluster.Folder, "worker", "--join", first, "--name", "w1");
        using var w2 = ConvoyProcess.Start(cluster.Folder, "worker", "--join", first, "--name", "w2");
        await run.UntilAsync("both workers", status => status.Workers.Count == 2);
        using var submit = ConvoyProcess.Start(cluster.Folder, "submit", "job.yaml", "--set", EndlessJob.Steps, "--to",
            $"{second},{first}", "--json");
        var before = await run.UntilAsync("two members", status => status.Step >= 10 && status.Membership == "stable"
            && status.Workers.Count(w => w.Slices.Length > 0) == 2);
        foreach (var worker in new[] { w1, w2 }) await KnowsAsync(worker, second);

        Signal.Stop(leader.Pid);
        var after = await run.UntilAsync("the standby to lead", status => status.Membership == "stable"
            && EndpointFile.TryRead(state)!.Pid == standby.Pid && status.Step > before.Step + 10);
        Signal.Continue(leader.Pid);
        var woken = await leader.EndAsync();
        Assert.True(woken.Code == (int)Shared.ExitCode.Cluster, woken.ToString());
        Assert.Contains("another coordinator leads", woken.Error, StringComparison.Ordinal);
        if (!after.Events.Any(e => e.Contains("lost w", StringComparison.Ordinal)))
            Assert.Equal(before.Generation, after.Generation);
        Assert.Equal(0, (await ConvoyProcess.RunAsync(cluster.Folder, "stop", "--state", state)).Code);
        var ended = await submit.EndAsync();
        Assert.True(ended.Code == 0, ended.ToString());
        await EndlessJob.SameBitsAsync(cluster, ended);
    }

    /// <summary>The worker has heard where a coordinator stands by.</summary>
    private static async Task KnowsAsync(ConvoyProcess worker, string standby)
    {
        using var deadline = new CancellationTokenSource(ConvoyProcess.Deadline);
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (!worker.Snapshot(-1).Error.Contains(standby, StringComparison.Ordinal))
            await pace.WaitForNextTickAsync(deadline.Token);
    }

    private static readonly string[] Two = ["alpha", "beta"];

    private ConvoyProcess Coordinator(string state, params string[] more) => ConvoyProcess.Start(
        cluster.Folder, ["coordinator", "--listen", "127.0.0.1:0", "--state", state, .. more]);

    private async Task SubmitAsync(string job, string addresses)
    {
        var submit = await ConvoyProcess.RunAsync(cluster.Folder, "submit", "job.yaml", "--set", $"job={job}",
            "--set", EndlessJob.Steps, "--set", "elastic.max=2", "--to", addresses, "--detach", "--json");
        Assert.True(submit.Code == 0, submit.ToString());
    }

    private static Task<StatusReport> TrainsAsync(string state, ConvoyProcess leader, string job) =>
        new RunningJob(state, leader, job).UntilAsync($"two members of {job}",
            s => s.Step >= 10 && s.Membership == "stable" && s.Workers.Count(w => w.Slices.Length > 0) == 2);

    /// <summary>Both end with one row for each step and the bits of calm runs.</summary>
    private async Task StopBothAsync(string state, ConvoyProcess leader)
    {
        var ends = new List<StatusReport>();
        foreach (var job in Two)
        {
            var stop = await ConvoyProcess.RunAsync(cluster.Folder, "stop", "--job", job, "--state", state);
            Assert.True(stop.Code == 0, stop.ToString());
            ends.Add(await new RunningJob(state, leader, job).UntilAsync("its end", s => s.Outcome is not null));
            Assert.Equal("stopped", ends[^1].Outcome);
            using var client = new ConvoyClient(EndpointFile.TryRead(state)!.Address) { Job = job };
            var rows = (await client.StepsAsync(1)).Rows.Select(r => r.Step).ToList();
            Assert.Equal(Enumerable.Range(1, rows.Count).Select(n => (long)n), rows);
            Assert.True(rows.Count == ends[^1].Step || rows.Count == 10_000, $"{rows.Count} rows"); // a page
        }

        leader.Terminate();
        Assert.Equal(0, (await leader.EndAsync()).Code);
        foreach (var end in ends) await EndlessJob.SameBitsAsync(cluster, end.Step, end.WeightsSha256);
    }
}
