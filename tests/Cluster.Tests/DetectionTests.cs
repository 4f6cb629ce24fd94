using System.Globalization;
using System.Text.RegularExpressions;
using Convoy.Cluster.Tests.Jobs;
using Convoy.Cluster.Tests.Processes;
using Convoy.Coordinator.Api;
using Convoy.Shared;

namespace Convoy.Cluster.Tests;

/// <summary>
/// FT-03, R1, R5: deaths and stalls of real processes. The bits are those of the run that nobody disturbed.
/// </summary>
public sealed partial class DetectionTests(ClusterFixture cluster)
{
    [Fact]
    public async Task AWorkerThatIsKilledIsMissedWithinASecond()
    {
        var (ended, _, events) = await DisturbedAsync("struck", [], async (run, worker) =>
        {
            Signal.Kill9(worker.Pid);
            await LossAsync(run);
        });
        var lost = events.First(e => e.Contains("lost w1", StringComparison.Ordinal));
        // the closed socket or the end of the process said so
        Assert.DoesNotContain("silent", lost, StringComparison.Ordinal);
        await EndlessJob.SameBitsAsync(cluster, ended);
    }

    [Theory]
    [InlineData("0s", true)]
    [InlineData("3s", false)]
    public async Task AWorkerThatIsStoppedForThreeSecondsStaysAMemberByOption(string stall, bool isLost)
    {
        var (ended, generation, events) = await DisturbedAsync($"stopped-{stall}", ["--set", $"timeouts.stall={stall}"],
            async (run, worker) =>
        {
            Signal.Stop(worker.Pid);
            using var pause = new PeriodicTimer(TimeSpan.FromSeconds(3));
            if (isLost) await LossAsync(run);
            else await pause.WaitForNextTickAsync();
            Signal.Continue(worker.Pid);
        });
        var lost = events.Where(e => e.Contains("lost w1: silent", StringComparison.Ordinal)).ToList();
        Assert.Equal(isLost, lost.Count > 0);
        Assert.Equal(isLost, generation > 1);
        if (isLost) Assert.InRange(SilenceMs(lost[0]), 650, 2_100);
        await EndlessJob.SameBitsAsync(cluster, ended);
    }

    private async Task<(Ended Ended, long Generation, IReadOnlyList<string> Events)> DisturbedAsync(
        string name, string[] more, Func<RunningJob, WorkerView, Task> disturb)
    {
        var state = Path.Combine(cluster.Folder, name);
        using var train = EndlessJob.Start(cluster, state, 2, more);
        var run = new RunningJob(state, train);
        var status = await run.AtStepAsync(20);
        await disturb(run, status.Workers.Single(w => w.Name == "w1"));
        var now = await run.UntilAsync("the coordinator", _ => true);
        now = await run.AtStepAsync(now.Step + 20);
        var ended = await EndlessJob.StopAsync(cluster, state, train);
        var log = await File.ReadAllLinesAsync(Directory.GetFiles(state, "coordinator*.log",
            SearchOption.AllDirectories).Single());
        return (ended, now.Generation, log);
    }

    private static Task LossAsync(RunningJob run) => run.UntilAsync("the loss",
        status => status.Events.Any(e => e.Contains("lost w1", StringComparison.Ordinal)));

    private static int SilenceMs(string line) =>
        int.Parse(Silent().Match(line).Groups[1].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex("silent for ([0-9]+) ms")]
    private static partial Regex Silent();
}
