using System.Globalization;
using System.Text.RegularExpressions;
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
        var (ended, events) = await DisturbedAsync("struck", [], async (_, worker) =>
        {
            Signal.Kill9(worker.Pid);
            await Task.CompletedTask;
        });
        var lost = events.First(e => e.Contains("lost w1", StringComparison.Ordinal));
        // the closed socket or the end of the process said so
        Assert.DoesNotContain("silent", lost, StringComparison.Ordinal);
        await SameBitsAsync(ended);
    }

    [Theory]
    [InlineData("0s", true)]
    [InlineData("3s", false)]
    public async Task AWorkerThatIsStoppedForThreeSecondsStaysAMemberByOption(string stall, bool isLost)
    {
        var (ended, events) = await DisturbedAsync($"stopped-{stall}", ["--set", $"timeouts.stall={stall}"],
            async (run, worker) =>
        {
            Signal.Stop(worker.Pid);
            using var pause = new PeriodicTimer(TimeSpan.FromSeconds(3));
            if (isLost)
                await run.UntilAsync("the loss",
                    status => status.Events.Any(e => e.Contains("lost w1", StringComparison.Ordinal)));
            else await pause.WaitForNextTickAsync();
            Signal.Continue(worker.Pid);
        });
        var lost = events.Where(e => e.Contains("lost w1: silent", StringComparison.Ordinal)).ToList();
        Assert.Equal(isLost, lost.Count > 0);
        Assert.Equal(isLost, ended.Json.GetProperty("generations").GetInt64() > 1);
        if (isLost) Assert.InRange(SilenceMs(lost[0]), 650, 2_100);
        await SameBitsAsync(ended);
    }

    private async Task<(Ended Ended, IReadOnlyList<string> Events)> DisturbedAsync(
        string name, string[] more, Func<RunningJob, WorkerView, Task> disturb)
    {
        var state = Path.Combine(cluster.Folder, name);
        using var train = ConvoyProcess.Start(cluster.Folder,
            ["train", "job.yaml", "--workers", "2", "--state", state, "--json", .. more]);
        var run = new RunningJob(state, train);
        var status = await run.AtStepAsync(20);
        await disturb(run, status.Workers.Single(w => w.Name == "w1"));
        var ended = await train.EndAsync();
        var log = await File.ReadAllLinesAsync(Directory.GetFiles(state, "coordinator*.log",
            SearchOption.AllDirectories).Single());
        return (ended, log);
    }

    private async Task SameBitsAsync(Ended ended)
    {
        Assert.True(ended.Code == (int)ExitCode.Finished, ended.ToString());
        Assert.Equal(await cluster.ReferenceHashAsync(), ended.Json.GetProperty("weights_sha256").GetString());
    }

    private static int SilenceMs(string line) =>
        int.Parse(Silent().Match(line).Groups[1].ValueSpan, CultureInfo.InvariantCulture);

    [GeneratedRegex("silent for ([0-9]+) ms")]
    private static partial Regex Silent();
}
