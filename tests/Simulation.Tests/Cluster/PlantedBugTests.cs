using System.Buffers.Binary;
using System.Text.RegularExpressions;
using Convoy.Cli.Simulation;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Storage;
using Google.Protobuf;

namespace Convoy.Simulation.Tests.Cluster;

/// <summary>
/// Each checker finds a planted bug of its kind within 500 seeds. The bugs are put around the system's parts:
/// a message that lies, a disk that forgets, a model that errs.
/// </summary>
public sealed partial class PlantedBugTests
{
    private const ulong SeedsMax = 500;

    private static SimulationResult Find(string checker, Plants plants, params FaultKind[] faults)
    {
        var choice = new SimulationChoice { Faults = faults.Length > 0 ? faults : null };
        for (ulong seed = 1; seed <= SeedsMax; seed++)
        {
            var result = SimulationRun.Run(seed, choice, plants);
            if (result.Violation is not { } found) continue;
            Assert.Equal(checker, found.Checker);
            return result;
        }

        Assert.Fail($"no seed up to {SeedsMax} shows the bug that the checker '{checker}' is for");
        return null!;
    }

    [Fact]
    public void A_sample_that_is_taken_twice() => Find("samples", new Plants
    {
        Model = static (model, _, _) => new ErringModel(model)
        { Samples = static s => s.Length > 1 ? [s[1], .. s[1..]] : s },
    });

    [Fact]
    public void A_committed_step_that_is_forgotten() => Find("commit", new Plants
    {
        Tamper = static (_, _, message) =>
        {
            if (message is Fenced { Step: > 1 } fenced) fenced.Step--;
            return message;
        },
    }, FaultKind.Kill);

    // One member is told that it need not wait for the others.
    [Fact]
    public void S3_a_step_that_is_applied_before_all_have_voted() => Find("votes", new Plants
    {
        Tamper = static (_, to, message) =>
        {
            if (message is Open open && to == "w2") open.Commit = CommitRule.Local;
            return message;
        },
    }, FaultKind.Slow);

    [Fact]
    public void One_bit_of_one_replica() => Find("replicas", new Plants
    {
        Model = static (model, host, _) => new ErringModel(model) { Flips = host == "w2" ? 4 : -1 },
    });

    [Fact]
    public void A_generation_that_is_used_again() => Find("generations", new Plants
    {
        Journal = static (journal, _) => new ForgetfulJournal(journal),
        Tamper = static (_, _, message) =>
        {
            if (message is Hello hello) hello.GenerationSeen = 0;
            return message;
        },
    }, FaultKind.LeaderKill);

    [Fact]
    public void Two_leaders() =>
        Find("leader", new Plants { Store = static journal => new LenientJournal(journal) }, FaultKind.Usurp);

    [Fact]
    public void A_disk_that_does_not_flush() => Find(
        "checkpoints", new Plants { Disk = static disk => new UnflushedDisk(disk) }, FaultKind.DiskCrash);

    [Fact]
    public void A_word_that_never_arrives() => Find("progress", new Plants
    {
        Tamper = static (_, _, message) => message is ReachedEnd ? null : message,
    }, FaultKind.Kill);

    [Fact]
    public void A_queue_without_a_bound() => Find("queues", new Plants
    {
        Model = static (model, _, cluster) => new ErringModel(model)
        {
            AfterStep = _ =>
            {
                for (var i = 0; i < 5_000; i++) cluster.World.After(null, TimeSpan.FromDays(1), static () => { });
            },
        },
    }, FaultKind.Scale);

    // Workers whose wait for room ends at once: each save that is due is made, however far behind the disk is.
    [Fact]
    public void CP5_saves_that_pile_up() => Find("saves", new Plants
    {
        Clocks = static clocks => clocks with { SaveRoom = TimeSpan.Zero },
    }, FaultKind.DiskSlow);

    [Fact]
    public void A_wait_without_a_deadline() => Find("waits", new Plants
    {
        Journal = static (journal, cluster) => new WatchfulJournal(journal, type =>
        {
            if (type == "fencing_started") cluster.Coordinator!.Process.Time.TimersAreDead = true;
        }),
        Tamper = static (from, _, message) => message is Fenced or CastAnswers && from == "w1" ? null : message,
    }, FaultKind.Drain, FaultKind.Cut);

    // One member takes a learner's word for its end, and its deadline for pieces never comes.
    [Fact]
    public void A_learner_that_waits_for_a_piece_without_a_deadline()
    {
        var follows = new SortedSet<string>(StringComparer.Ordinal);
        Find("waits", new Plants
        {
            Begin = _ => follows.Clear(),
            Clocks = static clocks => clocks with { LearnerPiece = TimeSpan.FromDays(1) },
            Tamper = (from, _, message) => Deserted(from, message, follows),
        }, FaultKind.Kill);
    }

    private static IMessage? Deserted(string from, IMessage message, SortedSet<string> follows)
    {
        if (message is LearnerReport { Phase: LearnerPhase.Replaying }) follows.Add(from);
        return message is ChunkHeard && follows.Remove(from) ? new FeedEnds { Reason = "planted" } : message;
    }

    // The same member, with the deadline: whoever learns copies anew, and every run ends well. Few runs need it.
    [Fact]
    public void A_learner_that_is_deserted_ends_its_wait_by_itself()
    {
        var (follows, lines, late, anew) = (new SortedSet<string>(StringComparer.Ordinal), 0, 0, 0);
        var plants = new Plants
        {
            Begin = _ => follows.Clear(), Tamper = (from, _, message) => Deserted(from, message, follows),
        };
        for (ulong seed = 1; seed <= 25 || (late == 0 && seed <= SeedsMax); seed++)
        {
            var result = SimulationRun.Run(seed, new SimulationChoice { Faults = [FaultKind.Kill] }, plants, line =>
            {
                lines++;
                if (!line.Contains("no piece of step", StringComparison.Ordinal)) return;
                if (line.Contains("asked for again", StringComparison.Ordinal)) late++;
                if (line.Contains("begins anew", StringComparison.Ordinal)) anew++;
            });
            Assert.True(!result.Failed, $"seed {seed}: {result.Violation}");
        }

        Assert.True(late > 0, $"no deadline came in {lines} lines");
        Assert.True(anew <= late, $"{anew} loads began anew, {late} steps were asked for before");
    }

    [Fact]
    public void A_death_that_is_blamed_on_another() => Find("blame", new Plants
    {
        Journal = static (journal, _) => new WatchfulJournal(journal, static _ => { })
        {
            Rewrite = static json => Lost()
                .Replace(json, static m => $"\"lost\":[{(m.Groups[1].Value == "1" ? 2 : 1)}]"),
        },
    }, FaultKind.Kill);

    // A subtree is lost: who should tell it does not, and says that all of it answered.
    [Fact]
    public void A_member_that_a_cast_never_reached()
    {
        var (fanOut, members) = (0, 0);
        Find("casts", new Plants
        {
            Begin = _ => (fanOut, members) = (0, 0),
            Tamper = (from, to, message) =>
            {
                if (message is RosterContent list) members = BinaryPrimitives.ReadInt32LittleEndian(list.Content.Span);
                if (message is Cast cast) fanOut = cast.FanOut;
                if (message is Cast && from != SimulatedCluster.CoordinatorHost) return null;
                if (message is CastAnswers { Answers: [{ } first, ..] } && to == SimulatedCluster.CoordinatorHost)
                {
                    var child = fanOut * (first.Positions.Min() + 1);
                    if (child < members && !first.Positions.Contains(child)) first.Positions.Add(child);
                }

                return message;
            },
        }, FaultKind.Slow);
    }

    [Fact]
    public void A_cast_that_is_told_twice_under_two_numbers() => Find("casts", new Plants
    {
        Tamper = static (from, _, message) =>
        {
            if (message is Cast cast && from != SimulatedCluster.CoordinatorHost) cast.CastId++;
            return message;
        },
    }, FaultKind.Slow);

    [Fact]
    public void A_list_of_members_that_is_older_than_the_cast()
    {
        var lists = new List<ByteString>();
        Find("casts", new Plants
        {
            Begin = _ => lists.Clear(),
            Tamper = (from, _, message) =>
            {
                if (message is not Cast cast) return message;
                if (!lists.Contains(cast.RosterSha256)) lists.Add(cast.RosterSha256);
                if (from != SimulatedCluster.CoordinatorHost) cast.RosterSha256 = lists[0];
                return message;
            },
        }, FaultKind.Kill);
    }

    [Fact]
    public void A_worker_that_breaks_by_itself() => Find("failures", new Plants
    {
        Model = static (model, host, _) => new ErringModel(model)
        {
            AfterStep = step => { if (step == 3 && host == "w1") throw new InvalidOperationException("planted"); },
        },
    }, FaultKind.Scale);

    // R16: one member cuts a longer gradient. Nothing of its is added, and the job says who differs in what.
    [Fact]
    public void Members_that_mean_different_things_by_their_frames()
    {
        var found = Find("failures", new Plants
        {
            Model = static (model, host, cluster) => host != "w2" ? model
                : new SimulatedModel(host, 0, model.Elements + 4096, ((SimulatedModel)model).Job),
        }, FaultKind.Slow);
        Assert.Matches(
            @"w\d+ and w\d+ do not exchange the same gradients in g\d+: shape \w+ against \w+ \(R16\)",
            found.Violation!.Text);
    }

    [Fact]
    public void A_failure_is_made_small()
    {
        var plants = new Plants
        { Model = static (model, host, _) => new ErringModel(model) { Flips = host == "w2" ? 4 : -1 } };
        var found = Find("replicas", plants);
        var small = new Reducer(plants).Reduce(found);
        Assert.Equal("replicas", small.Violation!.Checker);
        Assert.Empty(small.Choice.Keep!);
        Assert.Equal(2, small.Choice.Workers);
        Assert.InRange(small.Choice.Steps!.Value, 5, 8);
        Assert.Contains("--keep none", Reducer.CommandOf(small), StringComparison.Ordinal);
    }

    [GeneratedRegex("\"lost\":\\[(\\d+)\\]")]
    private static partial Regex Lost();

    /// <summary>After a restart it does not know the newest numbers any more.</summary>
    private sealed partial class ForgetfulJournal(IJournal journal) : IJournal
    {
        public LeaseAnswer TryAcquire(string holder, TimeSpan life, Func<string, bool>? isGone = null) =>
            journal.TryAcquire(holder, life, isGone);

        public bool Renew(Lease lease, TimeSpan life) => journal.Renew(lease, life);

        public void Release(Lease lease) => journal.Release(lease);

        public AppendResult Append(Lease lease, string stream, long afterSeq, IReadOnlyList<NewEvent> events) =>
            journal.Append(lease, stream, afterSeq, events);

        public IReadOnlyList<JournalEvent> Read(string stream, long afterSeq = 0) =>
            [.. journal.Read(stream, afterSeq)
                .Select(e => e with { Json = Number().Replace(e.Json, "\"generation\":0") })];

        public IReadOnlyList<string> Streams() => journal.Streams();

        public void Dispose() => journal.Dispose();

        [GeneratedRegex("\"generation\":\\d+")]
        private static partial Regex Number();
    }

    /// <summary>Takes what a leader without a lease appends.</summary>
    private sealed class LenientJournal(IJournal journal) : IJournal
    {
        private Lease? _newest;

        public LeaseAnswer TryAcquire(string holder, TimeSpan life, Func<string, bool>? isGone = null)
        {
            var answer = journal.TryAcquire(holder, life, isGone);
            _newest = answer.Lease ?? _newest;
            return answer;
        }

        public bool Renew(Lease lease, TimeSpan life) => true;

        public void Release(Lease lease) => journal.Release(lease);

        public AppendResult Append(Lease lease, string stream, long afterSeq, IReadOnlyList<NewEvent> events) =>
            journal.Append(_newest!, stream, journal.Read(stream).Count, events);

        public IReadOnlyList<JournalEvent> Read(string stream, long afterSeq = 0) => journal.Read(stream, afterSeq);

        public IReadOnlyList<string> Streams() => journal.Streams();

        public void Dispose() => journal.Dispose();
    }

    private sealed class WatchfulJournal(IJournal journal, Action<string> appended) : IJournal
    {
        public Func<string, string> Rewrite { get; init; } = static json => json;

        public LeaseAnswer TryAcquire(string holder, TimeSpan life, Func<string, bool>? isGone = null) =>
            journal.TryAcquire(holder, life, isGone);

        public bool Renew(Lease lease, TimeSpan life) => journal.Renew(lease, life);

        public void Release(Lease lease) => journal.Release(lease);

        public AppendResult Append(Lease lease, string stream, long afterSeq, IReadOnlyList<NewEvent> events)
        {
            var result = journal.Append(lease, stream, afterSeq,
                [.. events.Select(e => e with { Json = Rewrite(e.Json) })]);
            foreach (var e in events) appended(e.Type);
            return result;
        }

        public IReadOnlyList<JournalEvent> Read(string stream, long afterSeq = 0) => journal.Read(stream, afterSeq);

        public IReadOnlyList<string> Streams() => journal.Streams();

        public void Dispose() => journal.Dispose();
    }
}
