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
        using var led = await LedCluster.StartAsync(cluster, "takeover", workers: 2, knowBoth: false);
        using var submit = led.Submit(led.Addresses);
        var before = await led.TwoMembersAsync();
        await led.WorkersKnowStandbyAsync();

        led.Leader.Kill9();
        await led.StandbyLeadsAsync(before);
        Assert.Equal(0, (await ConvoyProcess.RunAsync(cluster.Folder, "stop", "--state", led.State)).Code);
        var ended = await submit.EndAsync();

        Assert.True(ended.Code == 0, ended.ToString());
        var steps = ended.Json.GetProperty("steps").GetInt64();
        using (var client = new ConvoyClient(EndpointFile.TryRead(led.State)!.Address))
            Assert.Equal(1, (await client.StepsAsync(1)).Rows[0].Step);
        var rows = File.ReadLines(Path.Combine(led.State, "metrics.jsonl"))
            .Select(line => System.Text.Json.JsonDocument.Parse(line).RootElement.GetProperty("step").GetInt64());
        Assert.Equal(Enumerable.Range(1, (int)steps).Select(n => (long)n), rows);
        await EndlessJob.SameBitsAsync(cluster, ended);
    }

    // FT-05, scenario 15: each job goes on behind its own wall.
    [Fact]
    public async Task TwoJobsGoOnWhenTheirLeaderIsKilled()
    {
        using var led = await LedCluster.StartAsync(cluster, "takeover-two", workers: 4, knowBoth: true);
        var before = new List<StatusReport>();
        foreach (var job in Two) await SubmitAsync(job, led.Addresses);
        foreach (var job in Two) before.Add(await TrainsAsync(led.State, led.Leader, job));

        led.Leader.Kill9();
        for (var i = 0; i < Two.Length; i++)
        {
            var (was, job) = (before[i], new RunningJob(led.State, led.Standby, Two[i]));
            LedCluster.SameGeneration(was, await job.UntilAsync($"{Two[i]} under the standby",
                s => s.Membership == "stable" && EndpointFile.TryRead(led.State)!.Pid == led.Standby.Pid
                    && s.Step > was.Step + 10));
        }

        await StopBothAsync(led.State, led.Standby);
    }

    // FT-04, FT-05: who is asked to end hands over what a standby goes on with; nobody stops, nothing is saved for it.
    [Fact]
    public async Task ALeaderThatIsAskedToEndHandsOver()
    {
        using var led = await LedCluster.StartAsync(cluster, "takeover-asked", workers: 2, knowBoth: true);
        using var submit = led.Submit(led.Addresses);
        var before = await led.TwoMembersAsync();

        led.Leader.Terminate();
        var asked = await led.Leader.EndAsync();
        Assert.True(asked.Code == 0, asked.ToString());
        Assert.Contains("hands over to the standby at", asked.Out, StringComparison.Ordinal);
        await led.StandbyLeadsAsync(before);
        await led.StopAsync(submit);
    }

    // FT-05, 4.5 row 9: without a standby members train on as orphans until the coordinator is there again, at the
    // address that they know.
    [Fact]
    public async Task JobsGoOnWhenTheirCoordinatorIsStartedAgain()
    {
        var state = Path.Combine(cluster.Folder, "started-again");
        using var first = LedCluster.Coordinator(cluster, state);
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
                LedCluster.SameGeneration(was, now);
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
        using var led = await LedCluster.StartAsync(cluster, "takeover-woken", workers: 2, knowBoth: false);
        using var submit = led.Submit($"{led.At.Standby},{led.At.Leader}");
        var before = await led.TwoMembersAsync();
        await led.WorkersKnowStandbyAsync();

        await led.StopLeaderAsync(whileItWrites: false);
        await led.StandbyLeadsAsync(before);
        Signal.Continue(led.Leader.Pid);
        var woken = await led.Leader.EndAsync();
        Assert.True(woken.Code == (int)Shared.ExitCode.Cluster, woken.ToString());
        Assert.Contains("another coordinator leads", woken.Error, StringComparison.Ordinal);
        await led.StopAsync(submit);
    }

    // FT-05, L5: a leader that was stopped in the middle of an append keeps the journal locked; its lease is over, and
    // so is its process.
    [Fact]
    public async Task ALeaderStoppedWhileItWritesIsEnded()
    {
        using var led = await LedCluster.StartAsync(cluster, "takeover-locked", workers: 2, knowBoth: false);
        using var submit = led.Submit($"{led.At.Standby},{led.At.Leader}", "--set", "checkpoint.every=1");
        var before = await led.TwoMembersAsync();
        await led.WorkersKnowStandbyAsync();

        await led.StopLeaderAsync(whileItWrites: true);
        await led.StandbyLeadsAsync(before);
        Assert.Equal(137, (await led.Leader.EndAsync()).Code);
        Assert.Contains("keeps the journal locked: its process is ended", led.StandbyLog(), StringComparison.Ordinal);
        await led.StopAsync(submit);
    }

    // FT-05: what locks the journal may be somebody else, a backup for instance; a stopped leader is not ended for it.
    [Fact]
    public async Task ALeaderThatDoesNotLockTheJournalIsNotEnded()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "elsewhere the system does not tell who has a lock");
        using var led = await LedCluster.StartAsync(cluster, "takeover-innocent", workers: 2, knowBoth: false);
        using var submit = led.Submit($"{led.At.Standby},{led.At.Leader}");
        var before = await led.TwoMembersAsync();
        await led.WorkersKnowStandbyAsync();

        await led.StopLeaderAsync(whileItWrites: false);
        using (led.LockJournal())
            await led.StandbySaysAsync("the journal is locked by another process");
        // Whether its members were fenced meanwhile is a matter of how long that took.
        await led.Run.UntilAsync("the standby to lead", s => s.Membership == "stable" && s.Step > before.Step + 10);
        Signal.Continue(led.Leader.Pid);
        Assert.Equal((int)Shared.ExitCode.Cluster, (await led.Leader.EndAsync()).Code);
        await led.StopAsync(submit);
    }

    private static readonly string[] Two = ["alpha", "beta"];

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
