using Convoy.Cluster.Tests.Jobs;
using Convoy.Cluster.Tests.Processes;

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
        var replaced = await run.UntilAsync("the replacement", status => Joining.Members(status) == 2
            && status.Workers.Any(w => w.Name == lost.Name && w.Pid != lost.Pid && w.Slices.Length > 0));
        Assert.Equal(lost.Id, replaced.Workers.Single(w => w.Name == lost.Name).Id);
        await Joining.ScaleAsync(cluster, state, 3);
        await run.MembersAsync(3);
        await Joining.ScaleAsync(cluster, state, 1);
        await run.MembersAsync(1);
        await EndlessJob.SameBitsAsync(cluster, await EndlessJob.StopAsync(cluster, state, train));
    }
}
