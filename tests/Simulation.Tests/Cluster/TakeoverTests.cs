using System.Globalization;
using Convoy.Actors.Simulation;
using Convoy.Cli.Simulation;

namespace Convoy.Simulation.Tests.Cluster;

/// <summary>FT-05, R2, R24: the loss of the coordinator is a non-event (L4, L5), scenarios 1 and 9.</summary>
public sealed class TakeoverTests
{
    private static readonly TimeSpan At = TimeSpan.FromSeconds(4);

    [Theory]
    [InlineData(true)]   // one machine: the standby sees that the process is gone
    [InlineData(false)]  // others: the lease has to expire
    public void L4_L5_a_leader_that_dies_alone_costs_no_step_and_no_generation(bool sameMachine)
    {
        for (ulong seed = 1; seed <= 6; seed++)
        {
            var (cluster, trace) = Run(seed, sameMachine, Leader(FaultKind.LeaderKill));
            Assert.Null(cluster.Violation);
            Assert.Equal(cluster.Plan.Steps, cluster.Rows().Count);
            var adopted = trace.Find(Has("k2 adopts g1: all 4 members train on"))!;
            Assert.InRange(TimeOf(adopted) - At.TotalMilliseconds, 0, sameMachine ? 2_000 : 5_000);
            Assert.DoesNotContain(trace, Has("generation_opened {\"generation\":2"));
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Scenario_1_a_worker_dies_before_the_standby_leads(bool sameMachine)
    {
        for (ulong seed = 1; seed <= 6; seed++)
        {
            var kill = new Fault(2, FaultKind.Kill, At + TimeSpan.FromMilliseconds(100), TimeSpan.Zero, 1, 0, 0);
            var (cluster, trace) = Run(seed, sameMachine, Leader(FaultKind.LeaderKill), kill);
            Assert.Null(cluster.Violation);
            Assert.Equal(cluster.Plan.Steps, cluster.Rows().Count);
            var trains = trace.Find(Has("membership: g2 trains from state"))!;
            Assert.InRange(TimeOf(trains) - At.TotalMilliseconds, 0, 5_000);
            Assert.Equal(1, trace.FindAll(Has("generation_opened {\"generation\":1,")).Count);
        }
    }

    [Fact]
    public void An_old_leader_that_wakes_is_refused_and_the_job_goes_on()
    {
        for (ulong seed = 1; seed <= 6; seed++)
        {
            var (cluster, trace) = Run(seed, sameMachine: false, Leader(FaultKind.LeaderStop) with
            {
                Duration = TimeSpan.FromSeconds(10),
            });
            Assert.Null(cluster.Violation);
            Assert.Equal(cluster.Plan.Steps, cluster.Rows().Count);
            Assert.Contains(trace, Has("coordinator k1 fails: another coordinator leads"));
            var adopted = trace.Find(Has("k2 adopts g1"))!;
            Assert.InRange(TimeOf(adopted) - At.TotalMilliseconds, 0, 5_000); // L5
        }
    }

    // L5 has a checker: a member whose Hello is lost for good is let go, and that is no non-event.
    [Fact]
    public void A_word_to_the_new_leader_that_never_arrives_is_found()
    {
        var (cluster, _) = Run(1, sameMachine: true, new Plants
        {
            Tamper = static (from, to, message) =>
                message is Shared.Protocol.Hello && from == "w2" && to == "d" ? null : message,
        }, Leader(FaultKind.LeaderKill));
        Assert.Equal("takeover", cluster.Violation?.Checker);
    }

    private static Fault Leader(FaultKind kind) => new(1, kind, At, TimeSpan.Zero, 0, 0, 0);

    private static (SimulatedCluster Cluster, List<string> Trace) Run(ulong seed, bool sameMachine,
        params Fault[] faults) => Run(seed, sameMachine, null, faults);

    private static (SimulatedCluster Cluster, List<string> Trace) Run(ulong seed, bool sameMachine, Plants? plants,
        params Fault[] faults)
    {
        var plan = SimulationPlan.Of(seed,
            new SimulationChoice { Workers = 4, Steps = 90, Faults = [], Standby = true, Jobs = 1 });
        plan = plan with
        {
            StepTime = TimeSpan.FromMilliseconds(200),
            HasLauncher = sameMachine,
            Network = new NetworkQuality(),
            Job = plan.Job with { Elastic = plan.Job.Elastic with { Min = 1 } },
            Faults = faults,
        };
        var trace = new List<string>();
        var cluster = new SimulatedCluster(plan, plants, trace.Add);
        cluster.Run();
        return (cluster, trace);
    }

    private static Predicate<string> Has(string text) => line => line.Contains(text, StringComparison.Ordinal);

    private static double TimeOf(string line) =>
        double.Parse(line.AsSpan().TrimStart()[..line.AsSpan().TrimStart().IndexOf(' ')], CultureInfo.InvariantCulture);
}
