using Convoy.Cluster.Tests.Jobs;
using Convoy.Cluster.Tests.Processes;

namespace Convoy.Cluster.Tests;

// FT-02, R5, R25: a worker becomes a member without a copy at the fence, whoever dies meanwhile, and the run ends with
// the bits of one that was never disturbed. The large model has 10 M parameters: 120 MB of state, 40 MB for each step.
public class LearnerTests(ClusterFixture cluster)
{
    private static readonly string[] Small = [];
    private static readonly string[] Large = ["--set", "model.layers=[16,2200,2200,2200,4]"];

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task LearnsBeforeItJoins(bool large)
    {
        var model = large ? Large : Small;
        var state = Path.Combine(cluster.Folder, $"learner-{large}");
        using var train = EndlessJob.Start(cluster, state, 2, model);
        var run = new RunningJob(state, train);
        await run.AtStepAsync(20);
        await Joining.ScaleAsync(cluster, state, 3);
        var joined = await run.MembersAsync(3);
        // Steps of a millisecond may be more than its share of the link brings, and a busy machine leaves it too
        // little: then it says so, and copies at the fence.
        Assert.Contains(joined.Events, e => e.Contains("learns: Level", StringComparison.Ordinal)
            || e.Contains("cannot follow", StringComparison.Ordinal));
        await EndlessJob.SameBitsAsync(cluster, await EndlessJob.StopAsync(cluster, state, train), model);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task DonorDiesDuringTheJoin(bool large)
    {
        var model = large ? Large : Small;
        var state = Path.Combine(cluster.Folder, $"learner-donor-{large}");
        using var train = EndlessJob.Start(cluster, state, 2, model);
        var run = new RunningJob(state, train);
        var before = await run.AtStepAsync(20);
        await Joining.ScaleAsync(cluster, state, 3);
        await run.UntilAsync("a learner", Joining.Learns);
        Signal.Kill9(before.Workers[0].Pid);
        await run.UntilAsync("three members, one of them new", status => Joining.Members(status) == 3
            && status.Workers.All(w => w.Pid != before.Workers[0].Pid));
        await EndlessJob.SameBitsAsync(cluster, await EndlessJob.StopAsync(cluster, state, train), model);
    }
}
