using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Tensors;

namespace Convoy.Worker.Training;

// The worker's side of membership and of the step commit. A step goes Compute, Reduce, Held, Apply; a fence stops it
// before Apply or after it, never inside. The coordinator then decides from the Fenced answers which state T everybody
// aligns to, and opens the next generation. Pure: messages in, outputs out; no clock, thread or logger.
// M2  The pair (token, generation) that this worker has seen never falls.
// M9  Fenced is answered only after the exchange of older generations has ended.
// S2  The reported state is all of version t: it changes only by StepApplied, StateReady and StateReplaced.
// S3  Under CommitRule UNANIMOUS nobody applies before all members of the generation said Complete.
// S4  A result or a vote counts only for the generation and step that it names.
// S6  The reduced chunks of t are overwritten by step t+2 only, which nobody starts before everybody has applied t.
internal enum StepStatus
{
    Idle,      // no job
    Preparing, // the device opens data and compiles the graph
    Prepared,  // ready, member of no generation; may hold the state of an older one
    Fencing,   // a fence, an eviction: exchange and device are coming to rest
    Fenced,    // at rest, answered; waits for Open
    Aligning,  // links to peers and state T are being made
    Compute,   // forward and backward of t+1; finished buckets are already on their way
    Reduce,    // own gradients are out; waits for peers
    Held,      // every reduced chunk of t+1 is here; passes at once
    Vote,      // unanimous commit: said Complete, waits for the word of all members
    Apply,     // the optimizer changes the weights
    SaveWait,  // a save is due and there is no room for it (CP-5)
    Closing,   // state is until_step: the last shard is being written
    Ended,     // ReachedEnd is said; waits for Release, Fence or Open
    Leaving,   // released: work is being ended
    Gone,
}

internal sealed partial class StepProtocol(WorkerId me, Incarnation incarnation, long saveEvery = 0)
{
    public static readonly (StepStatus From, StepStatus To, string On)[] Transitions =
    [
        (StepStatus.Idle, StepStatus.Preparing, "Assign"),
        (StepStatus.Preparing, StepStatus.Prepared, "JobPrepared"),
        (StepStatus.Preparing, StepStatus.Idle, "JobRefused"),
        (StepStatus.Prepared, StepStatus.Fenced, "Fence"),
        (StepStatus.Prepared, StepStatus.Aligning, "Open"),
        (StepStatus.Fencing, StepStatus.Fenced, "exchange stopped, device idle"),
        (StepStatus.Fencing, StepStatus.Prepared, "Evict, or Open without me: exchange stopped, device idle"),
        (StepStatus.Fenced, StepStatus.Aligning, "Open"),
        (StepStatus.Fenced, StepStatus.Prepared, "Evict, or Open without me"),
        (StepStatus.Aligning, StepStatus.Compute, "peers linked, state T reached"),
        (StepStatus.Aligning, StepStatus.Closing, "state T is until_step"),
        (StepStatus.Aligning, StepStatus.Fencing, "Fence, Evict"),
        (StepStatus.Compute, StepStatus.Reduce, "StepComputed"),
        (StepStatus.Compute, StepStatus.Fencing, "Fence, Evict"),
        (StepStatus.Reduce, StepStatus.Held, "StepHeld"),
        (StepStatus.Reduce, StepStatus.Fencing, "Fence, Evict"),
        (StepStatus.Held, StepStatus.Apply, "local commit: nobody's vote is needed"),
        (StepStatus.Held, StepStatus.Vote, "unanimous commit: Complete is said"),
        (StepStatus.Vote, StepStatus.Apply, "Complete of all members"),
        (StepStatus.Vote, StepStatus.Fencing, "Fence, Evict"),
        (StepStatus.Apply, StepStatus.Compute, "StepApplied"),
        (StepStatus.Apply, StepStatus.Fencing, "Fence, Evict; or StepApplied at a soft fence's boundary"),
        (StepStatus.Apply, StepStatus.Closing, "StepApplied of until_step"),
        (StepStatus.Apply, StepStatus.SaveWait, "StepApplied of a state to be saved, two saves are under way"),
        (StepStatus.SaveWait, StepStatus.Compute, "room for the save, CoordinatorGone, or RoomOverdue"),
        (StepStatus.SaveWait, StepStatus.Fencing, "Fence hard, Evict; or room for the save at a soft fence's boundary"),
        (StepStatus.Closing, StepStatus.Ended, "last shard ended, weights hashed"),
        (StepStatus.Closing, StepStatus.Fencing, "Fence, Evict"),
        (StepStatus.Ended, StepStatus.Fencing, "Fence, Evict"),
        (StepStatus.Ended, StepStatus.Aligning, "Open"),
        (StepStatus.Leaving, StepStatus.Gone, "WorkStopped"),
        .. LeavingFromAny(),
    ];

    private static IEnumerable<(StepStatus From, StepStatus To, string On)> LeavingFromAny() =>
        Enum.GetValues<StepStatus>().Where(s => s is not StepStatus.Leaving and not StepStatus.Gone)
            .Select(s => (s, StepStatus.Leaving, "Release, DeviceFailed, HistoryDiffers"));

    public StepStatus Status { get; private set; } = StepStatus.Idle;

    /// <summary>t of the state held here; -1: none.</summary>
    public StepNumber State { get; private set; } = new(-1);

    public Fingerprint Fingerprint { get; private set; }

    public Generation Generation { get; private set; }

    public LeaderToken Token { get; private set; }

    public string JobId { get; private set; } = "";

    /// <summary>Highest generation seen in any message.</summary>
    public Generation GenerationSeen { get; private set; }

    public StepNumber Until { get; private set; }

    public void Step(object message, StepOutbox outbox)
    {
        switch (message)
        {
            case Assign m: OnAssign(m, outbox); break;
            case Fence m: OnFence(m, outbox); break;
            case Open m: OnOpen(m, outbox); break;
            case Evict m: OnEvict(m, outbox); break;
            case Release m: OnRelease(m, outbox); break;
            case Evaluate m: OnEvaluate(m, outbox); break;
            case StepDone m: OnStepDone(m, outbox); break;
            case Complete m: OnComplete(m, outbox); break;
            case NeedState m: OnNeedState(m, outbox); break;
            case JobPrepared m: OnJobPrepared(m, outbox); break;
            case JobRefused m: OnJobRefused(m, outbox); break;
            case PeersLinked m: OnPeersLinked(m, outbox); break;
            case PeerLost m: OnPeerLost(m, outbox); break;
            case StateReady m: OnStateReady(m, outbox); break;
            case StateFailed m: OnStateFailed(m, outbox); break;
            case StateReplaced: OnStateReplaced(outbox); break;
            case StepComputed m: OnStepComputed(m, outbox); break;
            case StepHeld m: OnStepHeld(m, outbox); break;
            case ExchangeStopped m: OnExchangeStopped(m, outbox); break;
            case StepApplied m: OnStepApplied(m, outbox); break;
            case ShardEnded m: OnShardEnded(m, outbox); break;
            case SaveSettled m: OnSaveSettled(m, outbox); break;
            case RoomOverdue m: OnRoomOverdue(m, outbox); break;
            case WeightsHashed m: OnWeightsHashed(m, outbox); break;
            case EvaluationEnded m: outbox.Tell(m.Result); break;
            case DeviceFailed m: OnDeviceFailed(m, outbox); break;
            case HistoryDiffers m: OnHistoryDiffers(m, outbox); break;
            case CoordinatorBack m: OnCoordinatorBack(m, outbox); break;
            case CoordinatorGone: OnCoordinatorGone(outbox); break;
            case WorkStopped: OnWorkStopped(outbox); break;
            default: throw Invariant.Unhandled(message);
        }
    }

    // ---- One step ----

    private readonly (StepNumber Step, Fingerprint Value)[] _history = new (StepNumber, Fingerprint)[HistoryLength];
    private readonly List<StepDone> _aheadOfMe = [];
    private const int HistoryLength = 8;
    private bool _computing;    // the device runs forward and backward
    private bool _exchanging;   // the exchange has a step of this generation open
    private bool _applying;
    private bool _aligning;     // an alignment action is with the device
    private bool _heldNext;     // everything of State+1 is held
    private bool _retains;      // the reduced chunks of State are kept

    private void StartNext(StepOutbox outbox)
    {
        Invariant.Check(State <= Until, "S5 a step past until_step is never begun");
        if (State == Until)
        {
            BeginClosing(outbox);
            return;
        }

        Become(StepStatus.Compute);
        _computing = _exchanging = true;
        _heldNext = false;
        Ballot?.Begin();
        outbox.Add(new RunStep(Generation, State.Next));
    }

    private void OnStepComputed(StepComputed m, StepOutbox outbox)
    {
        if (IgnoreStepResult(m.Generation, m.Step) is { } reason) { outbox.Note($"StepComputed: {reason}"); return; }
        Invariant.Check(_computing, "S4 StepComputed answers one RunStep");
        _computing = false;
        if (Status == StepStatus.Fencing) { CheckStopped(outbox); return; }
        Become(StepStatus.Reduce);
        if (_heldNext) Commit(outbox);
    }

    private void OnStepHeld(StepHeld m, StepOutbox outbox)
    {
        if (IgnoreStepResult(m.Generation, m.Step) is { } reason) { outbox.Note($"StepHeld: {reason}"); return; }
        Invariant.Check(_exchanging && !_heldNext, "S4 a step is held once");
        _heldNext = true;
        if (Status == StepStatus.Reduce) Commit(outbox);
    }

    private void Commit(StepOutbox outbox)
    {
        Become(StepStatus.Held);
        if (Ballot is null) BeginApply(outbox);
        else BeginVote(outbox);
    }

    private void BeginApply(StepOutbox outbox)
    {
        Become(StepStatus.Apply);
        _exchanging = false;
        _applying = true;
        outbox.Add(new ApplyStep(Generation, State.Next));
    }

    private void OnStepApplied(StepApplied m, StepOutbox outbox)
    {
        if (IgnoreStepResult(m.Generation, m.Step) is { } reason) { outbox.Note($"StepApplied: {reason}"); return; }
        Invariant.Check(_applying, "S2 weights change only after ApplyStep");
        _applying = false;
        TakeState(m.Step, m.Fingerprint, retains: true);
        outbox.Add(new TellMembers(new StepDone
        {
            Generation = Generation.Value, Step = State.Value, Fingerprint = Fingerprint.Value, From = me.Value,
        }));
        if (!CompareWaiting(outbox)) return;
        if (!SaveDue() || TrySave(outbox)) GoOn(outbox);
    }

    private void GoOn(StepOutbox outbox)
    {
        if (Status == StepStatus.Fencing) CheckStopped(outbox);
        else if (_softFence is { } soft && State.Value >= soft.StopAt) BeginFencing(outbox);
        else StartNext(outbox);
    }

    private string? IgnoreStepResult(Generation generation, StepNumber step) =>
        Status is StepStatus.Leaving or StepStatus.Gone ? "this worker is leaving"
        : generation != Generation ? $"of {generation}, this worker is in {Generation} (S4)"
        : step != State.Next ? $"of step {step}, this worker makes step {State.Next} (S4)"
        : Status is StepStatus.Compute or StepStatus.Reduce or StepStatus.Apply or StepStatus.Fencing ? null
        : $"no step in flight in {Status} (S4)";

    private void TakeState(StepNumber step, Fingerprint fingerprint, bool retains)
    {
        State = step;
        Fingerprint = fingerprint;
        _retains = retains;
        _heldNext = false;
        if (step.Value >= 0) _history[step.Value % HistoryLength] = (step, fingerprint);
    }

    // ---- Fingerprints of the others ----

    private void OnStepDone(StepDone m, StepOutbox outbox)
    {
        if (IgnoreStepDone(m) is { } reason) { outbox.Note($"StepDone of w{m.From}: {reason}"); return; }
        if (m.Step > State.Value) _aheadOfMe.Add(m);
        else Compare(m, outbox);
    }

    private string? IgnoreStepDone(StepDone m) =>
        Status is StepStatus.Leaving or StepStatus.Gone or StepStatus.Idle or StepStatus.Preparing
            ? $"no generation in {Status}"
        : m.Generation != Generation.Value ? $"of g{m.Generation}, this worker is in {Generation} (S4)"
        : _members.All(x => x.WorkerId != m.From) ? "not a member"
        // A member is at most one step ahead (M3): its second step needs this worker's part.
        : m.Step > State.Value + 1 ? $"of step {m.Step} while this worker is at {State} (M3)"
        : null;

    private bool CompareWaiting(StepOutbox outbox)
    {
        foreach (var m in _aheadOfMe)
            if (m.Generation == Generation.Value && m.Step == State.Value && !Compare(m, outbox)) return false;
        _aheadOfMe.RemoveAll(m => m.Step <= State.Value || m.Generation != Generation.Value);
        return true;
    }

    private bool Compare(StepDone m, StepOutbox outbox)
    {
        var (step, value) = _history[((m.Step % HistoryLength) + HistoryLength) % HistoryLength];
        if (step.Value != m.Step || value == default || value.Value == m.Fingerprint) return true;
        OnHistoryDiffers(
            new HistoryDiffers(new WorkerId(m.From), step, new Fingerprint(m.Fingerprint), value), outbox);
        return false;
    }

    private void OnHistoryDiffers(HistoryDiffers m, StepOutbox outbox)
    {
        if (Status is StepStatus.Leaving or StepStatus.Gone) { outbox.Note("HistoryDiffers: already leaving"); return; }
        Fail($"the histories differ at step {m.Step}: {me} has {m.Ours}, {m.With} has {m.Theirs} (M6)", "",
            (int)ExitCode.Failed, outbox);
    }

    private void OnDeviceFailed(DeviceFailed m, StepOutbox outbox)
    {
        if (Status is StepStatus.Leaving or StepStatus.Gone) { outbox.Note($"DeviceFailed: {m.Text}"); return; }
        Fail(m.Text, m.Detail, m.ExitCode, outbox);
    }

    private void Fail(string text, string detail, int exitCode, StepOutbox outbox)
    {
        outbox.Tell(new WorkerFailed { Text = text, Detail = detail, ExitCode = exitCode });
        Become(StepStatus.Leaving);
        outbox.Add(new StopWork(exitCode, text));
    }

    private void Become(StepStatus next)
    {
        Invariant.Check(TransitionTable.Allows(Transitions, Status, next), $"no transition from {Status} to {next}");
        Status = next;
    }
}
