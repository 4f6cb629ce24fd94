using Convoy.Actors.Remoting.Detection;
using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;

namespace Convoy.Coordinator.Membership;

// What people and jobs wish: start, join, drain, scale, stop; and when a wish becomes a generation change.
internal sealed partial class MembershipProtocol
{
    /// <summary>M7: at least this many steps between two voluntary changes.</summary>
    private const int VoluntarySpacingSteps = 10;

    private const string StopWish = "stop: save and end";

    private bool _othersWait;
    private int _wanted;
    private int _scale;
    private string? _stop;
    private bool _stopOpened;
    private string _announced = ""; // job that was submitted, before it has terms
    private bool _nothingToSaveTold;
    private bool _hopeless;
    private JobEnded? _last; // the end of the only job of this coordinator
    private WaitReason? _pausedBy;
    private Instant? _wishSince;
    private Instant? _formSince;
    private (Instant At, StepNumber Step)? _lastVoluntary;

    /// <summary>
    /// Orphans of another job cannot even prepare this one: were they kept until it has terms, nobody might ever be
    /// ready.
    /// </summary>
    private void OnJobAnnounced(string jobId)
    {
        _announced = jobId;
        ReleaseOrphans();
    }

    private void OnJobStarted(JobTerms terms)
    {
        Invariant.Check(Status is MembershipStatus.Forming or MembershipStatus.Closed && _job is null,
            "M4 one job at a time");
        Invariant.Check(terms.Clocks.Check() is null, terms.Clocks.Check() ?? "");
        (_job, _clocks, _wanted, _scale) = (terms, terms.Clocks, terms.MembersExpected, 0);
        _detection = PhiAccrualOptions.From(_clocks);
        foreach (var worker in _workers.All.Where(w => w.Connected)) worker.DetectWith(_detection, _now);
        _last = null;
        (_stop, _stopOpened, _nothingToSaveTold, _hopeless, _pausedBy) = (null, false, false, false, null);
        (_wishSince, _formSince, _lastVoluntary, _coalesceAt) = (null, null, null, null);
        _failedOpenings = 0;
        ForgetLosses(); // whom the job before lost, no fence of this one names (J6)
        UnseatAll();
        Shares = null;
        if (Status == MembershipStatus.Closed) Become(MembershipStatus.Forming);
        ReleaseOrphans();
        if (_wanted > 0) _out.Raise(new WorkersAreWanted(_wanted));
    }

    /// <summary>They came before the job did, which has to forget them.</summary>
    private void ReleaseOrphans()
    {
        foreach (var worker in _workers.All)
        {
            if (!worker.Farewell && ReleaseOrphan(worker))
                _out.Raise(new WorkerLost(worker.Id, worker.Name, "it holds another job", WasMember: false,
                    Charged: false));
        }
    }

    /// <summary>
    /// A process holds one job in its life. One that a dead coordinator left behind cannot take this one.
    /// </summary>
    private bool ReleaseOrphan(WorkerRecord worker)
    {
        var jobId = _job?.JobId ?? _announced;
        if (jobId.Length == 0 || !worker.Connected || worker.HeldJob.Length == 0 || worker.HeldJob == jobId)
            return false;
        _out.Note($"{worker} still holds job {worker.HeldJob} of an earlier coordinator: it must start anew");
        Release(worker, ExitCode.Cluster, $"it holds job {worker.HeldJob}, this is {jobId}: start it anew");
        return true;
    }

    private void OnJobEnded(JobEnded m)
    {
        if (Status != MembershipStatus.Closed) Become(MembershipStatus.Closed);
        foreach (var worker in _workers.All)
        {
            if (worker.Connected)
                Release(worker, (ExitCode)m.ExitCode, m.Reason, stay: _othersWait && !worker.Draining);
        }

        UnseatAll();
        Shares = null;
        (_job, _announced) = (null, "");
        if (m.NoMore) _last = m;
    }

    private void OnWorkerPrepared(WorkerPrepared m)
    {
        if (_workers.Find(m.Worker) is not { Connected: true } worker || worker.Incarnation != m.Incarnation) return;
        worker.Prepared = true;
    }

    private void OnWorkerUnfit(WorkerUnfit m)
    {
        if (_workers.Find(m.Worker) is not { Connected: true } worker || worker.Incarnation != m.Incarnation) return;
        _out.Note($"{worker} cannot take part: {m.Reason}");
        Release(worker, (ExitCode)m.ExitCode, m.Reason);
    }

    private void OnCheckpointKnown(StateOrigin origin)
    {
        if (_job is null) return;
        _job = _job with { Origin = origin };
        if (!_saveOnly || _stop is not null || Status != MembershipStatus.Stable || origin.Step != _start) return;
        foreach (var seat in _members.Where(s => s.Record.Draining).ToList())
        {
            Unseat(seat);
            Release(seat.Record, ExitCode.DrainedByCheckpoint,
                $"drained by the checkpoint of step {origin.Step}");
        }

        BeginFencing(FenceKind.Soft, _start, "drained by checkpoint");
    }

    private void OnGiveAway(GiveAway m)
    {
        if (_workers.Find(m.Incarnation) is not { } worker || worker.Farewell) return;
        if (IsMember(worker)) { _out.Note($"{worker} is a member and stays"); return; }
        _out.Note($"{worker} goes to another job: {m.Reason}");
        Release(worker, ExitCode.Finished, m.Reason, stay: true);
    }

    private void OnScaleTo(int workers)
    {
        (_scale, _wanted) = (workers, workers);
        _out.Raise(new WorkersAreWanted(workers));
    }

    private void OnStopJob(string reason)
    {
        if (_job is null || _stop is not null) return;
        _stop = reason;
        if (Status != MembershipStatus.Forming) return;
        _nothingToSaveTold = true;
        _out.Raise(new NothingToSave(reason));
    }

    private void OnDrain(WorkerRecord worker, Drain m)
    {
        if (worker.Draining) return;
        (worker.Draining, worker.Farewell) = (true, true);
        if (_wanted > 0) _wanted--;
        _out.Note($"{worker} wants to leave within {m.GraceMs} ms");
        if (!IsMember(worker) || Status is MembershipStatus.Paused or MembershipStatus.Closed)
            Release(worker, ExitCode.Drained, "drained");
    }

    /// <summary>Most members that the job, its slices and the last scale command allow.</summary>
    private int Cap()
    {
        var cap = Math.Min(Job.MembersMax, Job.Slices);
        return _scale > 0 ? Math.Min(cap, _scale) : cap;
    }

    /// <summary>Prepared workers that are no members and may become ones, in the order of their ids.</summary>
    private List<WorkerRecord> Candidates()
    {
        var candidates = new List<WorkerRecord>();
        if (!_mayHaveOutsiders) return candidates;
        foreach (var worker in _workers.All)
            if (worker is { Connected: true, LinkUp: true, Prepared: true, Draining: false } && !IsMember(worker)
                && !IsLeftBehind(worker) && _now >= worker.QuarantinedUntil) candidates.Add(worker);
        return candidates;
    }

    private List<MemberSeat> Leavers()
    {
        var leavers = new List<MemberSeat>();
        var room = Cap();
        foreach (var seat in _members)
            if (seat.Record.Draining || --room < 0) leavers.Add(seat);   // the highest ids go
        return leavers;
    }

    /// <summary>A member of the open generation is known to have this state.</summary>
    private void Heard(WorkerRecord worker, long generation, long step)
    {
        if (generation >= Generation.Value && step > _newest.Value && IsMember(worker)) _newest = new StepNumber(step);
    }

    /// <summary>
    /// Row 1: with the expected workers at once; with fewer when nobody else is on the way, or after a while.
    /// </summary>
    private void MaybeForm()
    {
        if (_job is null || _stop is not null || _hopeless) return;
        var ready = Candidates();
        if (ready.Count < Math.Max(1, Job.MembersMin))
        {
            _formSince = null;
            return;
        }

        _formSince ??= _now;
        var expected = Math.Min(Job.MembersExpected, Cap());
        var preparing = _workers.All.Any(w => w.Connected && w.LinkUp && !w.Prepared && !w.Draining);
        var complete = expected > 0
            ? ready.Count >= expected
            : !preparing && _now - _formSince.Value >= _clocks.Debounce;
        if (!complete && _now - _formSince.Value < _clocks.Form) return;

        _highest = _highest.Next;
        (_changeStartedAt, _voluntary) = (_now, false);
        var plan = new MemberPlan([], [.. ready.Take(Cap())], []);
        var decision = DecideStart(plan);
        if (decision.Contradiction)
        {
            _hopeless = true;
            _out.Raise(new JobIsHopeless(decision.Reason));
            return;
        }

        OpenGeneration(plan, decision);
    }

    private void MaybeChange()
    {
        if (_coalesceAt is { } at)
        {
            if (_now >= at) BeginFencing(FenceKind.Hard, default, TakeLossTexts());
            return;
        }

        var (wish, urgent) = Wish();
        if (wish is null)
        {
            _wishSince = null;
            return;
        }

        _wishSince ??= _now;
        if (_now - _wishSince.Value < (urgent ? _clocks.Coalesce : _clocks.Debounce) || (!urgent && TooSoon())) return;
        _wishSince = null;
        _lastVoluntary = (_now, _newest);
        // Two steps ahead of what is known: the message arrives before the boundary, so nobody has to wait there.
        var stopAt = Min(new StepNumber(_newest.Value + 2), _until);
        BeginFencing(FenceKind.Soft, stopAt, wish);
    }

    private static StepNumber Min(StepNumber a, StepNumber b) => a < b ? a : b;

    /// <summary>M7. Goodbyes and the stop do not wait: their senders will not.</summary>
    private bool TooSoon() =>
        _lastVoluntary is { } last
        && (_now - last.At < _clocks.VoluntarySpacing || _newest.Value - last.Step.Value < VoluntarySpacingSteps);

    /// <summary>What would change the generation, in words; urgent: it does not wait for the spacing.</summary>
    private (string? Wish, bool Urgent) Wish()
    {
        if (_stop is not null) return _stopOpened ? (null, false) : (StopWish, true);
        var leavers = Leavers();
        // It waits for the checkpoint, unless heirs have come meanwhile.
        if (_saveOnly && _members.Count - leavers.Count + Candidates().Count < Math.Max(1, Job.MembersMin))
            return (null, false);
        var drain = leavers.FindAll(s => s.Record.Draining);
        if (drain.Count > 0) return ("drain " + string.Join(", ", drain.Select(s => s.Worker)), true);
        if (_newest >= _until) return (null, false);   // nothing is left to share
        if (leavers.Count > 0) return ($"scale down to {Cap()}", false);
        var join = Joinable().Take(Cap() - _members.Count).ToList();
        return join.Count > 0 ? ("join " + string.Join(", ", join.Select(w => w.Id)), false) : (null, false);
    }

    /// <summary>Row 11: enough workers again, or a stop that saves what the survivors have.</summary>
    private void MaybeResume()
    {
        if (_job is null || _hopeless) return;
        var candidates = Candidates();
        if (_stop is not null)
        {
            if (_members.Count > 0 || candidates.Exists(w => w.Kept.HasState))
                BeginFencing(FenceKind.Soft, default, StopWish);
            else if (!_nothingToSaveTold)
            {
                _nothingToSaveTold = true;
                _out.Raise(new NothingToSave(_stop));
            }

            return;
        }

        var stay = _members.Count(s => !s.Record.Draining);
        if (candidates.Count + stay < Math.Max(1, Job.MembersMin)
            || (_pausedBy is WaitingForState && WaitForState(_members, candidates) is not null))
        {
            _wishSince = null;
            return;
        }

        _wishSince ??= _now;
        if (_now - _wishSince.Value < _clocks.Debounce) return;
        _wishSince = null;
        BeginFencing(FenceKind.Soft, default, "enough workers again");
    }

    /// <summary>All survivors are fenced: who is in the next generation?</summary>
    private MemberPlan PlanMembers()
    {
        if (_hopeless) return MemberPlan.Paused(new Infeasible("the job cannot go on"));
        _voluntary = _fenceKind == FenceKind.Soft;
        if (_stop is not null) return PlanStop();

        var leave = Leavers();
        var leaving = leave.Select(s => s.Worker).ToHashSet(); // looked up only
        var stay = _members.FindAll(s => !leaving.Contains(s.Worker));
        var min = Math.Max(1, Job.MembersMin);
        // After a loss the survivors go on at once; joiners come by a change of their own, unless they are needed.
        var room = Math.Max(0, Cap() - stay.Count);
        if (!stay.Exists(s => s.Fenced!.HasState)) CallLearnersBack();
        List<WorkerRecord> join = stay.Count < min ? [.. Candidates().Take(room)]
            : _fenceKind == FenceKind.Soft ? [.. Joinable().Take(room)] : [];
        if (stay.Count + join.Count < min)
        {
            var infeasible = WaitForState(stay, join) ?? new WaitingForMinimum(stay.Count + join.Count, min);
            return leave.Exists(s => s.Fenced!.HasState) && !_saveOnly
                ? new MemberPlan([.. _members], [], []) { SaveOnly = true }
                : MemberPlan.Paused(infeasible);
        }

        if (WaitForState(stay, join) is { } wait) return MemberPlan.Paused(wait);
        // A leaver that alone holds the newest state stays once more: the next change finds its heirs level (G1).
        var newest = leave.Count == 0 ? -1 : leave.Max(s => s.Fenced!.Step.Value);
        if (leave.Count > 0 && newest >= 0 && !stay.Exists(s => s.Fenced!.Step.Value >= newest))
            return new MemberPlan([.. _members], [.. join.Take(Math.Max(0, Cap() - _members.Count))], []);
        return new MemberPlan(stay, join, leave);
    }

    /// <summary>
    /// Nobody here has state, but a worker that was let go alive, or has not heard yet that it was, may bring a newer
    /// one than the checkpoint: it gets a while to say Hello before steps are thrown away.
    /// </summary>
    private WaitReason? WaitForState(List<MemberSeat> stay, List<WorkerRecord> join)
    {
        var here = stay.Exists(s => s.Fenced is not { HasState: false }) || join.Exists(w => w.Kept.HasState);
        if (here || _newest <= Job.Origin.Step) return null;
        var awaited = _workers.All
            .Where(w => _now < w.MayReturnUntil && !(w.Connected && w.Prepared && !IsLeftBehind(w))).ToList();
        return awaited.Count == 0 ? null : new WaitingForState(Names(awaited), _newest.ToString());
    }

    private MemberPlan PlanStop()
    {
        var join = _members.Exists(s => s.Fenced!.HasState) ? [] : Candidates().FindAll(w => w.Kept.HasState);
        if (join.Count == 0 && !_members.Exists(s => s.Fenced!.HasState))
            return MemberPlan.Paused(new PausedBy("stop, and no worker has state to save"));
        _stopOpened = true;
        return new MemberPlan([.. _members], join, []) { SaveOnly = true };
    }
}
