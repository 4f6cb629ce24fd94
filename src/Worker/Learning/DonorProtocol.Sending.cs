using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;

namespace Convoy.Worker.Learning;

// What is sent: pieces of steps, frames of copies, one frame of a learner at a time.
internal sealed partial class DonorProtocol
{
    // ---- Steps ----

    private void OnStepFed(StepFed m)
    {
        _applied = m.Step;
        foreach (var pupil in _pupils.ToArray())
        {
            var wants = pupil.Status == PupilStatus.Feeding
                || (pupil.Status == PupilStatus.Finishing && m.Step <= pupil.Target);
            if (!wants) { Pump(pupil); continue; }
            var bytes = 0L;
            foreach (var record in m.Records)
            {
                record.Use();
                pupil.Records.Enqueue(record);
                bytes += record.Bytes;
            }

            pupil.QueuedBytes += bytes;
            pupil.LargestStep = Math.Max(pupil.LargestStep, bytes);
            var bound = Math.Max(QueueBytesMax, 3 * pupil.LargestStep);
            if (pupil.QueuedBytes <= bound) { Pump(pupil); continue; }
            Tell(pupil, new FeedEnds { Reason = $"{pupil.QueuedBytes} bytes wait for it, {bound} may (J4)" });
            End(pupil, "its feed is too far behind");
        }

        foreach (var record in m.Records) record.Release();
    }

    private void OnNeedChunks(Pupil pupil, NeedChunks m)
    {
        pupil.Copying++;
        _outputs.Add(new CopyChunks(pupil.Incarnation, new StepNumber(m.Step), m.Offset, m.Count));
    }

    private void OnChunksCopied(ChunksCopied m)
    {
        if (Find(m.For) is not { } pupil)
        {
            foreach (var record in m.Records) record.Release();
            return;
        }

        pupil.Copying = Math.Max(0, pupil.Copying - 1); // it may have been asked for before this one came again
        if (m.Records.Count == 0) Tell(pupil, new ChunksGone { Step = m.Step.Value });
        foreach (var record in m.Records)
        {
            pupil.Records.Enqueue(record);
            pupil.QueuedBytes += record.Bytes;
        }

        Pump(pupil);
    }

    // ---- Copies ----

    private void OnSnapAsk(Pupil pupil, SnapAsk m)
    {
        pupil.Lease = null;
        pupil.Frames.Clear();
        if (_leases.Find(l => l.Step.Value >= m.AtLeast) is { } lease) { Lend(pupil, lease); return; }
        pupil.Asks = new StepNumber(m.AtLeast);
        AskForCopy();
    }

    /// <summary>One copy serves everybody who asks before it is made.</summary>
    private void AskForCopy()
    {
        if (_copying) return;
        var asking = _pupils.FindAll(p => p.Asks is not null);
        if (asking.Count == 0) return;
        _copying = true;
        _outputs.Add(new CopySnapshot(asking.Max(p => p.Asks!.Value)));
    }

    private void OnSnapshotCopied(SnapshotCopied m)
    {
        _copying = false;
        var asking = _pupils.FindAll(p => p.Asks is { } least && m.Copy.Step >= least);
        if (asking.Count > 0)
        {
            while (_leases.Count >= CopiesMax) EndOldestLease();
            var lease = new Lease(m.Copy, m.Digest, _now);
            _leases.Add(lease);
            foreach (var pupil in asking) Lend(pupil, lease);
        }

        AskForCopy();
    }

    private void EndOldestLease()
    {
        var oldest = _leases[0];
        foreach (var pupil in _pupils.FindAll(p => p.Lease == oldest))
            EndLease(pupil, $"{CopiesMax} newer copies are wanted (J5)");
        _leases.Remove(oldest);
    }

    private void Lend(Pupil pupil, Lease lease)
    {
        (pupil.Lease, pupil.Asks) = (lease, null);
        Tell(pupil, new SnapOffer
        {
            Step = lease.Step.Value, Fingerprint = lease.Copy.Fingerprint.Value, Elements = lease.Frames.Elements,
            Vectors = lease.Frames.Vectors, Digest = Google.Protobuf.ByteString.CopyFrom(lease.Digest),
        });
    }

    private void OnSnapGet(Pupil pupil, SnapGet m)
    {
        if (IgnoreSnapGet(pupil, m) is { } reason)
        {
            Note($"SnapGet of {pupil.Id}: {reason}");
            Tell(pupil, new SnapEnds { Step = m.Step, Reason = reason });
            return;
        }

        for (var i = 0; i < m.Count; i++) pupil.Frames.Enqueue(m.First + i);
        Pump(pupil);
    }

    private static string? IgnoreSnapGet(Pupil pupil, SnapGet m) =>
        pupil.Lease is not { } lease || lease.Step.Value != m.Step ? $"no lease of step {m.Step} runs (J3)"
        : m.First < 0 || m.Count <= 0 || m.First > lease.Frames.Count - m.Count
            ? $"frames [{m.First}, +{m.Count}) are not inside {lease.Frames.Count}"
        : pupil.Frames.Count + m.Count > lease.Frames.Count ? "it asks for more frames than there are"
        : null;

    private void OnSnapEnds(Pupil pupil, SnapEnds m)
    {
        if (pupil.Lease?.Step.Value != m.Step && pupil.Asks is null) return;
        (pupil.Lease, pupil.Asks) = (null, null);
        pupil.Frames.Clear();
    }

    private void EndLease(Pupil pupil, string why)
    {
        Tell(pupil, new SnapEnds { Step = pupil.Lease!.Step.Value, Reason = why });
        Note($"the lease of {pupil.Id} ends: {why}");
        pupil.Lease = null;
        pupil.Frames.Clear();
    }

    // ---- Frames ----

    private void OnHeard(Pupil pupil, ChunkHeard m)
    {
        if (m.Bytes != pupil.UnderWay || m.Bytes <= 0)
        {
            Note($"ChunkHeard of {pupil.Id}: of {m.Bytes} bytes, {pupil.UnderWay} are under way");
            return;
        }

        pupil.UnderWay = 0;
        foreach (var record in pupil.Sent) record.Release();
        pupil.Sent.Clear();
        pupil.Pacer.OnHeard(m.Bytes, pupil.SentAt, _now);
        Pump(pupil);
    }

    private void Pump(Pupil pupil)
    {
        if (pupil.Status is PupilStatus.Gone or PupilStatus.Known || !pupil.Linked || pupil.UnderWay > 0) return;
        if (pupil.Status == PupilStatus.Finishing && pupil is { Records.Count: 0, Copying: 0 }
            && _applied >= pupil.Target)
        {
            End(pupil, "it is a member");
            return;
        }

        if (pupil.Status != PupilStatus.Finishing && _now < pupil.Pacer.NextAt) return;
        if (pupil.Frames.Count > 0 && (pupil.FramesNext || pupil.Records.Count == 0)) SendNextFrame(pupil);
        else if (pupil.Records.Count > 0) SendNextRecords(pupil);
    }

    private void SendNextFrame(Pupil pupil)
    {
        var frame = pupil.Frames.Dequeue();
        var (vector, offset, length) = pupil.Lease!.Frames.At(frame);
        Begin(pupil, length * sizeof(float), framesNext: false);
        _outputs.Add(new SendFrame(pupil.Incarnation, pupil.Lease.Copy, vector, offset, length));
    }

    private void SendNextRecords(Pupil pupil)
    {
        var records = new List<FeedRecord>();
        var bytes = 0L;
        while (pupil.Records.TryPeek(out var next) && (records.Count == 0 || bytes + next.Bytes <= PackedBytesMax))
        {
            records.Add(pupil.Records.Dequeue());
            bytes += next.Bytes;
        }

        pupil.QueuedBytes -= bytes;
        pupil.Sent.AddRange(records);
        Begin(pupil, bytes, framesNext: true);
        _outputs.Add(new SendRecords(pupil.Incarnation, records));
    }

    private void Begin(Pupil pupil, long bytes, bool framesNext)
    {
        Invariant.Check(pupil.UnderWay == 0, "J4 one frame of a learner is under way");
        (pupil.UnderWay, pupil.SentAt, pupil.FramesNext) = (bytes, _now, framesNext);
    }

    /// <summary>When <see cref="Tick"/> is due; Never: nothing is to be sent or waited for.</summary>
    public Instant NextDue
    {
        get
        {
            var due = Instant.Never;
            foreach (var pupil in _pupils)
            {
                if (!pupil.Linked || pupil.Status == PupilStatus.Known) continue;
                var at = pupil.UnderWay > 0 ? pupil.SentAt + clocks.LearnerChunk
                    : pupil.Records.Count > 0 || pupil.Frames.Count > 0 ? pupil.Pacer.NextAt
                    : pupil.Lease is not null ? _now + LeaseMin : Instant.Never;
                if (at < due) due = at;
            }

            return due;
        }
    }
}
