using System.Globalization;
using System.Text.RegularExpressions;
using Convoy.Cli.Simulation;

namespace Convoy.Simulation.Tests.Cluster;

/// <summary>
/// TEST-05, FT-03, PAR-08, R1, R2, R5, R26: the whole system in a simulated world keeps every invariant. More seeds run
/// by
/// <c>convoy sim</c>; a failure there says how to run it again.
/// </summary>
public sealed partial class SimulatedClusterTests
{
    [Fact]
    public void Whole_clusters_keep_every_invariant_under_random_faults()
    {
        for (ulong seed = 1; seed <= 40; seed++)
        {
            var result = SimulationRun.Run(seed, new SimulationChoice());
            Assert.True(!result.Failed, $"seed {seed}: {result.Violation}; convoy sim --seed {seed} --trace");
        }
    }

    // A failure is a seed, to the byte.
    [Theory]
    [InlineData(3)]
    [InlineData(31)]
    [InlineData(161)]
    public void The_same_seed_gives_the_same_trace(ulong seed)
    {
        var (first, second) = (new List<string>(), new List<string>());
        SimulationRun.Run(seed, new SimulationChoice(), trace: first.Add);
        SimulationRun.Run(seed, new SimulationChoice(), trace: second.Add);
        Assert.True(first.Count > 200, $"{first.Count} lines");
        Assert.Equal(first, second);
    }

    [Fact]
    public void Without_faults_no_generation_is_lost_and_nothing_is_late()
    {
        for (ulong seed = 1; seed <= 8; seed++)
        {
            var cluster = new SimulatedCluster(SimulationPlan.Of(seed, new SimulationChoice { Faults = [] }));
            cluster.Run();
            Assert.Null(cluster.Violation);
            Assert.Equal(cluster.Plan.Steps, cluster.Rows().Count);
        }
    }

    // R1: a device that hangs while its process beats on is named on every member, where steps are short within two
    // seconds, and let go; the others finish the job.
    [Fact]
    public void A_device_that_hangs_is_named_and_the_others_go_on()
    {
        var (named, soonest) = (0, double.MaxValue);
        for (ulong seed = 1; seed <= 60; seed++)
        {
            var plan = SimulationPlan.Of(seed, new SimulationChoice { Faults = [FaultKind.Hang] });
            if (plan.Faults.Count == 0) continue;
            var (lost, late) = (new List<string>(), new List<string>());
            var cluster = new SimulatedCluster(plan, null, line =>
            {
                if (line.Contains("first failure: ", StringComparison.Ordinal)) lost.Add(line);
                if (line.Contains(" is late by ", StringComparison.Ordinal)) late.Add(line);
            });
            cluster.Run();
            Assert.True(cluster.Violation is null, $"seed {seed}: {cluster.Violation}");
            var victim = cluster.VictimsOf(plan.Faults[0]).Single();
            Assert.All(lost,
                line => Assert.Contains($"first failure: {victim}: it hangs in ", line, StringComparison.Ordinal));
            named += lost.Count;
            if (lost.Count > 0) soonest = Math.Min(soonest, ToldEverywhere(late, cluster.Plan.Workers));
        }

        Assert.True(named > 0, "no seed has a hang that is long enough to be found");
        Assert.InRange(soonest, 1.5, 2);
    }

    [GeneratedRegex("is late by ([0-9.]+) s")]
    private static partial Regex LateBy();

    /// <summary>How late the step was when every worker had it in its log, in seconds.</summary>
    private static double ToldEverywhere(List<string> late, int workers)
    {
        for (var w = 1; w <= workers; w++)
            Assert.Contains(late, line => line.Contains($" w{w} trainer: step ", StringComparison.Ordinal));
        return late.Min(line => double.Parse(LateBy().Match(line).Groups[1].ValueSpan, CultureInfo.InvariantCulture));
    }

    // Seeds that once broke an invariant, as small as they were found. What broke is said beside each.
    [Theory]
    [InlineData(31, 3, 12, "1,2,3,4")] // a stopped worker was sent frames with the bytes of a later step
    // reports of orphans counted as progress of a resumed job; healthy workers were let go
    [InlineData(161, 7, 23, "1,2,3,4")]
    [InlineData(1, 5, 39, "3,4")] // a shard of an earlier run reached a job without a generation
    [InlineData(87, 6, 26, "2,4")] // orphans of another job kept a new one from being prepared for a minute
    [InlineData(506, 5, 19, "1,2,3,4,5,6")] // a loss during a fence was named again by the next one
    [InlineData(1759, 3, 13, "2,4,5,6")] // a worker that had not heard that it was lost was opened as a joiner
    [InlineData(1952, 2, 23, "2,3,4")] // the row of a step came from a worker that was just let go
    [InlineData(3846, 2, 15, "2,3")] // a spare did not tell the state that it had learned, only the one before
    [InlineData(1671, 2, 18, "2,4")] // a run resumed at its end has no row; its checkpoint was published by a fenced leader
    [InlineData(60759, 3, 5, "1,3")] // workers that came back with the newest state had to load an older checkpoint
    [InlineData(62037, 5, 12, "1,4,6")] // a new job's first members were taken for ones that wait for a joiner
    [InlineData(64591, 3, 10, "1,6,7,8")] // a cause was judged when the job gave up, long after it was named
    [InlineData(71414, 4, 23, "1,2,3")] // a joiner was blamed for the member that it waited for
    [InlineData(74717, 4, 17, "1,2")] // and one for a piece that a busy member gave too late
    [InlineData(306736, 3, 20, "1,2,3,5,7")] // what a worker told when it came to rest was not heard, only its first Hello
    [InlineData(308256, 3, 9, "1,2,3,4,6")] // the first members of a job were taken for ones that wait for a joiner
    public void Seeds_that_broke_something_once_hold(ulong seed, int workers, int steps, string keep)
    {
        var choice = new SimulationChoice
        { Workers = workers, Steps = steps, Keep = [.. keep.Split(',').Select(int.Parse)] };
        Assert.Null(SimulationRun.Run(seed, choice).Violation);
    }
}
