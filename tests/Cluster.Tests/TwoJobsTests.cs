using Convoy.Cluster.Tests.Jobs;
using Convoy.Cluster.Tests.Processes;
using Convoy.Coordinator.Api;

namespace Convoy.Cluster.Tests;

// Two jobs on one coordinator, each with two of its four workers: a kill in each, and both have the bits of runs that
// nobody disturbed (FT-01, scenario 15). The jobs are endless and are stopped by name.
public class TwoJobsTests(ClusterFixture cluster)
{
    private const string Alpha = "alpha";
    private const string Beta = "beta";

    [Fact]
    public async Task EachLosesAWorkerAndKeepsItsBits()
    {
        var state = Path.Combine(cluster.Folder, "two-jobs");
        using var coordinator = ConvoyProcess.Start(cluster.Folder, "coordinator", "--listen", "127.0.0.1:0",
            "--state", state);
        var all = new RunningJob(state, coordinator);
        await all.UntilAsync("the coordinator", _ => true);
        var address = EndpointFile.Read(state).Address;
        var workers = Enumerable.Range(0, 4).Select(i => ConvoyProcess.Start(
            cluster.Folder, "worker", "--join", address, "--name", $"w{i}")).ToList();
        try
        {
            await all.UntilAsync("all workers", status => status.Workers.Count == 4);
            foreach (var job in new[] { Alpha, Beta })
            {
                var submit = await ConvoyProcess.RunAsync(cluster.Folder, "submit", "job.yaml", "--set", $"job={job}",
                    "--set", EndlessJob.Steps, "--set", "elastic.max=2", "--to", address, "--detach", "--json");
                Assert.True(submit.Code == 0, submit.ToString());
            }

            var alpha = new RunningJob(state, coordinator, Alpha);
            var beta = new RunningJob(state, coordinator, Beta);
            // Both have their two before one loses one: else a worker that waits goes to it, not to the other job.
            await TwoMembersAsync(alpha);
            await TwoMembersAsync(beta);
            await KillOneAsync(alpha);
            await KillOneAsync(beta);
            var unnamed = await ConvoyProcess.RunAsync(cluster.Folder, "stop", "--to", address);
            Assert.Equal((int)Shared.ExitCode.Usage, unnamed.Code);
            Assert.Contains("--job", unnamed.ToString(), StringComparison.Ordinal);
            var ends = new[] { await StopAsync(address, Alpha, alpha), await StopAsync(address, Beta, beta) };
            coordinator.Terminate();
            Assert.Equal(0, (await coordinator.EndAsync()).Code);
            foreach (var end in ends) await EndlessJob.SameBitsAsync(cluster, end.Step, end.WeightsSha256);
        }
        finally
        {
            foreach (var worker in workers) worker.Dispose();
        }
    }

    private static Task<StatusReport> TwoMembersAsync(RunningJob run) => run.UntilAsync("two members that train",
        s => s.Step >= 10 && s.Workers.Count(w => w.Slices.Length > 0) == 2);

    private static async Task KillOneAsync(RunningJob run)
    {
        var before = await TwoMembersAsync(run);
        Signal.Kill9(before.Workers.First(w => w.Slices.Length > 0).Pid);
        await run.UntilAsync("steps without it", s => s.Generation > before.Generation && s.Step > before.Step + 20);
    }

    private async Task<StatusReport> StopAsync(string address, string job, RunningJob run)
    {
        var stop = await ConvoyProcess.RunAsync(cluster.Folder, "stop", "--job", job, "--to", address);
        Assert.True(stop.Code == 0, stop.ToString());
        var end = await run.UntilAsync("its end", status => status.Outcome is not null);
        Assert.Equal("stopped", end.Outcome);
        Assert.True(end.Failures >= 1, $"{end.Failures} losses"); // a starved machine may lose one more
        return end;
    }
}
