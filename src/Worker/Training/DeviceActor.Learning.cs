using Convoy.Shared.Ids;
using Convoy.Worker.Collectives;
using Convoy.Worker.Learning;

namespace Convoy.Worker.Training;

/// <summary>To a learner's device: compare the digest, then this is the state.</summary>
internal sealed record TakeLearned(TakeCopy Order, ModelState Copy);

/// <summary>To a learner's device: apply the reduced gradient that lies there.</summary>
internal sealed record ApplyLearned(ApplyFed Order, LearnerMemory Fed);

/// <summary>A copy was made at a boundary; its digest is still to be taken.</summary>
internal sealed record CopyMade(ModelState Copy);

// What learners need of a device. As a member's: copies, made between two steps, because every message is handled
// between two changes of the state. As a learner's: the same Apply, with other workers' gradients.
internal sealed partial class DeviceActor
{
    private readonly List<CopySnapshot> _copiesAsked = [];
    private readonly FeedMemory _feedMemory = new();
    private bool _feeds;
    private (long From, long End) _feedPart;       // of the steps after _feedStart
    private (long From, long End) _feedPartBefore; // of the steps up to it: as they were cut in the generation before
    private StepNumber _feedStart;
    private long _lastStepUs; // from one Apply to the next; 0: not known yet
    private Shared.Time.Instant _heldAt;

    private void ListenToLearners()
    {
        On<KeepFeeding>(OnKeepFeeding);
        On<CopySnapshot>(OnCopySnapshot);
        On<CopyChunks>(OnCopyChunks);
        On<TakeLearned>(OnTakeLearned);
        On<ApplyLearned>(OnApplyLearned);
    }

    private void CutFeed(EnterGeneration m, int me)
    {
        _feedPartBefore = _feedPart;
        _feedPart = FeedRecord.PartOf(_model!.Elements, me, m.Members.Count);
        _feedStart = m.Start;
        _copiesAsked.Clear();
    }

    private void OnKeepFeeding(KeepFeeding m)
    {
        _feedMemory.Keeps = _feeds = m.On;
        if (m.On && _state is not null)
            Tell(new FeedingFrom(_generation, _state.Step, _lastStepUs));
    }

    private void NoteStepTime(Shared.Time.Instant held)
    {
        if (_heldAt != default) _lastStepUs = (held - _heldAt).Ticks / 10;
        _heldAt = held;
    }

    /// <summary>After every Apply: this worker's part of the reduced gradient, once for all learners.</summary>
    private void FeedLearners(StepWork work)
    {
        if (_feeds)
        {
            var (from, end) = work.Step > _feedStart ? _feedPart : _feedPartBefore;
            var records = new List<FeedRecord>();
            FeedRecord.Cut(records, _feedMemory, work.Reduced, work.Step, _state!.Fingerprint, from, end);
            Tell(new StepFed(work.Step, records));
        }

        if (_copiesAsked.Count > 0) MakeCopies();
    }

    private void OnCopySnapshot(CopySnapshot m)
    {
        _copiesAsked.Add(m);
        MakeCopies();
    }

    private void MakeCopies()
    {
        if (_state is null || _copiesAsked.RemoveAll(a => a.AtLeast <= _state.Step) == 0) return;
        var copy = NewState();
        for (var v = 0; v < copy.All.Count; v++) _state.All[v].Span.CopyTo(copy.All[v].Span);
        (copy.Step, copy.Fingerprint) = (_state.Step, _state.Fingerprint);
        Tell(new CopyMade(copy));
    }

    private void OnCopyChunks(CopyChunks m)
    {
        var work = _works[m.Step.Value & 1];
        var records = new List<FeedRecord>();
        if (m.Step.Value > 0 && work.Applied && work.Step == m.Step && m.Offset >= 0 && m.Count > 0
            && m.Offset <= _model!.Elements - m.Count)
            FeedRecord.Cut(records, _feedMemory, work.Reduced, m.Step, work.After, m.Offset, m.Offset + m.Count);
        Tell(new ChunksCopied(m.For, m.Step, records));
    }

    // ---- As a learner ----

    private void OnTakeLearned(TakeLearned m)
    {
        if (!StateMeta.DigestOf(m.Copy.All).AsSpan().SequenceEqual(m.Order.Digest))
        {
            Tell(new CopyRefused(m.Order.Step, $"the copy of step {m.Order.Step} has another digest than its donor's"));
            return;
        }

        (m.Copy.Step, m.Copy.Fingerprint) = (m.Order.Step, m.Order.Fingerprint);
        _state = m.Copy;
        Tell(new CopyTaken(m.Order.Step, m.Order.Fingerprint));
    }

    private void OnApplyLearned(ApplyLearned m)
    {
        var step = m.Order.Step;
        if (_state is null || _state.Step.Next != step) return; // the state was replaced meanwhile
        var work = _works[step.Value & 1];
        if (m.Fed.Copy(step, work.Reduced) is { } why) { Tell(new FedUnreadable(step, why)); return; }
        FingerprintChain.Checksums(work.Reduced.Span, work.Checksums);
        var ours = FingerprintChain.Next(_state.Fingerprint, step, work.Checksums);
        // Checked before a weight is touched: other bits must not get into the state (S4).
        if (ours != m.Order.Expected)
        {
            Tell(new FedDiffers(step, m.Order.Expected, ours));
            return;
        }

        var samples = _step!.SamplesOf(step.Value);
        work.BeginFed(step, _state.Fingerprint, samples.Count, samples.PresentSlices);
        _row = new Shared.Protocol.StepRow { Step = step.Value, Samples = samples.Count };
        _step.Apply(_state, work, _row);
        _row = new Shared.Protocol.StepRow(); // the members report it
        Tell(new FedApplied(step, _state.Fingerprint));
    }
}
