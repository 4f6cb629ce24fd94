using Convoy.Cli.Simulation;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Storage;

namespace Convoy.Simulation.Tests.Cluster;

// L2 to L7: each rule of leaders has a bug that a checker finds (L1 is Two_leaders).
public sealed partial class PlantedBugTests
{
    [Fact]
    public void L2_what_is_told_before_it_is_durable() => Find("generations", new Plants
    {
        Journal = static (journal, _) => new RetoldJournal(journal)
        { Keeps = static e => e.Type != "generation_opened" },
    }, FaultKind.Slow);

    [Fact]
    public void L3_a_word_of_an_older_leader_after_one_of_the_newest() => Find("leader", new Plants
    {
        Tamper = static (_, _, message) =>
        {
            if (message is Open { LeaderToken: > 1 } open) open.LeaderToken--;
            if (message is Fence { LeaderToken: > 1 } fence) fence.LeaderToken--;
            return message;
        },
    }, FaultKind.LeaderKill, FaultKind.Kill);

    [Fact]
    public void L3_a_worker_that_forgets_the_newest_leader() => Find("leader", new Plants
    {
        Tamper = static (_, _, message) =>
        {
            if (message is Beat { TokenSeen: > 1 } beat && beat.Step % 2 == 0) beat.TokenSeen--;
            return message;
        },
    }, FaultKind.LeaderKill);

    // A device that waits for a word of the leader.
    [Fact]
    public void L4_a_step_that_is_slower_without_a_leader() => Find("takeover", new Plants
    {
        Begin = static cluster => EachLook(cluster, () =>
        {
            var leads = cluster.Coordinator is { Process.IsGone: false };
            foreach (var worker in cluster.Workers) worker.Slowness = leads ? 1 : SimulatedCluster.SlowFactor;
        }),
    }, FaultKind.LeaderKill);

    // A member whose Hello is lost for good is let go, and that is no non-event.
    [Fact]
    public void L5_a_word_to_the_new_leader_that_never_arrives() => Find("takeover", new Plants
    {
        Tamper = static (from, to, message) =>
            message is Hello && from == "w2" && to == SimulatedCluster.StandbyHost ? null : message,
    }, FaultKind.LeaderKill);

    [Fact]
    public void L5_a_lease_that_outlives_its_time() => Find("takeover", new Plants
    {
        Journal = static (journal, cluster) => new LongLease(journal, cluster),
    }, FaultKind.LeaderKill);

    [Fact]
    public void L6_a_command_that_is_accepted_and_not_durable() => Find("commands", new Plants
    {
        Journal = static (journal, _) => new RetoldJournal(journal) { Keeps = static e => e.Type != "scale_asked" },
    }, FaultKind.Scale);

    // As by an append that is tried again although it went through.
    [Fact]
    public void L6_a_command_that_has_its_effect_twice() => Find("commands", new Plants
    {
        Journal = static (journal, _) => new RetoldJournal(journal) { Repeats = static e => e.Type == "scale_asked" },
    }, FaultKind.Scale);

    // The successor reads all but the newest generation.
    [Fact]
    public void L7_a_successor_that_knows_less_than_the_last_record() => Find("takeover", new Plants
    {
        Journal = static (journal, cluster) => new RetoldJournal(journal)
        { Shows = e => e.Type != "generation_opened" || !cluster.Plan.HasStandby },
    }, FaultKind.LeaderKill);

    private static void EachLook(SimulatedCluster cluster, Action look)
    {
        look();
        if (!cluster.IsJobOver) cluster.World.After(null, TimeSpan.FromMilliseconds(50), () => EachLook(cluster, look));
    }

    /// <summary>Keeps not all that it says it keeps, or some of it twice, or shows not all of it.</summary>
    private sealed class RetoldJournal(IJournal journal) : IJournal
    {
        public Func<NewEvent, bool> Keeps { get; init; } = static _ => true;

        public Func<NewEvent, bool> Repeats { get; init; } = static _ => false;

        public Func<JournalEvent, bool> Shows { get; init; } = static _ => true;

        public LeaseAnswer TryAcquire(string holder, TimeSpan life, Func<string, bool>? isGone = null) =>
            journal.TryAcquire(holder, life, isGone);

        public bool Renew(Lease lease, TimeSpan life) => journal.Renew(lease, life);

        public void Release(Lease lease) => journal.Release(lease);

        public AppendResult Append(Lease lease, string stream, long afterSeq, IReadOnlyList<NewEvent> events)
        {
            var kept = events.Where(Keeps).SelectMany(e => Repeats(e) ? [e, e] : new[] { e }).ToList();
            return kept.Count == 0 ? AppendResult.Appended
                : journal.Append(lease, stream, journal.Read(stream).Count, kept);
        }

        public IReadOnlyList<JournalEvent> Read(string stream, long afterSeq = 0) =>
            [.. journal.Read(stream, afterSeq).Where(Shows)];

        public IReadOnlyList<string> Streams() => journal.Streams();

        public void Dispose() => journal.Dispose();
    }

    /// <summary>Whoever stands by gets it long after it has expired.</summary>
    private sealed class LongLease(IJournal journal, SimulatedCluster cluster) : IJournal
    {
        private static readonly TimeSpan Late = TimeSpan.FromSeconds(6);
        private Shared.Time.Instant? _goneSince;

        public LeaseAnswer TryAcquire(string holder, TimeSpan life, Func<string, bool>? isGone = null)
        {
            if (cluster.Coordinator is { Process.IsGone: true }) _goneSince ??= cluster.World.Now;
            // Without a standby nobody waits for a lease: the folder's lock says that its holder is gone.
            if (!cluster.Plan.HasStandby || cluster.Coordinator is null
                || (_goneSince is { } since && cluster.World.Now - since >= Late))
            {
                _goneSince = null;
                return journal.TryAcquire(holder, life, isGone);
            }

            return new LeaseAnswer(null, "", TimeSpan.Zero);
        }

        public bool Renew(Lease lease, TimeSpan life) => journal.Renew(lease, life);

        public void Release(Lease lease) => journal.Release(lease);

        public AppendResult Append(Lease lease, string stream, long afterSeq, IReadOnlyList<NewEvent> events) =>
            journal.Append(lease, stream, afterSeq, events);

        public IReadOnlyList<JournalEvent> Read(string stream, long afterSeq = 0) => journal.Read(stream, afterSeq);

        public IReadOnlyList<string> Streams() => journal.Streams();

        public void Dispose() => journal.Dispose();
    }
}
