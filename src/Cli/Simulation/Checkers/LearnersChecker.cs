using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Convoy.Actors.Simulation;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Google.Protobuf;

namespace Convoy.Cli.Simulation.Checkers;

/// <summary>What workers that came later did in a run.</summary>
/// <param name="Copies">States that donors lent; each was the reference's state of its step.</param>
/// <param name="Level">Processes that became level, with the members' H.</param>
/// <param name="Joined">Joins of a level one, without a transfer.</param>
/// <param name="AtFence">Copies of the state while the members stood.</param>
internal readonly record struct JoinCounts(int Copies, int Level, int Joined, int AtFence)
{
    public static JoinCounts operator +(JoinCounts a, JoinCounts b) =>
        new(a.Copies + b.Copies, a.Level + b.Level, a.Joined + b.Joined, a.AtFence + b.AtFence);
}

/// <summary>
/// J1 to J6 as they look from outside: a learner computes no slice, what it reports has the history of the members, a
/// copy that is lent is the reference's state of one boundary, members stand for a joiner no longer than the clock
/// table allows, a donor lends two states at most, and the end of a learner changes no generation.
/// </summary>
internal sealed class LearnersChecker : Checker
{
    private const int CopiesMax = 2;
    private static readonly TimeSpan Aftermath = TimeSpan.FromSeconds(10);
    private readonly SortedSet<string> _learners = new(StringComparer.Ordinal);
    private readonly SortedDictionary<long, ulong> _history = [];
    private readonly List<(string Donor, string Learner, long Step)> _leases = [];
    private TimeSpan _linksBreakUntil;
    private readonly SortedSet<ulong> _level = [];
    private readonly SortedSet<(long Generation, int Worker, bool Copies)> _joined = [];
    private int _copies;
    private int[] _members = [];
    private bool _joins;
    private bool _soft;
    private long _generation;
    private TimeSpan _openedAt;

    public JoinCounts Counts =>
        new(_copies, _level.Count, _joined.Count(j => !j.Copies), _joined.Count(j => j.Copies));

    public override void OnProcessStarted(string host, Incarnation incarnation) => _learners.Remove(host);

    public override void OnCame(string host, Incarnation incarnation) => _learners.Remove(host);

    public override void OnProcessEnded(string host, string why)
    {
        _learners.Remove(host);
        if (host == SimulatedCluster.CoordinatorHost) _generation = 0;
        else _leases.Clear(); // who lent to whom is counted anew: too few at worst
    }

    // A lease ends with its link, and no word says so: nothing is counted then.
    public override void OnFault(Fault fault, string what)
    {
        if (fault.Kind is not (FaultKind.Power or FaultKind.Stop or FaultKind.Cut or FaultKind.Block
            or FaultKind.OneWay or FaultKind.Isolate or FaultKind.Loss)) return;
        var until = Now + fault.Duration + Aftermath;
        if (until > _linksBreakUntil) _linksBreakUntil = until;
    }

    public override void OnRun(string host, long step, int firstSlice, IReadOnlyList<int> rows,
        IReadOnlyList<long> samples) =>
        Check(!_learners.Contains(host), $"J1 {host} is a learner and computes slices of step {step}");

    public override void OnDelivered(SimulatedRemoting from, SimulatedRemoting to, IMessage message)
    {
        var (sender, receiver) = (from.Process.Host, to.Process.Host);
        switch (message)
        {
            case Learn: _learners.Add(receiver); break;
            case Open m: OnOpened(receiver, m); break;
            case Cast { Open: { } m }: OnOpened(receiver, m); break;
            case Evict or Release: _leases.RemoveAll(l => l.Donor == receiver || l.Learner == receiver); break;
            case FeedAsk or SnapAsk or FeedEnds or SnapEnds: EndLease(receiver, sender); break;
            case StepDone m: _history[m.Step] = m.Fingerprint; break;
            case LearnerReport { Phase: not LearnerPhase.Broken } m: OnReport(from, m); break;
            case SnapOffer m: OnOffer(from, m); break;
            default: break;
        }
    }

    /// <summary>A donor counts from when it speaks: its words to several learners arrive in any order.</summary>
    public void OnSent(string from, string to, IMessage message)
    {
        if (message is SnapEnds or FeedEnds) EndLease(from, to);
        if (message is not SnapOffer offer || Now < _linksBreakUntil) return;
        EndLease(from, to);
        _leases.Add((from, to, offer.Step));
        var copies = _leases.Where(l => l.Donor == from).Select(l => l.Step).Distinct().Count();
        Check(copies <= CopiesMax, $"J5 {from} lends {copies} states at a time");
    }

    private void EndLease(string donor, string learner) =>
        _leases.RemoveAll(l => l.Donor == donor && l.Learner == learner);

    private void OnOpened(string host, Open m)
    {
        _learners.Remove(host);
        _leases.RemoveAll(l => l.Learner == host);
        foreach (var member in m.Members)
            if (member.Action is AlignAction.Replay or AlignAction.LoadSnapshot)
                _joined.Add((m.Generation, member.WorkerId, member.Action == AlignAction.LoadSnapshot));
    }

    private void OnReport(SimulatedRemoting from, LearnerReport m)
    {
        if (m.Phase == LearnerPhase.Level) _level.Add(from.Incarnation.Value);
        if (m.Step > 0 && _history.TryGetValue(m.Step, out var known))
            Check(known == m.Fingerprint,
                $"J2 {from.Process} learned H {m.Fingerprint:x16} at step {m.Step}, the members have {known:x16}");
    }

    private void OnOffer(SimulatedRemoting from, SnapOffer m)
    {
        if (Job.Replicas.WeightsOf(m.Step) is { } weights)
        {
            _copies++;
            using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
            hash.AppendData(MemoryMarshal.AsBytes<float>(weights));
            hash.AppendData(MemoryMarshal.AsBytes<float>(Job.Replicas.MomentumOf(m.Step)));
            Check(m.Digest.Span.SequenceEqual(hash.GetHashAndReset()),
                $"J3 the copy of step {m.Step} that {from.Process} lends is not the reference's state of that step");
        }
    }

    public override void OnAppended(long token, string type, JournalRecord record)
    {
        if (type == "fencing_started")
        {
            _soft = record.Text("kind").Equals("soft", StringComparison.OrdinalIgnoreCase);
            foreach (var lost in record.Numbers("lost"))
                Check(_members.Length == 0 || _members.Contains(lost),
                    $"J6 g{record.Number("generation")} begins because of w{lost}, which was no member");
        }

        // Nobody trains in a pause, nor before a job's first generation: who is in the one after it stands for nobody.
        if (type is "membership_paused" or "job_submitted") _members = [];
        if (type != "generation_opened") return;
        var members = record.Numbers("members");
        _joins = _soft && _members.Length > 0 && _members.All(members.Contains) && members.Length > _members.Length
            && _members.Length >= Job.Plan.Spec.Elastic.Min;
        (_members, _generation, _openedAt, _soft) = (members, record.Number("generation"), Now, false);
    }

    public override void OnLook()
    {
        if (!_joins || Job.Status is not { Membership: "opening" } status || status.Generation != _generation
            || Cluster.IsStopped(SimulatedCluster.CoordinatorHost)) return;
        // The longest cast, and a second in which the board is written and read.
        var bound = Cluster.Clocks.JoinStall + Cluster.Clocks.Align + TimeSpan.FromSeconds(1);
        var stood = Now - _openedAt;
        Check(stood <= bound, $"J4 members of g{_generation} stand {stood:g} for a joiner, at most {bound:g} are allowed");
    }
}
