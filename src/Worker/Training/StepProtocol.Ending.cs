using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;

namespace Convoy.Worker.Training;

// Row W5 and the ends: eviction, release, evaluation.
internal sealed partial class StepProtocol
{
    private Evict? _evicted;
    private byte[]? _weightsSha256;

    // ---- Eviction, release ----

    private void OnEvict(Evict m, StepOutbox outbox)
    {
        if (IgnoreToken(m.LeaderToken, outbox)) return;
        if (IgnoreGeneration(new Generation(m.Generation), sameIsOld: false, outbox)) return;
        Evicted(m, outbox);
    }

    private void OnOpenWithoutMe(Open m, StepOutbox outbox)
    {
        if (Status is StepStatus.Idle or StepStatus.Preparing or StepStatus.Prepared)
            outbox.Note($"g{m.Generation} opens without this worker, which is no member yet");
        else
            Evicted(new Evict { Generation = m.Generation, Reason = "opened without this worker", MayRejoin = true },
                outbox);
    }

    private void Evicted(Evict m, StepOutbox outbox)
    {
        if (Status is StepStatus.Leaving or StepStatus.Gone) { outbox.Note("Evict: already leaving"); return; }
        outbox.Note($"evicted at g{m.Generation}: {m.Reason}");
        _evicted = m;
        if (Status is StepStatus.Idle or StepStatus.Preparing or StepStatus.Prepared or StepStatus.Fenced)
            EndEviction(outbox);
        else if (Status != StepStatus.Fencing) BeginFencing(outbox);
    }

    private void EndEviction(StepOutbox outbox)
    {
        var evicted = _evicted!;
        _evicted = null;
        if (!evicted.MayRejoin)
        {
            Become(StepStatus.Leaving);
            outbox.Add(new StopWork((int)ExitCode.Cluster, $"evicted: {evicted.Reason}"));
            return;
        }

        if (Status is StepStatus.Fencing or StepStatus.Fenced) Become(StepStatus.Prepared);
        _members = [];
        // The held chunks belong to a generation that goes on elsewhere; whoever comes back fetches anew.
        _heldNext = _retains = false;
        outbox.Add(new DropPeers());
        outbox.Add(new SayHello());
    }

    private void OnRelease(Release m, StepOutbox outbox)
    {
        if (IgnoreToken(m.LeaderToken, outbox)) return;
        if (Status is StepStatus.Leaving or StepStatus.Gone) { outbox.Note("Release: already leaving"); return; }
        Become(StepStatus.Leaving);
        outbox.Add(new StopWork(m.ExitCode, m.Reason));
    }

    private void OnWorkStopped(StepOutbox outbox)
    {
        if (Status != StepStatus.Leaving) { outbox.Note($"WorkStopped in {Status}"); return; }
        Become(StepStatus.Gone);
    }

    // ---- The end of a run, evaluation ----

    private void OnWeightsHashed(WeightsHashed m, StepOutbox outbox)
    {
        if (Status != StepStatus.Closing || m.Generation != Generation || m.Step != State)
        {
            outbox.Note($"WeightsHashed of {m.Generation} step {m.Step}: nothing waits for it in {Status}");
            return;
        }

        _weightsSha256 = m.Sha256;
        CheckEnded(outbox);
    }

    private void CheckEnded(StepOutbox outbox)
    {
        if (!_lastShardEnded || _weightsSha256 is null) return;
        Become(StepStatus.Ended);
        SendReachedEnd(outbox);
    }

    private void SendReachedEnd(StepOutbox outbox) => outbox.Tell(new ReachedEnd
    {
        Generation = Generation.Value, Step = State.Value, Fingerprint = Fingerprint.Value,
        WeightsSha256 = Google.Protobuf.ByteString.CopyFrom(_weightsSha256!),
    });

    private void OnEvaluate(Evaluate m, StepOutbox outbox)
    {
        if (IgnoreToken(m.LeaderToken, outbox)) return;
        var reason = m.Generation != Generation.Value ? $"this worker is in {Generation}"
            : m.Step != State.Value ? $"this worker holds step {State}"
            : Status is StepStatus.Apply or StepStatus.Leaving or StepStatus.Gone
                ? $"the state is not at rest ({Status})"
            : null;
        if (reason is null) outbox.Add(new RunEvaluation(m));
        else outbox.Tell(new Evaluated { Generation = m.Generation, Step = m.Step, Error = reason });
    }

    private void OnCoordinatorBack(CoordinatorBack m, StepOutbox outbox)
    {
        if (IgnoreToken(m.Token.Value, outbox)) return;
        OnLeader(outbox);
        foreach (var suspect in _suspects) outbox.Tell(suspect);
        switch (Status)
        {
            case StepStatus.Prepared when _ready is not null: outbox.Tell(_ready); break;
            case StepStatus.Fenced: SendFenced(outbox); break;
            case StepStatus.Ended: SendReachedEnd(outbox); break;
            case StepStatus.Compute or StepStatus.Reduce or StepStatus.Vote or StepStatus.Apply or StepStatus.SaveWait
                or StepStatus.Closing:
                outbox.Tell(_aligned!);
                break;
            default: outbox.Note($"a coordinator is back; nothing to repeat in {Status}"); break;
        }
    }
}
