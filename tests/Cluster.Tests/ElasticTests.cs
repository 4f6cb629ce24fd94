using System.Globalization;
using Convoy.Cluster.Tests.Jobs;
using Convoy.Cluster.Tests.Processes;
using Convoy.Coordinator.Api;

namespace Convoy.Cluster.Tests;

// A run that loses a worker, gets it back, grows and shrinks ends with the bits of one that did none of it (FT-03,
// FT-05, R5, R25). Joins are spaced by seconds (M7), so the job is endless and is stopped when all of it has happened.
public class ElasticTests(ClusterFixture cluster)
{
    [Fact]
    public async Task ReplacedGrownAndShrunk()
    {
        var state = Path.Combine(cluster.Folder, "elastic");
        using var train = EndlessJob.Start(cluster, state, 2);
        var run = new RunningJob(state, train);
        var before = await run.AtStepAsync(10);

        var lost = before.Workers[1];
        Signal.Kill9(lost.Pid);
        var replaced = await run.UntilAsync("the replacement", status => Members(status) == 2
            && status.Workers.Any(w => w.Name == lost.Name && w.Pid != lost.Pid && w.Slices.Length > 0));
        Assert.Equal(lost.Id, replaced.Workers.Single(w => w.Name == lost.Name).Id);
        await ScaleAsync(state, 3);
        await run.UntilAsync("three members", status => Members(status) == 3);
        await ScaleAsync(state, 1);
        await run.UntilAsync("one member", status => Members(status) == 1);
        await EndlessJob.SameBitsAsync(cluster, await EndlessJob.StopAsync(cluster, state, train));
    }

    private async Task ScaleAsync(string state, int workers)
    {
        var ended = await ConvoyProcess.RunAsync(cluster.Folder, "scale", $"{workers}", "--state", state);
        Assert.True(ended.Code == 0, ended.ToString());
    }

    private static int Members(StatusReport status) => status.Workers.Count(worker => worker.Slices.Length > 0);
}
