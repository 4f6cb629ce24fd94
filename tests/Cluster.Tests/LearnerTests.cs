using Convoy.Cluster.Tests.Jobs;
using Convoy.Cluster.Tests.Processes;
using Convoy.Coordinator.Api;

namespace Convoy.Cluster.Tests;

// FT-02, R5, R25: a worker becomes a member without a copy at the fence, whoever dies meanwhile, and the run ends with
// the bits of one that was never disturbed.
public class LearnerTests(ClusterFixture cluster)
{
    [Fact]
    public async Task LearnsBeforeItJoins()
    {
        var state = Path.Combine(cluster.Folder, "learner");
        using var train = EndlessJob.Start(cluster, state, 2);
        var run = new RunningJob(state, train);
        await run.AtStepAsync(20);
        await ScaleAsync(state, 3);
        var joined = await run.UntilAsync("three members", status => Members(status) == 3);
        // Steps of a millisecond may be more than a tenth of the link brings: then it says so, and copies at the fence.
        Assert.Contains(joined.Events, e => e.Contains("learns: Level", StringComparison.Ordinal)
            || e.Contains("cannot follow", StringComparison.Ordinal));
        await EndlessJob.SameBitsAsync(cluster, await EndlessJob.StopAsync(cluster, state, train));
    }

    [Fact]
    public async Task DonorDiesDuringTheJoin()
    {
        var state = Path.Combine(cluster.Folder, "learner-donor");
        using var train = EndlessJob.Start(cluster, state, 2);
        var run = new RunningJob(state, train);
        var before = await run.AtStepAsync(20);
        await ScaleAsync(state, 3);
        await run.UntilAsync("a learner",
            status => status.Events.Any(e => e.Contains("learns: ", StringComparison.Ordinal)));
        Signal.Kill9(before.Workers[0].Pid);
        await run.UntilAsync("three members, one of them new", status => Members(status) == 3
            && status.Workers.All(w => w.Pid != before.Workers[0].Pid));
        await EndlessJob.SameBitsAsync(cluster, await EndlessJob.StopAsync(cluster, state, train));
    }

    private async Task ScaleAsync(string state, int workers)
    {
        var ended = await ConvoyProcess.RunAsync(cluster.Folder, "scale", $"{workers}", "--state", state);
        Assert.True(ended.Code == 0, ended.ToString());
    }

    private static int Members(StatusReport status) => status.Workers.Count(worker => worker.Slices.Length > 0);
}
