using Convoy.Actors;
using Convoy.Cli.Simulation;
using Convoy.Coordinator.Jobs;

namespace Convoy.Simulation.Tests.Cluster;

/// <summary>
/// Scenario 15: a job whose actor throws on every message ends by itself; the job beside it loses no step, and its
/// membership never begins again. All checkers look on.
/// </summary>
public sealed class JobWallTests
{
    private const string Failing = "failing";

    private sealed class FailingJob : ReceiveActor, IWithTimers
    {
        public FailingJob() => ReceiveAny(m => throw new InvalidOperationException($"no {m.GetType().Name} today"));

        public ITimerScheduler Timers { get; set; } = null!;

        protected override void PreStart() => Timers.StartPeriodicTimer("tick", "tick", TimeSpan.FromMilliseconds(20));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(8)]
    [InlineData(21)]
    public void A_job_whose_actor_always_fails_touches_no_other(ulong seed)
    {
        var plan = SimulationPlan.Of(seed, new SimulationChoice { Faults = [], Workers = 3, Steps = 12 });
        var firstJobs = 0;
        var plants = new Plants
        {
            JobActor = (wall, shell) =>
            {
                if (wall == Failing) return Props.Create(() => new FailingJob());
                firstJobs++;
                return Props.Create(() => new JobActor(shell));
            },
            Begin = c => c.World.After(null, TimeSpan.FromSeconds(1),
                () => c.Coordinator!.SubmitBeside(plan.Job with { Job = Failing })),
        };
        var cluster = new SimulatedCluster(plan, plants);
        cluster.Run();

        Assert.Null(cluster.Violation);
        var other = cluster.Coordinator!.Boards.Read(Failing);
        Assert.Equal("failed", other.Outcome);
        Assert.Contains("failed 4 times", other.RootCause!.Text, StringComparison.Ordinal);
        Assert.Contains("today", other.RootCause.Text, StringComparison.Ordinal);
        var good = cluster.Coordinator.Board.Read();
        Assert.Equal(("finished", 1L, 0), (good.Outcome, good.Generations, good.Failures));
        Assert.Equal(Enumerable.Range(1, plan.Steps).Select(i => (long)i), cluster.Rows());
        Assert.Equal(1, firstJobs);
        Assert.Equal(["failing", "simulated"], other.Jobs.Select(j => j.Job).Order(StringComparer.Ordinal));
    }
}
