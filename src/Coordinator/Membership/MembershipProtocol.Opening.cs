using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;
using Convoy.Coordinator.Planning;

namespace Convoy.Coordinator.Membership;

// From the decision until every member has reached the start state.
internal sealed partial class MembershipProtocol
{
    /// <summary>
    /// Openings in a row that may fail without a loss before the job is given up (1.1: bounded repetition).
    /// </summary>
    private const int FailedOpeningsMax = 4;

    /// <summary>A member that failed to align this many times in a row is let go; a joiner after the first.</summary>
    private const int AlignFailuresMax = 2;

    private readonly List<WorkerId> _joining = [];
    private StepNumber _start;
    private StepNumber _newest;
    private StepNumber _until;
    private Fingerprint _startFingerprint;
    private bool _saveOnly;
    private bool _voluntary;
    private Instant _alignDeadline;
    private Instant _openedAt;
    private int _failedOpenings;
    private string _firstAlignFailure = "";

    private void OpenGeneration(MemberPlan plan, AlignDecision decision)
    {
        SeatMembers(plan);
        var deal = DealSlices.To([.. _members.Select(m => m.Worker)], Job.Slices);
        Invariant.Check(deal.Possible, $"M4 {deal.Reason}");
        Invariant.Check(decision.Actions.Count == _members.Count, "M4 every member has its action");
        Shares = deal.Shares!;
        for (var i = 0; i < _members.Count; i++)
            (_members[i].Share, _members[i].Source) = (Shares.ShareOf(i).ToString(), decision.Actions[i].Source);
        (_start, _startFingerprint, _saveOnly) = (decision.Start, decision.StartFingerprint, plan.SaveOnly);
        _until = plan.SaveOnly ? _start : Max(Job.Until, _start);
        Generation = _highest;
        _newest = _start;

        _out.Note($"T={_start} {decision.Reason}; {deal.Reason}");
        _out.Persist(new GenerationOpened(
            Generation, Job.JobId, Shares.Members, Shares.Cuts, _start, _until, decision.Reason));
        SendOpen(decision);
        foreach (var worker in plan.Leave.Select(s => s.Record))
            Release(worker, ExitCode.Drained, "drained", stay: _othersWait && !worker.Draining);

        var joinersOnly = plan.Stay.Count >= Math.Max(1, Job.MembersMin);
        var moves = decision.Actions.Any(a => a.Action is AlignAction.LoadCheckpoint or AlignAction.Initialize
            || (a.Action == AlignAction.LoadSnapshot && !(joinersOnly && _joining.Contains(a.Worker))));
        _openedAt = _now;
        var late = _casts.TimeOf(_members.Count, _clocks) + _clocks.Stall;
        var stall = _clocks.JoinStall > _clocks.Align && _joining.Count > 0 ? _clocks.JoinStall : _clocks.Align;
        _alignDeadline = _now + (moves ? _clocks.AlignWithState : stall) + late;
        Become(MembershipStatus.Opening);
        _out.Raise(new GenerationBegan(Generation, Shares, _start, _until, _voluntary));
    }

    private AlignDecision DecideStart(MemberPlan plan) => DecideAlignment.Of(
        [.. plan.Stay.Select(s => s.Fenced!)], ReportsOfJoiners(plan), Job.Origin, Job.Commit);

    /// <summary>What a worker brings along is the whole state: of a part of it nobody knows which part.</summary>
    private StateReport[] ReportsOfJoiners(MemberPlan plan)
    {
        var cells = plan.CellsOfJoiners(Job.Commit.Cells);
        return [.. plan.Join.Select((w, i) =>
            Job.Commit.Cells == 1 ? ReportOf(w) : StateReport.Nothing(w.Id) with { Cell = cells[i] })];
    }

    private static StepNumber Max(StepNumber a, StepNumber b) => a > b ? a : b;

    private void SeatMembers(MemberPlan plan)
    {
        UnseatAll();
        _members.AddRange(plan.Stay);
        _joining.Clear();
        var cells = plan.CellsOfJoiners(Job.Commit.Cells);
        for (var i = 0; i < plan.Join.Count; i++)
        {
            _members.Add(new MemberSeat(plan.Join[i], cells[i])
            { Follows = ReportOf(plan.Join[i]).Follows });
            _joining.Add(plan.Join[i].Id);
            // Once is enough: members do not stand a second time for a process that could not copy in time.
            if (plan.Join[i].CopiesAtFence) plan.Join[i].CopyRefused = plan.Join[i].Incarnation;
            plan.Join[i].ForgetLearning();
        }

        _members.Sort((a, b) => a.Worker.CompareTo(b.Worker));
        foreach (var seat in _members) (seat.Fenced, seat.Aligned, seat.Record.Seat) = (null, null, seat);
    }

    private void SendOpen(AlignDecision decision)
    {
        var open = new Open
        {
            LeaderToken = _token.Value, Generation = Generation.Value, JobId = Job.JobId, StartStep = _start.Value,
            UntilStep = _until.Value, CheckpointPath = Job.Origin.CheckpointPath,
            StartFingerprint = _startFingerprint.Value, Commit = Job.Commit.Rule,
            // Votes travel as casts do: each to each, or through a tree when the members are many.
            VoteFanOut = _casts.IsTree(_members.Count) ? _casts.FanOut : 0,
        };
        foreach (var learner in Learners()) open.Learners.Add(SeatText(learner));
        open.Cuts.AddRange(Shares!.Cuts);
        foreach (var action in decision.Actions)
        {
            var member = SeatText(_workers[action.Worker]);
            (member.Action, member.Source) = (action.Action, action.Source.Value);
            open.Members.Add(member);
        }

        _knowsNoTree = false;
        Tell(_members, open);
        foreach (var learner in Learners()) SendLearn(learner);
    }

    private static Member SeatText(WorkerRecord worker) => new()
    {
        WorkerId = worker.Id.Value, Incarnation = worker.Incarnation.Value, PeerAddress = worker.PeerAddress,
    };

    /// <summary>It leaves by our wish or its own: its end is no failure from now on (G4).</summary>
    private void Release(WorkerRecord worker, ExitCode code, string reason, bool stay = false)
    {
        (worker.Farewell, worker.Draining, worker.Prepared) = (true, true, false);
        _out.Send(worker, new Release
        { LeaderToken = _token.Value, ExitCode = (int)code, Reason = reason, Stay = stay });
    }

    private void OnAligned(WorkerRecord worker, Aligned m)
    {
        if (Status == MembershipStatus.Recovering && m.Generation == Generation.Value && SeatOf(worker) is { } found)
        {
            found.Aligned = new Fingerprint(m.Fingerprint);
            return;
        }

        if (IgnoreAligned(worker, m) is { } reason)
        {
            _out.Note($"ignored Aligned of {worker}: {reason}");
            return;
        }

        SeatOf(worker)!.Aligned = new Fingerprint(m.Fingerprint);
        if (!AllAnswered(static s => s.Aligned is not null)) return;
        if (Contradicting() is { } minority) OnContradiction(minority);
        else CompleteOpening();
    }

    private string? IgnoreAligned(WorkerRecord worker, Aligned m) =>
        Status != MembershipStatus.Opening ? $"nothing is opening (status {Status})"
        : m.Generation != Generation.Value ? $"for g{m.Generation}, {Generation} is opening"
        : SeatOf(worker) is null ? "no member"
        : m.Step != _start.Value ? $"at state {m.Step}, {Generation} starts from {_start}"
        : null;

    private void CompleteOpening()
    {
        (_failedOpenings, _firstAlignFailure) = (0, "");
        foreach (var seat in _members)
        {
            var worker = seat.Record;
            (worker.AlignFailures, worker.CopyRefused, worker.MayReturnUntil) = (0, default, default);
            // Its own state counts from now on; what it brought along is history.
            worker.Kept = StateReport.Nothing(worker.Id);
        }

        if (_startFingerprint == default) _startFingerprint = _members[0].Aligned!.Value;
        Become(MembershipStatus.Stable);
        _out.Note($"{Generation} trains from state {_start}: fence {Ms(_openedAt - _changeStartedAt)}, "
            + $"align {Ms(_now - _openedAt)}");
        _out.Raise(new GenerationIsStable(Generation, [.. _members.Select(m => m.Worker)]));
    }

    private static string Ms(TimeSpan time) => $"{time.TotalMilliseconds:0} ms";

    /// <summary>
    /// Members that aligned with other fingerprints than the known or the most frequent one (M6); null: none.
    /// </summary>
    private List<MemberSeat>? Contradicting()
    {
        var expected = _startFingerprint;
        if (expected == default)
        {
            expected = _members.GroupBy(m => m.Aligned!.Value).OrderByDescending(g => g.Count()).First().Key;
            var tied = _members.GroupBy(m => m.Aligned!.Value)
                .Count(g => g.Count() == _members.Count(m => m.Aligned == expected));
            if (tied > 1) return [.. _members];
        }

        var minority = _members.FindAll(m => m.Aligned != expected);
        return minority.Count == 0 ? null : minority;
    }

    private void OnContradiction(List<MemberSeat> minority)
    {
        if (minority.Count == _members.Count)
        {
            _out.Raise(
                new JobIsHopeless($"members reach state {_start} with different fingerprints: silent corruption"));
            _hopeless = true;
            BeginFencing(FenceKind.Hard, default, "fingerprints differ");
            return;
        }

        foreach (var seat in minority)
            LetGo(seat.Record, $"reached state {_start} with another fingerprint than the majority",
                mayRejoin: false);
    }

    private void OnAlignFailed(WorkerRecord worker, AlignFailed m)
    {
        if (Status != MembershipStatus.Opening || m.Generation != Generation.Value || SeatOf(worker) is null)
        {
            _out.Note($"ignored AlignFailed of {worker}: of g{m.Generation}, {Generation} is {Status}");
            return;
        }

        FailOpening($"{worker}: {m.Text}", [worker]);
    }

    private void OnAlignTimeout()
    {
        if (_now < _alignDeadline) return;
        var silent = _members.FindAll(m => m.Aligned is null);
        // Who takes its state from one that is silent itself waits for that one, and is not to blame.
        var guilty = silent.FindAll(m => !silent.Exists(s => s.Worker == m.Source)).ConvertAll(m => m.Record);
        FailOpening($"{Names(guilty)} did not reach state {_start} within {Ms(_now - _openedAt)}", guilty);
    }

    /// <summary>Row 9. A joiner that fails is let go at once (J4); a member gets a second try over new links.</summary>
    private void FailOpening(string text, List<WorkerRecord> guilty)
    {
        _out.Note($"{Generation} does not open: {text}");
        if (_firstAlignFailure.Length == 0) _firstAlignFailure = text;
        if (++_failedOpenings >= FailedOpeningsMax && !_hopeless)
        {
            _hopeless = true;
            _out.Raise(
                new JobIsHopeless($"{_failedOpenings} generations in a row did not open; first: {_firstAlignFailure}"));
        }

        foreach (var worker in guilty)
        {
            worker.AlignFailures++;
            var joins = _joining.Contains(worker.Id) && _members.Count > _joining.Count;
            if (!joins && worker.AlignFailures < AlignFailuresMax) continue;
            Quarantine(worker);
            // What it lacked may have gone with a member between its report and Open: that is no failure of its own.
            LetGo(worker, text, mayRejoin: true, charged: !(joins && SeatOf(worker) is { Follows: true }));
        }

        if (Status == MembershipStatus.Opening) BeginFencing(FenceKind.Hard, default, text);
    }
}
