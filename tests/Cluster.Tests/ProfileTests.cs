using Convoy.Cluster.Tests.Jobs;
using Convoy.Cluster.Tests.Processes;

namespace Convoy.Cluster.Tests;

// What looks at a clock while a job trains changes no bit: operators that are timed (MON-07), and the choice of what is
// computed again (MEM-06).
public class ProfileTests(ClusterFixture cluster)
{
    [Fact]
    public async Task OperatorsAreTimedWhileAJobTrains_FromOneWordToTheNext()
    {
        var state = Path.Combine(cluster.Folder, "profiled");
        using var train = EndlessJob.Start(cluster, state, 3);
        var run = new RunningJob(state, train);
        Assert.Null((await run.AtStepAsync(5)).Profile);

        await SwitchAsync(state, "on");
        var on = await run.UntilAsync("times of three workers", s => s.Profile is { On: true, Workers: 3 });
        var profile = on.Profile!;
        Assert.Equal(1, profile.Operators.Sum(o => o.Share), 9);
        Assert.Contains(profile.Operators, o => o is { Operator: "linear", Calls: > 0, TotalMs: > 0, GigaFlops: > 0 });
        await SwitchAsync(state, "off");
        var off = await run.UntilAsync("the end of it", s => s.Profile is { On: false });
        var runs = off.Profile!.Runs;
        var later = await run.UntilAsync("more steps", s => s.Step > off.Step + 20);
        Assert.Equal(runs, later.Profile!.Runs);

        await EndlessJob.SameBitsAsync(cluster, await EndlessJob.StopAsync(cluster, state, train));
    }

    // Activations do not fit: some are computed again, chosen anew from times after a few steps, on each worker by its
    // own clock.
    [Fact]
    public async Task AnAdaptedChoiceOfWhatIsComputedAgain_IsSeen_AndChangesNothing()
    {
        var state = Path.Combine(cluster.Folder, "adapted");
        using var train = EndlessJob.Start(cluster, state, 3, "--set", "recompute=adapt:256KB");
        var run = new RunningJob(state, train);
        var status = await run.UntilAsync("a review of each worker", s => Enumerable.Range(0, 3).All(n =>
            s.Events.Any(e => e.StartsWith($"w{n}, step ", StringComparison.Ordinal)
                && e.Contains(": recompute ", StringComparison.Ordinal))));
        Assert.Equal(3, status.Workers.Count);
        await EndlessJob.SameBitsAsync(cluster, await EndlessJob.StopAsync(cluster, state, train));
    }

    private async Task SwitchAsync(string state, string to)
    {
        var ended = await ConvoyProcess.RunAsync(cluster.Folder, "profile", to, "--state", state);
        Assert.True(ended.Code == 0, ended.ToString());
    }
}
