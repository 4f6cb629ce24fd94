using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;

namespace Convoy.Coordinator.Membership;

// From a reason to change until every survivor has said where it stopped.
internal sealed partial class MembershipProtocol
{
    private readonly List<WorkerId> _lostIds = [];
    private FenceKind _fenceKind;
    private StepNumber _stopAt;
    private string _fenceReason = "";
    private Instant _fenceDeadline;
    private Instant _changeStartedAt;

    private void BeginFencing(FenceKind kind, StepNumber stopAt, string reason)
    {
        foreach (var seat in _members)
            if (seat.Lost) seat.Record.Seat = null;
        _members.RemoveAll(static s => s.Lost);
        _answered = 0;
        _highest = _highest.Next;
        (_fenceKind, _stopAt, _fenceReason, _changeStartedAt) = (kind, stopAt, reason, _now);
        _coalesceAt = null;
        _suspicions.Clear();
        foreach (var seat in _members) (seat.Fenced, seat.Aligned) = (null, null);
        _out.Persist(new FencingStarted(_highest, kind, [.. _lostIds], reason));
        ForgetLosses();
        Become(MembershipStatus.Fencing);
        _fenceDeadline = _now + FenceTime();
        SendFence();
        MaybeCompleteFencing();
    }

    private void SendFence()
    {
        Tell(_members.FindAll(s => s.Fenced is null), new Fence
        {
            LeaderToken = _token.Value, Generation = _highest.Value, Kind = _fenceKind, StopAt = _stopAt.Value,
            Reason = _fenceReason,
        });
    }

    /// <summary>
    /// A worker stops between two kernels, so the fence waits for twice the longest that was seen (4.7), and for a
    /// stall. How long it has been at what it does now says nothing: that may be the hang itself.
    /// </summary>
    private TimeSpan FenceTime()
    {
        var late = _casts.TimeOf(_members.Count, _clocks) + _clocks.Stall;
        if (_fenceKind == FenceKind.Soft) return _clocks.SoftFence + late;
        var time = _clocks.Fence;
        foreach (var seat in _members)
        {
            var beat = seat.Record.LastBeat;
            var kernel = TimeSpan.FromMilliseconds(2 * beat.KernelMsMax);
            // Nothing measured yet: the first step also pays for whatever is prepared lazily.
            if (beat.KernelMsMax == 0) kernel = _clocks.AlignWithState;
            if (kernel > time) time = kernel;
        }

        return time + late;
    }

    /// <summary>A soft fence waits for boundaries that a step without all its members never reaches (row 5).</summary>
    private void HardenFence()
    {
        if (_fenceKind == FenceKind.Hard) return;
        _fenceKind = FenceKind.Hard;
        _fenceDeadline = _now + FenceTime();
        SendFence();
    }

    private void OnFenced(WorkerRecord worker, Fenced m)
    {
        if (IgnoreFenced(worker, m) is { } reason)
        {
            _out.Note($"ignored Fenced of {worker}: {reason}");
            return;
        }

        var seat = SeatOf(worker)!;
        seat.Fenced = new StateReport(
            worker.Id, new StepNumber(m.Step), new Fingerprint(m.Fingerprint), m.HoldsNext, m.RetainsCurrent)
        { Cell = seat.Cell };
        Heard(worker, m.Generation, m.Step);
        MaybeCompleteFencing();
    }

    private string? IgnoreFenced(WorkerRecord worker, Fenced m) =>
        Status != MembershipStatus.Fencing ? $"no fence is under way (status {Status})"
        : m.Generation != _highest.Value ? $"for g{m.Generation}, the fence is for {_highest}"
        : SeatOf(worker) is not { } seat ? "no member"
        : seat.Fenced is not null ? "it has answered already"
        : null;

    private void OnFenceTimeout()
    {
        if (_now < _fenceDeadline) return;
        if (_fenceKind == FenceKind.Soft)
        {
            _out.Note($"no boundary within {_clocks.SoftFence.TotalSeconds:0.#} s: the soft fence becomes hard");
            HardenFence();
            return;
        }

        foreach (var seat in _members.Where(m => m.Fenced is null).ToList())
        {
            var worker = seat.Record;
            if (!worker.Connected || SeatOf(worker) is null) continue;
            LetGo(worker, $"did not stop within {(_now - _changeStartedAt).TotalSeconds:0.0} s ({Doing(worker)})",
                mayRejoin: true);
        }
    }

    /// <summary>What a worker is at by its last beat: names the one that hangs and what it hangs on (R1).</summary>
    private static string Doing(WorkerRecord worker)
    {
        var beat = worker.LastBeat;
        var waits = beat.WaitsOn.Count == 0
            ? "" : $", waits for {string.Join(", ", beat.WaitsOn.Select(w => $"w{w}"))}";
        return beat.Phase.Length == 0 ? "it never said what it does"
            : $"step {beat.Step + 1}, {beat.Phase} {beat.Operation}".TrimEnd() + $" for {beat.OperationMs} ms{waits}";
    }

    private void MaybeCompleteFencing()
    {
        if (Status != MembershipStatus.Fencing || !AllAnswered(static s => s.Fenced is not null)) return;
        CompleteFencing();
    }

    /// <summary>Row 6 and 7: who goes on, from where, with which slices; or nobody for now.</summary>
    private void CompleteFencing()
    {
        var plan = PlanMembers();
        if (plan.Pause is { } reason)
        {
            Pause(reason);
            return;
        }

        var decision = DecideStart(plan);
        if (decision.Contradiction)
        {
            _hopeless = true;
            _out.Raise(new JobIsHopeless(decision.Reason));
            Pause(new Infeasible(decision.Reason));
            return;
        }

        if (decision.Corrupt.Count > 0)
        {
            // Each one let go completes the fence again without it; the first round may already have opened.
            foreach (var id in decision.Corrupt)
                if (_workers[id].Connected && IsMember(_workers[id]))
                    LetGo(_workers[id], $"its state {decision.Start} contradicts the majority's", mayRejoin: false);
            return;
        }

        OpenGeneration(plan, decision);
    }

    private void Pause(WaitReason reason)
    {
        _pausedBy = reason;
        _out.Persist(new MembershipPaused(_highest, reason.ToString()));
        Become(MembershipStatus.Paused);
    }
}
