using Convoy.Actors.Remoting.Detection;
using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Tensors;
using Convoy.Shared.Time;

namespace Convoy.Coordinator.Membership;

/// <summary>What the journal knows of the job that a dead leader left.</summary>
internal sealed record FoundJob
{
    public required string JobId { get; init; }
    /// <summary>Null: no worker had prepared it yet.</summary>
    public JobTerms? Terms { get; init; }
    /// <summary>The last scale command; 0: none.</summary>
    public int Scale { get; init; }
    /// <summary>Somebody asked it to stop.</summary>
    public string? Stop { get; init; }
    /// <summary>It is over, but its workers may not have heard so.</summary>
    public JobEnded? Ended { get; init; }
}

// A leader that took over (docs/protocols/takeover.md): the journal says who trained, the workers say where they are.
//
// L2  Nothing is told that is not durable: what is adopted was journaled by the leader before.
// L4  While all members train on, nothing is told to them that stops a step.
// L7  The generation, its members, cuts and start are those of the last durable record.
internal sealed partial class MembershipProtocol
{
    private readonly SortedDictionary<string, JobEnded> _over = new(StringComparer.Ordinal);
    private GenerationOpened? _found; // the generation to be adopted or fenced
    private bool _foundFencing;
    private Generation _highestFound; // in the journal; higher ones are this leader's own
    private Instant? _recoverSince;
    private Instant? _firstFoundAt;

    private void TakeOver(FoundJob job, MembershipHistory history)
    {
        if (job.Ended is { } ended) { _over[job.JobId] = ended; return; }
        if (job.Terms is not { } terms) { _announced = job.JobId; return; }
        (_job, _clocks, _wanted, _scale) = (terms, terms.Clocks, terms.MembersExpected, job.Scale);
        if (_scale > 0) _wanted = _scale;
        _detection = PhiAccrualOptions.From(_clocks);
        _stop = job.Stop;
        if (history.Opened is not { } opened || opened.JobId != job.JobId) return;
        (_found, _foundFencing, _highestFound) = (opened, history.IsFencing, history.Highest);
        (Generation, _start, _newest, _until) = (opened.Generation, opened.Start, opened.Start, opened.Until);
        Shares = new ShareMap(terms.Slices, [.. opened.Members], [.. opened.Cuts]);
        _saveOnly = opened.Until == opened.Start && opened.Until < terms.Until;
        _stopOpened = _stop is not null && _saveOnly;
        _knowsNoTree = true;
        Status = MembershipStatus.Recovering;
    }

    /// <summary>A member of the found generation is back: its own account decides whether it still trains.</summary>
    private void SeatFound(WorkerRecord worker, Hello m)
    {
        if (Status != MembershipStatus.Recovering) return;
        // One that trained in another job before has higher numbers from there until it is in a generation of this one.
        if (m.InGeneration && m.GenerationSeen > _highestFound.Value && m.JobId == Job.JobId)
        {
            _hopeless = true;
            var text = $"{worker} knows g{m.GenerationSeen}, the journal ends at {_highestFound}: it lost what was durable, nothing goes on (M5)";
            _out.Raise(new JobIsHopeless(text));
            _pausedBy = new Infeasible(text);
            Become(MembershipStatus.Paused);
            return;
        }

        var index = Shares!.IndexOf(worker.Id);
        if (index < 0 || m.JobId != Job.JobId || !m.InGeneration || m.Generation != Generation.Value) return;
        var seat = new MemberSeat(worker, cell: 0) { Share = Shares.ShareOf(index).ToString() };
        if (m.Aligned) seat.Aligned = new Fingerprint(m.StateFingerprint);
        if (worker.Seat is { } before) Unseat(before);
        var at = _members.FindIndex(s => s.Worker.CompareTo(worker.Id) > 0);
        Seat(seat, at < 0 ? _members.Count : at);
        if (m.StateStep > _newest.Value) _newest = new StepNumber(m.StateStep);
    }

    /// <summary>Rows 4 and 5 of the take-over.</summary>
    private void MaybeRecover()
    {
        _recoverSince ??= _now;
        var waited = _now - _recoverSince.Value;
        var all = _members.Count == _found!.Members.Count;
        if (all && !_foundFencing && _members.TrueForAll(s => s.Aligned is not null))
        {
            Adopt();
            return;
        }

        if (_members.Count > 0) _firstFoundAt ??= _now;
        // While nobody has come, their connections to the old leader may still look alive to them; they notice one
        // after the other.
        var enough = _firstFoundAt is not { } first ? _clocks.RecoverAlone
            : first - _recoverSince.Value < _clocks.Recover ? _clocks.Recover
            : first - _recoverSince.Value + (2 * _clocks.Recover);
        if (waited < enough && !(all && _foundFencing)) return;
        FenceFound();
    }

    private void Adopt()
    {
        foreach (var seat in _members) seat.Record.Kept = StateReport.Nothing(seat.Worker);
        Become(MembershipStatus.Stable);
        _out.Note($"{_token} adopts {Generation}: all {_members.Count} members train on, nothing was lost");
        _out.Raise(new GenerationIsStable(Generation, [.. _members.Select(m => m.Worker)]));
    }

    private void FenceFound()
    {
        var silent = _found!.Members.Where(id => !_members.Exists(s => s.Worker == id)).ToList();
        foreach (var id in silent)
        {
            var worker = _workers[id];
            _lostIds.Add(id);
            if (worker.Connected) continue; // a new process of it is here, and is no loss
            _out.Raise(new WorkerLost(id, worker.Name, $"silent when {_token} took over", WasMember: true,
                Charged: true));
        }

        var stopped = _members.Where(s => s.Aligned is null).Select(s => s.Record).ToList();
        var reasons = new List<string>();
        if (_foundFencing) reasons.Add($"a change was under way after {Generation}");
        if (silent.Count > 0) reasons.Add($"silent: {Names([.. silent.Select(id => _workers[id])])}");
        if (stopped.Count > 0 && !_foundFencing) reasons.Add($"not training: {Names(stopped)}");
        BeginFencing(FenceKind.Hard, default, $"{_token} took over; {string.Join("; ", reasons)}");
    }

    /// <summary>The job ended, its leader died before everybody was let go.</summary>
    private bool ReleaseOfOver(WorkerRecord worker)
    {
        if (!_over.TryGetValue(worker.HeldJob, out var ended)) return false;
        Release(worker, (ExitCode)ended.ExitCode, ended.Reason);
        return true;
    }
}
