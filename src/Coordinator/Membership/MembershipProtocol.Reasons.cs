using Convoy.Shared.Protocol;

namespace Convoy.Coordinator.Membership;

// Why there is no progress, and why a worker is no member. Told when it changes; the shell repeats it (R23).
internal sealed partial class MembershipProtocol
{
    private List<WaitReason> _reasons = [];

    public IReadOnlyList<WaitReason> Reasons => _reasons;

    private void ReportReasons()
    {
        var reasons = CurrentReasons();
        var same = reasons.SequenceEqual(_reasons);
        _reasons = reasons; // with the figures of now
        if (same) return;
        _out.Raise(new ReasonsChanged(reasons));
    }

    private List<WaitReason> CurrentReasons()
    {
        var reasons = new List<WaitReason>();
        if (_job is null)
        {
            if (Status != MembershipStatus.Closed) reasons.Add(new WaitingForJob());
            return reasons;
        }

        switch (Status)
        {
            case MembershipStatus.Forming: AddForming(reasons); break;
            case MembershipStatus.Fencing when _now - _changeStartedAt >= _clocks.Beat:
                reasons.Add(new FencingWaits(NamesOf(s => s.Fenced is null)));
                break;
            case MembershipStatus.Opening when _now - _openedAt >= _clocks.Beat:
                reasons.Add(new AligningWaits(NamesOf(s => s.Aligned is null)));
                break;
            case MembershipStatus.Recovering:
                reasons.Add(new RecoveringWaits(Names(
                [.. _found!.Members.Where(id => !_members.Exists(s => s.Worker == id)).Select(id => _workers[id])])));
                break;
            case MembershipStatus.Paused when _pausedBy is WaitingForMinimum waits:
                reasons.Add(new WaitingForMinimum(_members.Count + Candidates().Count, waits.Need));
                break;
            case MembershipStatus.Paused when _pausedBy is not null: reasons.Add(_pausedBy); break;
            default: break;
        }

        if (Status != MembershipStatus.Closed) AddOutsiders(reasons);
        return reasons;
    }

    private void AddForming(List<WaitReason> reasons)
    {
        var ready = Candidates().Count;
        if (ready < Math.Max(1, Job.MembersMin)) reasons.Add(new WaitingForMinimum(ready, Math.Max(1, Job.MembersMin)));
        if (ready < Job.MembersExpected) reasons.Add(new WaitingForWorkers(ready, Job.MembersExpected));
        var preparing = _workers.All.Where(w => w.Connected && !w.Prepared && !w.Draining).ToList();
        if (preparing.Count > 0) reasons.Add(new WaitingForPrepare(Names(preparing)));
    }

    private void AddOutsiders(List<WaitReason> reasons)
    {
        if (!_mayHaveOutsiders) return;
        foreach (var worker in _workers.All)
            if (worker.Connected && worker.QuarantinedUntil > _now)
                reasons.Add(new Quarantined(worker.Name, worker.Losses, _clocks.Quarantine));
        if (Status != MembershipStatus.Stable) return;
        var spare = Candidates();
        if (spare.Count > 0 && _members.Count >= Cap()) reasons.Add(new Spare(Names(spare), Cap()));
        else if (spare.Count > 0 && _stop is null && TooSoon())
            reasons.Add(new Debouncing($"{Names(spare)} to join", _clocks.VoluntarySpacing));
        foreach (var worker in spare)
            if (worker.Learning is { Phase: LearnerPhase.Loading or LearnerPhase.Replaying } r)
                reasons.Add(new WaitingForLearner(
                    worker.Name, r.Phase == LearnerPhase.Loading, r.Lag, r.BytesLeft, r.EtaMs));
    }

    private string NamesOf(Func<MemberSeat, bool> where) =>
        Names(_members.Where(where).Select(s => s.Record).ToList());
}
