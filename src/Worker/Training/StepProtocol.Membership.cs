using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Tensors;

namespace Convoy.Worker.Training;

// The rows W1 to W4, W6 and W7: jobs, fences, generations, and state for those who are behind.
internal sealed partial class StepProtocol
{
    private readonly List<NeedState> _waitingForState = [];
    private readonly List<Suspect> _suspects = []; // of this generation, to be repeated to a new coordinator
    private IReadOnlyList<Member> _members = [];
    private Fence? _softFence;
    private Generation _fence;        // the highest generation that a fence announced
    private bool _linked;
    private bool _stateReady;
    private Fingerprint _expected;    // H_T as the coordinator knows it; 0: unknown
    private Aligned? _aligned;        // what this worker said last, to be repeated to a new coordinator

    private int MyIndex => PositionOf(me.Value);

    // ---- Job ----

    private void OnAssign(Assign m, StepOutbox outbox)
    {
        if (IgnoreToken(m.LeaderToken, outbox)) return;
        if (IgnoreAssign(m) is { } reason)
        {
            outbox.Note($"Assign: {reason}");
            // A coordinator that asks again has not heard the answer.
            if (m.JobId == JobId && _ready is not null) outbox.Tell(_ready);
            return;
        }

        JobId = m.JobId;
        Become(StepStatus.Preparing);
        outbox.Add(new PrepareJob(m));
    }

    private string? IgnoreAssign(Assign m) =>
        Status is StepStatus.Leaving or StepStatus.Gone ? "this worker is leaving"
        : Status != StepStatus.Idle && m.JobId == JobId ? "this job is assigned already"
        : Status != StepStatus.Idle ? $"job {JobId} is still here"
        : null;

    private Ready? _ready;

    private void OnJobPrepared(JobPrepared m, StepOutbox outbox)
    {
        if (Status != StepStatus.Preparing) { outbox.Note($"JobPrepared: nothing is prepared in {Status}"); return; }
        Become(StepStatus.Prepared);
        _ready = m.Ready;
        outbox.Tell(m.Ready);
    }

    private void OnJobRefused(JobRefused m, StepOutbox outbox)
    {
        if (Status != StepStatus.Preparing) { outbox.Note($"JobRefused: nothing is prepared in {Status}"); return; }
        Become(StepStatus.Idle);
        JobId = "";
        outbox.Tell(m.Failure);
    }

    // ---- Fence ----

    private void OnFence(Fence m, StepOutbox outbox)
    {
        if (IgnoreToken(m.LeaderToken, outbox)) return;
        // A loss during a soft fence makes it hard under the same number (4.2 row 5): that is no repetition.
        var hardens = m.Kind == FenceKind.Hard && _softFence is not null;
        if (IgnoreGeneration(new Generation(m.Generation), sameIsOld: Status is not StepStatus.Fenced && !hardens,
            outbox)) return;
        _fence = GenerationSeen;
        switch (Status)
        {
            case StepStatus.Idle or StepStatus.Preparing: SendFenced(outbox); break;
            case StepStatus.Prepared: Become(StepStatus.Fenced); SendFenced(outbox); break;
            case StepStatus.Fenced: SendFenced(outbox); break;
            case StepStatus.Fencing:
                // Whoever fences this worker counts it as a member: what let it go before that is over.
                if (_evicted is { MayRejoin: true }) _evicted = null;
                outbox.Note($"a newer fence {_fence} replaces the one being answered (W7)");
                break;
            case StepStatus.Leaving or StepStatus.Gone: outbox.Note("Fence: this worker is leaving"); break;
            case StepStatus.Compute or StepStatus.Reduce or StepStatus.Vote or StepStatus.Apply
                when m.Kind == FenceKind.Soft && SoftWaits(m):
                _softFence = m; break;
            // It waits for the coordinator, not for a step that somebody else may have stopped before.
            case StepStatus.SaveWait when m.Kind == FenceKind.Soft: _softFence = m; break;
            default: BeginFencing(outbox); break;
        }
    }

    // A member that stopped at the boundary sends nothing of the step after it, so that step cannot end here either:
    // past the boundary a soft fence is as hard as a hard one. No work is lost by it, for nobody can hold that step.
    private bool SoftWaits(Fence m) => State.Value < m.StopAt;

    private void BeginFencing(StepOutbox outbox)
    {
        _softFence = null;
        if (_saveWaits) GiveUpSave("its generation ended", outbox);
        Become(StepStatus.Fencing);
        if (_exchanging) outbox.Add(new StopExchange(Generation));
        if (_aligning) outbox.Add(new CancelAlign(Generation));
        CheckStopped(outbox);
    }

    private void OnExchangeStopped(ExchangeStopped m, StepOutbox outbox)
    {
        if (m.Generation != Generation || !_exchanging || Status != StepStatus.Fencing)
        {
            outbox.Note($"ExchangeStopped of {m.Generation}: nothing waits for it in {Status}");
            return;
        }

        _exchanging = false;
        CheckStopped(outbox);
    }

    private void CheckStopped(StepOutbox outbox)
    {
        if (_exchanging || _computing || _applying || _aligning) return;
        if (_evicted is not null) { EndEviction(outbox); return; }
        Become(StepStatus.Fenced);
        SendFenced(outbox);
    }

    private void SendFenced(StepOutbox outbox)
    {
        Invariant.Check(!_exchanging && !_computing && !_applying, "M9 a fence is answered at rest");
        outbox.Tell(new Fenced
        {
            Generation = _fence.Value, Incarnation = incarnation.Value, Step = State.Value,
            Fingerprint = Fingerprint.Value, HoldsNext = _heldNext, RetainsCurrent = _retains,
        });
    }

    // ---- Open and alignment ----

    private void OnOpen(Open m, StepOutbox outbox)
    {
        if (IgnoreToken(m.LeaderToken, outbox)) return;
        var again = Status is not (StepStatus.Fenced or StepStatus.Prepared);
        if (IgnoreGeneration(new Generation(m.Generation), sameIsOld: again, outbox)) return;
        var mine = m.Members.FirstOrDefault(x => x.WorkerId == me.Value && x.Incarnation == incarnation.Value);
        if (mine is null) { OnOpenWithoutMe(m, outbox); return; }
        if (IgnoreOpen(m) is { } reason)
        {
            outbox.Note($"Open {m.Generation}: {reason}");
            outbox.Tell(new AlignFailed { Generation = m.Generation, Text = $"{me}: {reason}" });
            return;
        }

        Enter(m, mine, outbox);
    }

    private string? IgnoreOpen(Open m) =>
        Status is StepStatus.Idle or StepStatus.Preparing ? $"the job is not prepared here ({Status})"
        : Status is StepStatus.Leaving or StepStatus.Gone ? "this worker is leaving"
        : Status is not (StepStatus.Prepared or StepStatus.Fenced or StepStatus.Ended)
            ? $"opened before this worker answered the fence ({Status})"
        : m.JobId != JobId ? $"of job {m.JobId}, {JobId} is prepared here"
        : m.Cuts.Count == 0 ? "no cuts"
        : SharesOf(m).Check() is { } broken ? broken
        : m.VoteFanOut is < 0 or 1 ? $"a tree of votes with a fan-out of {m.VoteFanOut}"
        : m.UntilStep < m.StartStep ? $"until step {m.UntilStep} lies before start step {m.StartStep}"
        : null;

    private static ShareMap SharesOf(Open m) =>
        new(m.Cuts[^1], [.. m.Members.Select(x => new WorkerId(x.WorkerId))], [.. m.Cuts]);

    private void Enter(Open m, Member mine, StepOutbox outbox)
    {
        Become(StepStatus.Aligning);
        Generation = new Generation(m.Generation);
        Until = new StepNumber(m.UntilStep);
        _members = m.Members;
        Ballot = m.Commit == CommitRule.Unanimous ? new Ballot(m.Members.Count, MyIndex, m.VoteFanOut) : null;
        _expected = new Fingerprint(m.StartFingerprint);
        _softFence = null;
        _suspects.Clear();
        _saves.Enter(Generation);
        _aheadOfMe.RemoveAll(x => x.Generation != m.Generation);
        _linked = m.Members.Count == 1;
        _stateReady = false;
        _aligning = true;
        var target = new StepNumber(m.StartStep);
        outbox.Add(new EnterGeneration(Generation, target, SharesOf(m), _members, m.Learners));
        outbox.Add(new AlignState(
            Generation, target, mine.Action, new WorkerId(mine.Source), m.CheckpointPath, _expected));
    }

    private void OnPeersLinked(PeersLinked m, StepOutbox outbox)
    {
        if (Status != StepStatus.Aligning || m.Generation != Generation)
        {
            outbox.Note($"PeersLinked of {m.Generation}: nothing waits for it in {Status}");
            return;
        }

        _linked = true;
        CheckAligned(outbox);
    }

    private void OnStateReady(StateReady m, StepOutbox outbox)
    {
        if (m.Generation != Generation || !_aligning)
        {
            outbox.Note($"StateReady of {m.Generation}: no alignment of it in {Status}");
            return;
        }

        _aligning = false;
        TakeState(m.Step, m.Fingerprint, m.Retains);
        if (Status == StepStatus.Fencing) { CheckStopped(outbox); return; }
        if (Status != StepStatus.Aligning) { outbox.Note($"StateReady in {Status}"); return; }
        _stateReady = true;
        CheckAligned(outbox);
    }

    private void OnStateReplaced(StepOutbox outbox)
    {
        if (State.Value < 0) return;
        if (Status is StepStatus.Prepared or StepStatus.Fenced || (Status == StepStatus.Aligning && !_stateReady))
            TakeState(new StepNumber(-1), default, retains: false);
        else outbox.Note($"StateReplaced: this worker is {Status}");
    }

    private void OnStateFailed(StateFailed m, StepOutbox outbox)
    {
        if (m.Generation != Generation || !_aligning)
        {
            outbox.Note($"StateFailed of {m.Generation}: no alignment of it in {Status}");
            return;
        }

        _aligning = false;
        if (Status == StepStatus.Fencing) { CheckStopped(outbox); return; }
        outbox.Tell(new AlignFailed { Generation = Generation.Value, Text = $"{me}: {m.Text}" });
    }

    private void CheckAligned(StepOutbox outbox)
    {
        if (_stateReady) ServeWaiting(outbox);
        if (!_linked || !_stateReady) return;
        if (_expected.Value != 0 && _expected != Fingerprint)
        {
            outbox.Tell(new AlignFailed
            {
                Generation = Generation.Value,
                Text = $"{me} has fingerprint {Fingerprint} at step {State}, the members have {_expected} (M6)",
            });
            return;
        }

        SendAligned(outbox);
        StartNext(outbox);
        CompareWaiting(outbox);
    }

    private void SendAligned(StepOutbox outbox)
    {
        _aligned = new Aligned
        {
            Generation = Generation.Value, Step = State.Value, Fingerprint = Fingerprint.Value,
        };
        outbox.Tell(_aligned);
    }

    private void OnPeerLost(PeerLost m, StepOutbox outbox)
    {
        var member = _members.Any(x => x.WorkerId == m.About.Value && x.Incarnation == m.Incarnation.Value);
        if (!member || Status is StepStatus.Leaving or StepStatus.Gone or StepStatus.Prepared)
        {
            outbox.Note($"{m.About} is lost ({m.Text}); it is no member");
            return;
        }

        // Only a report: the coordinator knows whether the worker or just this link died, and fences accordingly.
        outbox.Note($"{m.About} is lost: {m.Text}");
        var suspect = new Suspect
        {
            Generation = Generation.Value, About = m.About.Value, AboutIncarnation = m.Incarnation.Value,
            Evidence = m.Evidence,
        };
        _suspects.RemoveAll(s => s.About == suspect.About);
        _suspects.Add(suspect);
        outbox.Tell(suspect);
    }

    // ---- State for others ----

    private void OnNeedState(NeedState m, StepOutbox outbox)
    {
        if (Status is StepStatus.Leaving or StepStatus.Gone or StepStatus.Idle or StepStatus.Preparing)
        {
            outbox.Note($"NeedState of w{m.From}: no state in {Status}");
            return;
        }

        if (m.Generation < Generation.Value || (m.Generation == Generation.Value && Status == StepStatus.Fenced))
        {
            outbox.Note($"NeedState of w{m.From}: of g{m.Generation}, which is over (S4)");
            return;
        }

        // The asker may have heard of the generation first, or this worker has to apply its own held step before.
        var early = m.Generation > Generation.Value || (Status == StepStatus.Aligning && !_stateReady);
        if (early && _waitingForState.Count < Limits.WorkersMax) _waitingForState.Add(m);
        else Serve(m, outbox);
    }

    private void ServeWaiting(StepOutbox outbox)
    {
        foreach (var m in _waitingForState)
            if (m.Generation == Generation.Value) Serve(m, outbox);
        _waitingForState.RemoveAll(m => m.Generation <= Generation.Value);
    }

    private void Serve(NeedState m, StepOutbox outbox)
    {
        var step = new StepNumber(m.Step);
        var have = step == State && (!m.ChunksOnly || _retains) && !_applying;
        outbox.Add(have
            ? new ServeState(new WorkerId(m.From), Generation, step, m.ChunksOnly)
            : new DeclineState(new WorkerId(m.From), Generation, step));
    }

    // ---- What is stale ----

    private bool IgnoreToken(long token, StepOutbox outbox)
    {
        if (token >= Token.Value) { Token = new LeaderToken(token); return false; }
        SendStale($"k{token} is older than {Token}", outbox);
        return true;
    }

    private bool IgnoreGeneration(Generation generation, bool sameIsOld, StepOutbox outbox)
    {
        if (generation > GenerationSeen || (generation == GenerationSeen && !sameIsOld))
        {
            GenerationSeen = generation;
            return false;
        }

        if (generation == GenerationSeen) outbox.Note($"{generation} again in {Status}");
        else SendStale($"{generation} is older than {GenerationSeen}", outbox);
        return true;
    }

    private void SendStale(string reason, StepOutbox outbox)
    {
        outbox.Note($"stale: {reason} (W6)");
        outbox.Tell(new Stale { TokenSeen = Token.Value, GenerationSeen = GenerationSeen.Value });
    }
}
