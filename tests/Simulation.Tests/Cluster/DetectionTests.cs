using System.Globalization;
using Convoy.Actors.Simulation;
using Convoy.Cli.Simulation;
using Convoy.Shared.Jobs;

namespace Convoy.Simulation.Tests.Cluster;

/// <summary>FT-03: how soon the whole system notices a death that closes no connection, and what it forgives.</summary>
public sealed class DetectionTests
{
    private static readonly TimeSpan At = TimeSpan.FromSeconds(4);
    private static readonly TimeSpan Stall = TimeSpan.FromSeconds(3);

    [Fact]
    public void A_machine_that_vanishes_in_silence_is_known_to_be_dead_within_a_second()
    {
        for (ulong seed = 1; seed <= 10; seed++)
        {
            var (cluster, trace) = Run(seed, FaultKind.Power, TimeSpan.FromSeconds(5), stallMs: 0);
            Assert.Null(cluster.Violation);
            var lost = trace.First(line => line.Contains("membership: lost w2: silent", StringComparison.Ordinal));
            var took = TimeOf(lost)
                - TimeOf(trace.First(line => line.Contains("fault 1: power w2", StringComparison.Ordinal)));
            Assert.True(took is > 0 and < 1_000, $"seed {seed}: {took} ms, {lost}");
        }
    }

    [Theory]
    [InlineData(0, true)]
    [InlineData(3_000, false)]
    public void A_process_that_is_stopped_for_three_seconds_stays_a_member_by_option(int stallMs, bool isLost)
    {
        for (ulong seed = 1; seed <= 4; seed++)
        {
            var (cluster, trace) = Run(seed, FaultKind.Stop, Stall, stallMs);
            Assert.Null(cluster.Violation);
            Assert.Equal(cluster.Plan.Steps, cluster.Rows().Count);
            var lost = trace.Find(line => line.Contains("membership: lost w2", StringComparison.Ordinal)
                && TimeOf(line) < 8_000);
            Assert.True(lost is not null == isLost, $"seed {seed}: {lost ?? "nobody was lost"}");
        }
    }

    [Fact]
    public void A_process_that_stays_away_for_longer_than_the_option_is_lost()
    {
        var (cluster, trace) = Run(seed: 3, FaultKind.Stop, TimeSpan.FromSeconds(6), stallMs: 3_000);
        Assert.Null(cluster.Violation);
        var lost = trace.First(line => line.Contains("membership: lost w2", StringComparison.Ordinal));
        Assert.InRange(TimeOf(lost) - At.TotalMilliseconds, 3_500, 4_100);
    }

    /// <summary>A quiet network, three workers, and one fault of the second.</summary>
    private static (SimulatedCluster Cluster, List<string> Trace) Run(ulong seed, FaultKind kind,
        TimeSpan duration, int stallMs)
    {
        var plan = SimulationPlan.Of(seed, new SimulationChoice { Workers = 3, Steps = 40, Faults = [] });
        plan = plan with
        {
            StepTime = TimeSpan.FromMilliseconds(200),
            HasLauncher = false,
            Network = new NetworkQuality(),
            Job = plan.Job with
            {
                Timeouts = new TimeoutSpec { StallMs = stallMs },
                Elastic = plan.Job.Elastic with { Min = 1 },
            },
            Faults = [new Fault(1, kind, At, duration, Victim: 1, Other: 0, Amount: 0)],
        };
        var trace = new List<string>();
        var cluster = new SimulatedCluster(plan, trace: trace.Add);
        cluster.Run();
        return (cluster, trace);
    }

    private static double TimeOf(string line) =>
        double.Parse(line.AsSpan().TrimStart()[..line.AsSpan().TrimStart().IndexOf(' ')], CultureInfo.InvariantCulture);
}
