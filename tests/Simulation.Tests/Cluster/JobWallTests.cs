using Convoy.Actors;
using Convoy.Cli.Simulation;
using Convoy.Coordinator.Jobs;
using Convoy.Coordinator.Membership;
using Convoy.Shared.Storage;

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

    // A membership that breaks takes its own job with it, durably and by name, and no other.
    [Theory]
    [InlineData(3)]
    [InlineData(8)]
    public void A_job_whose_membership_breaks_touches_no_other(ulong seed)
    {
        var plan = SimulationPlan.Of(seed, new SimulationChoice { Faults = [], Workers = 3, Steps = 30 });
        var over = new List<string>();
        var plants = new Plants
        {
            JobActor = (wall, shell) => wall == Failing
                ? Props.Create(() => new JobThatBreaksItsMembership(shell)) : Props.Create(() => new JobActor(shell)),
            Journal = (journal, _) => new BreakingJournal(journal, "no such stream", "", over),
            Begin = c => c.World.After(null, TimeSpan.FromSeconds(1),
                () => c.Coordinator!.SubmitBeside(plan.Job with { Job = Failing })),
        };
        var cluster = new SimulatedCluster(plan, plants);
        cluster.Run();

        Assert.Null(cluster.Violation);
        var other = cluster.Coordinator!.Boards.Read(Failing);
        Assert.Equal("failed", other.Outcome);
        Assert.Contains("the membership of this job broke: ", other.RootCause!.Text, StringComparison.Ordinal);
        Assert.Contains("the membership of this job broke: ", over[0], StringComparison.Ordinal);
        var good = cluster.Coordinator.Board.Read();
        Assert.Equal(("finished", 1L, 0), (good.Outcome, good.Generations, good.Failures));
        Assert.Equal(1, cluster.Coordinator.Token); // it led on
        Assert.Equal(Enumerable.Range(1, plan.Steps).Select(i => (long)i), cluster.Rows());
    }

    // Also the first wall's: the same coordinator takes the job again, and its workers train it.
    [Theory]
    [InlineData(3)]
    [InlineData(8)]
    public void The_first_membership_that_breaks_is_replaced(ulong seed)
    {
        var plan = SimulationPlan.Of(seed, new SimulationChoice { Faults = [], Workers = 3, Steps = 12 });
        var over = new List<string>();
        var plants = new Plants
        {
            Journal = (journal, _) => new BreakingJournal(journal, "membership", "generation_opened", over),
        };
        var cluster = new SimulatedCluster(plan, plants);
        cluster.Run();

        Assert.Null(cluster.Violation);
        Assert.Contains(over, json => json.Contains("planted", StringComparison.Ordinal));
        Assert.Equal("finished", cluster.Coordinator!.Board.Read().Outcome);
        Assert.Equal(1, cluster.Coordinator.Token); // it led on
        Assert.Equal(Enumerable.Range(1, plan.Steps).Select(i => (long)i), cluster.Rows());
    }

    /// <summary>A real job, beside which a bug tells membership of a job without terms.</summary>
    private sealed class JobThatBreaksItsMembership : ReceiveActor
    {
        public JobThatBreaksItsMembership(JobShell shell)
        {
            var job = Context.ActorOf(Props.Create(() => new JobActor(shell)), "real");
            ReceiveAny(m =>
            {
                job.Forward(m);
                if (m is MembershipIs its) its.Membership.Tell(new JobStarted(null!));
            });
        }
    }

    /// <summary>Breaks the first writer of one kind of event in one stream.</summary>
    private sealed class BreakingJournal(IJournal journal, string stream, string type, List<string> over) : IJournal
    {
        private bool _broke;

        public LeaseAnswer TryAcquire(string holder, TimeSpan life, Func<string, bool>? isGone = null) =>
            journal.TryAcquire(holder, life, isGone);

        public bool Renew(Lease lease, TimeSpan life) => journal.Renew(lease, life);

        public void Release(Lease lease) => journal.Release(lease);

        public AppendResult Append(Lease lease, string to, long afterSeq, IReadOnlyList<NewEvent> events)
        {
            if (!_broke && to == stream && events.Any(e => e.Type == type))
            {
                _broke = true;
                throw new InvalidOperationException("planted");
            }

            over.AddRange(events.Where(e => e.Type == "job_over").Select(e => e.Json));
            return journal.Append(lease, to, afterSeq, events);
        }

        public IReadOnlyList<JournalEvent> Read(string from, long afterSeq = 0) => journal.Read(from, afterSeq);

        public IReadOnlyList<string> Streams() => journal.Streams();

        public void Dispose() => journal.Dispose();
    }
}
