using Convoy.Actors.Remoting.Detection;
using Convoy.Shared;
using Convoy.Shared.Casting;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Tensors;
using Convoy.Shared.Time;

namespace Convoy.Coordinator.Membership;

// Decides who trains. Every change of the member list is one new generation: members are fenced, a start state is
// chosen out of what they report, the slices are dealt anew, and a record in the journal precedes the message that
// opens it. The coordinator is not on the path of a step: between two changes this class only listens to beats.
// The worker's half is docs/protocols/membership.md W1-W7; who does what in which order is on that page.
//
// M1  Generation numbers strictly increase in the journal, over all coordinators, and are never reused.
// M2  The (token, generation) that a worker is told never falls.
// M3  Inside one generation the members' steps differ by at most 1.
// M4  The cuts of a generation cover [0, S) exactly once; more members than slices are refused.
// M5  Open is sent only after its journal record is durable.
// M6  All members align with the same fingerprint; contradicting states are never mixed.
// M7  Voluntary changes come at most once per max(10 steps, spacing); losses wait for the coalesce time only.
// J1  A joiner has no voice in the choice of the start state.
// J4  Members wait for a joiner at most for the align deadline; then it is let go. A level learner needs no transfer.
// G4  A drained worker is a scale event, never a failure.
internal enum MembershipStatus
{
    Forming,    // no generation of this job was opened yet; waits for the job and enough workers
    Stable,     // members train; losses and wishes are collected
    Fencing,    // the next number is announced; waits for every survivor to say that it stopped, and where
    Opening,    // the generation is journaled and sent; waits for every member to reach the start state
    Paused,     // too few workers, or nothing may go on; survivors keep their state
    Recovering, // took over from a leader that is gone; waits for the members of the generation it left
    Closed,     // the job is over and everybody is released, or another coordinator leads
}

/// <summary>See the page docs/protocols/membership.md. Pure: no clock, no I/O, no thread (decision 3).</summary>
internal sealed partial class MembershipProtocol
{
    public static readonly (MembershipStatus From, MembershipStatus To, string On)[] Transitions =
    [
        (MembershipStatus.Forming, MembershipStatus.Opening, "enough workers are prepared"),
        (MembershipStatus.Forming, MembershipStatus.Closed, "JobEnded, or a newer token was seen"),
        (MembershipStatus.Stable, MembershipStatus.Fencing,
            "coalesce time after a loss (hard); join, drain, scale or stop (soft)"),
        (MembershipStatus.Stable, MembershipStatus.Closed, "JobEnded, or a newer token was seen"),
        (MembershipStatus.Fencing, MembershipStatus.Opening, "all survivors are fenced and enough remain"),
        (MembershipStatus.Fencing, MembershipStatus.Paused, "too few survivors, or their states contradict each other"),
        (MembershipStatus.Fencing, MembershipStatus.Closed, "JobEnded, or a newer token was seen"),
        (MembershipStatus.Opening, MembershipStatus.Stable, "Aligned from all members with the same fingerprint"),
        (MembershipStatus.Opening, MembershipStatus.Fencing, "loss, AlignFailed, or the align deadline"),
        (MembershipStatus.Opening, MembershipStatus.Closed, "JobEnded, or a newer token was seen"),
        (MembershipStatus.Paused, MembershipStatus.Fencing, "enough workers again, or stop"),
        (MembershipStatus.Paused, MembershipStatus.Closed, "JobEnded, or a newer token was seen"),
        (MembershipStatus.Recovering, MembershipStatus.Stable, "all members of the journal's generation train in it"),
        (MembershipStatus.Recovering, MembershipStatus.Fencing,
            "somebody is silent at T_recover, or reports differ, or a fence was pending"),
        (MembershipStatus.Recovering, MembershipStatus.Paused, "a worker knows a generation that the journal does not"),
        (MembershipStatus.Recovering, MembershipStatus.Closed, "JobEnded, or a newer token was seen"),
        (MembershipStatus.Closed, MembershipStatus.Forming, "JobStarted"),
    ];

    private readonly LeaderToken _token;
    private readonly WorkerRegistry _workers;
    private readonly CastShape _casts;
    private readonly Suspicions _suspicions = new();
    private readonly List<MemberSeat> _members = [];
    private ClockTable _clocks;
    private PhiAccrualOptions _detection;
    private JobTerms? _job;
    private Generation _highest;
    private Instant _now;
    private MembershipOutbox _out = new();

    /// <param name="token">Of this coordinator's lease.</param>
    /// <param name="history">What the journal knows.</param>
    /// <param name="clocks">Deadlines until a job brings its own.</param>
    /// <param name="casts">From how many members on a fence and an open go down a tree.</param>
    /// <param name="found">The job that a leader before this one left running; null: none, or this one begins
    /// anew.</param>
    public MembershipProtocol(LeaderToken token, MembershipHistory history, ClockTable clocks,
        CastShape? casts = null, FoundJob? found = null)
    {
        Invariant.Check(clocks.Check() is null, clocks.Check() ?? "");
        _casts = casts ?? CastShape.Default;
        (_token, _clocks, _highest) = (token, clocks, history.Highest);
        _detection = PhiAccrualOptions.From(clocks);
        _workers = new WorkerRegistry(history);
        if (found is not null) TakeOver(found, history);
    }

    /// <summary>Jobs that ended under an earlier leader: whoever still holds one is let go as it ended.</summary>
    public IEnumerable<KeyValuePair<string, JobEnded>> JobsOver
    {
        init
        {
            foreach (var (job, ended) in value) _over[job] = ended;
        }
    }

    public MembershipStatus Status { get; private set; } = MembershipStatus.Forming;

    /// <summary>The generation that is open, or was last.</summary>
    public Generation Generation { get; private set; }

    public ShareMap? Shares { get; private set; }

    public IReadOnlyList<WorkerRecord> Workers => _workers.All;

    /// <summary>The worker that this process is or was, lost or not; null: its Hello has not come.</summary>
    public WorkerRecord? WorkerOf(Incarnation incarnation) => _workers.OfIncarnation(incarnation);

    /// <summary>Members that are not lost, sorted by worker.</summary>
    public IReadOnlyList<MemberSeat> Members => _members;

    public void Step(MembershipInput input, Instant now, MembershipOutbox outbox)
    {
        (_now, _out, _mayHaveOutsiders) = (now, outbox, true);
        if (input is FromWorker said && !Hears(said)) return;
        switch (input)
        {
            case HelloReceived m: OnHello(m.Message); break;
            case FromWorker { Message: Beat m } w: OnBeat(_workers[w.Worker], m); break;
            case FromWorker { Message: Suspect m } w: OnSuspect(_workers[w.Worker], m); break;
            case FromWorker { Message: Fenced m } w: OnFenced(_workers[w.Worker], m); break;
            case FromWorker { Message: Aligned m } w: OnAligned(_workers[w.Worker], m); break;
            case FromWorker { Message: AlignFailed m } w: OnAlignFailed(_workers[w.Worker], m); break;
            case FromWorker { Message: Drain m } w: OnDrain(_workers[w.Worker], m); break;
            case FromWorker { Message: LearnerReport m } w: OnLearnerReport(_workers[w.Worker], m); break;
            case FromWorker { Message: Stale m } w: OnStale(_workers[w.Worker], m); break;
            case FromWorker { Message: WorkerFailed m } w: OnWorkerFailed(_workers[w.Worker], m); break;
            case LinkLost m: OnLinkLost(m); break;
            case LinkRestored m: OnLinkRestored(m); break;
            case ProcessExited m: OnProcessExited(m); break;
            case WorkerPrepared m: OnWorkerPrepared(m); break;
            case WorkerUnfit m: OnWorkerUnfit(m); break;
            case WorkerHangs m: OnWorkerHangs(m); break;
            case JobAnnounced m: OnJobAnnounced(m.JobId); break;
            case JobStarted m: OnJobStarted(m.Terms); break;
            case CheckpointKnown m: OnCheckpointKnown(m.Origin); break;
            case OthersWait m: _othersWait = m.Wait; break;
            case GiveAway m: OnGiveAway(m); break;
            case ScaleTo m: OnScaleTo(m.Workers); break;
            case StopJob m: OnStopJob(m.Reason); break;
            case JobEnded m: OnJobEnded(m); break;
            default: throw Invariant.Unhandled(input);
        }

        // Reasons look at all workers: for the many beats, and of very many workers, the next tick is soon enough.
        if (input is not FromWorker { Message: Beat } && _workers.All.Count <= ReasonsAtOnceMax) ReportReasons();
    }

    /// <summary>Called at least every few tens of milliseconds; every deadline is looked at here.</summary>
    public void Tick(Instant now, MembershipOutbox outbox)
    {
        (_now, _out, _mayHaveOutsiders) = (now, outbox, true);
        ForgiveOwnPause();
        if (Status != MembershipStatus.Closed)
        {
            _mayHaveOutsiders = CheckPresence();
            CheckSuspicions();
        }

        CheckRivals();

        switch (Status)
        {
            case MembershipStatus.Forming: MaybeForm(); break;
            case MembershipStatus.Stable: MaybeTeach(); MaybeChange(); break;
            case MembershipStatus.Fencing: AskSilentBefore(_fenceDeadline); OnFenceTimeout(); break;
            case MembershipStatus.Opening: AskSilentBefore(_alignDeadline); OnAlignTimeout(); break;
            case MembershipStatus.Paused: MaybeResume(); break;
            case MembershipStatus.Recovering: MaybeRecover(); break;
            case MembershipStatus.Closed: break;
            default: throw Invariant.Unhandled(Status);
        }

        ReportReasons();
    }

    /// <summary>The same to all: each by itself, or through the tree when they are many.</summary>
    private void Tell(List<MemberSeat> seats, Google.Protobuf.IMessage message)
    {
        _castAsked = _knowsNoTree || !_casts.IsTree(seats.Count);
        if (_castAsked)
            foreach (var seat in seats) _out.Send(_workers[seat.Worker], message);
        else
            _out.Cast([.. seats.Select(s => s.Worker)], message);
    }

    private bool _castAsked;
    private bool _knowsNoTree; // the list of the found generation was its leader's; the next Open makes one

    /// <summary>
    /// Before a silent member is let go it is asked directly: its words may be lost with somebody between.
    /// </summary>
    private void AskSilentBefore(Instant deadline)
    {
        if (_castAsked || _now < deadline + -_clocks.Fence) return;
        _castAsked = true;
        _out.AskSilent();
    }

    private const int ReasonsAtOnceMax = 64;

    private void Become(MembershipStatus next)
    {
        Invariant.Check(TransitionTable.Allows(Transitions, Status, next), $"M2 no way from {Status} to {next}");
        _out.Note($"status {Status} > {next}");
        Status = next;
    }

    private JobTerms Job => _job ?? throw new InvariantException("M4 a generation belongs to a job");

    public MemberSeat? SeatOf(WorkerRecord worker) =>
        worker.Seat is { } seat && seat.Incarnation == worker.Incarnation ? seat : null;

    // Members come and go by these, and their workers know of it: thousands are asked for their seats in each tick.

    private void Seat(MemberSeat seat, int at)
    {
        _members.Insert(at, seat);
        (seat.Record.Seat, _answered) = (seat, 0);
    }

    private void Unseat(MemberSeat seat)
    {
        if (_members.Remove(seat)) (seat.Record.Seat, _answered) = (null, 0);
    }

    private void UnseatAll()
    {
        foreach (var seat in _members) seat.Record.Seat = null;
        _members.Clear();
        _answered = 0;
    }

    /// <summary>
    /// Thousands answer one after the other, mostly in the order of the members: those at the front that have answered
    /// are not looked at again.
    /// </summary>
    private bool AllAnswered(Func<MemberSeat, bool> hasAnswered)
    {
        while (_answered < _members.Count && hasAnswered(_members[_answered])) _answered++;
        return _answered == _members.Count;
    }

    private int _answered;

    private bool IsMember(WorkerRecord worker) => SeatOf(worker) is not null;

    private const int NamesMax = 8;

    /// <summary>A line stays a line, however many there are.</summary>
    private static string Names(IReadOnlyCollection<WorkerRecord> workers)
    {
        var names = string.Join(", ", workers.Take(NamesMax).Select(w => w.Name));
        return workers.Count <= NamesMax ? names : $"{names} and {workers.Count - NamesMax} more";
    }
}

/// <summary>
/// One place of a generation. A restarted process does not inherit it: the incarnation is part of it.
/// </summary>
internal sealed class MemberSeat(WorkerRecord record, int cell)
{
    public WorkerRecord Record { get; } = record;
    public WorkerId Worker => Record.Id;
    public Incarnation Incarnation { get; } = record.Incarnation;

    /// <summary>Part of the state that it holds.</summary>
    public int Cell { get; } = cell;

    /// <summary>Its slices, as status shows them.</summary>
    public string Share { get; set; } = "";

    /// <summary>It joins level, by Replay: no state is sent to it.</summary>
    public bool Follows { get; init; }

    /// <summary>Whose state or chunks it was told to take; default: nobody's.</summary>
    public WorkerId Source { get; set; }

    /// <summary>Its answer to the fence that is under way.</summary>
    public StateReport? Fenced { get; set; }

    /// <summary>Fingerprint with which it reached the start state.</summary>
    public Fingerprint? Aligned { get; set; }

    /// <summary>Lost, but the generation change waits for others that may fall with it.</summary>
    public bool Lost { get; set; }
}
