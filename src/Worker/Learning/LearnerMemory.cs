using System.Runtime.InteropServices;
using Convoy.Actors.Remoting;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Threading;
using Convoy.Worker.Collectives;
using Convoy.Worker.Training;

namespace Convoy.Worker.Learning;

/// <summary>A frame of a transfer to this learner was received, or thrown away: its sender may send the next.</summary>
internal sealed record FrameTaken(Incarnation From, long Bytes);

/// <summary>
/// What may wait at a learner: in memory up to a bound and at least so many steps, then on disk up to another. What
/// fits in neither is refused.
/// </summary>
internal sealed record FeedRoom(long MemoryBytes, int MemoryStepsMin, long DiskBytes)
{
    public static readonly FeedRoom Default = new(256L << 20, 4, 4L << 30);

    /// <summary>Steps of a vector of so many bytes that wait in memory.</summary>
    public long MemorySteps(long vectorBytes) => Math.Max(MemoryStepsMin, MemoryBytes / Math.Max(1, vectorBytes));
}

/// <summary>
/// The numbers that a learner is sent: a copy that is not the state yet, and steps that are not applied yet. Filled on
/// I/O threads, emptied by the device; every word of it goes to the trainer.
/// </summary>
internal sealed class LearnerMemory(
    int elements, SnapshotFrames frames, FeedRoom room, FeedSpill spill, Action<object> tell)
{
    private readonly OrderedLock _gate = new("what learners hold", LockRank.Record);
    private readonly List<(StepNumber Step, PinnedVector Vector)> _steps = [];
    private readonly Stack<PinnedVector> _free = new();
    private ModelState? _copy;
    private StepNumber _copyStep;
    private StepNumber _forgotten = new(-1);
    private bool _takes;
    private int _epoch;

    private long MemorySteps => room.MemorySteps(elements * (long)sizeof(float));

    /// <summary>Bytes in memory: the copy that comes in, steps that wait, and vectors that wait for the next.</summary>
    public long HeldBytes
    {
        get
        {
            using (_gate.Enter())
            {
                var copy = _copy is null ? 0 : frames.Bytes;
                return copy + ((_steps.Count + _free.Count) * (long)elements * sizeof(float));
            }
        }
    }

    /// <summary>Bytes that wait on disk.</summary>
    public long SpilledBytes => spill.Bytes;

    public void BeginCopy(StepNumber step, ModelState copy)
    {
        using (_gate.Enter()) (_copyStep, _copy) = (step, copy);
    }

    /// <summary>The copy; frames that still come for it are thrown away.</summary>
    public ModelState? EndCopy()
    {
        using (_gate.Enter())
        {
            var copy = _copy;
            _copy = null;
            return copy;
        }
    }

    /// <summary>A new epoch begins: nothing of the old one counts, here or on its way to the protocol.</summary>
    public void Clear(int epoch, bool takesMore)
    {
        using (_gate.Enter())
        {
            (_epoch, _takes, _copy, _forgotten) = (epoch, takesMore, null, new StepNumber(-1));
            _steps.Clear(); // not used again: a frame under way may still write there
            _free.Clear();
            spill.Clear();
        }
    }

    /// <summary>
    /// Copies the whole step, which stays here until it is forgotten; returns why it cannot be read, or null. For the
    /// device's thread, which may wait for a disk.
    /// </summary>
    public string? Copy(StepNumber step, PinnedVector into)
    {
        PinnedVector? vector;
        using (_gate.Enter()) vector = _steps.Find(s => s.Step == step).Vector;
        if (vector is null) return spill.Read(step, into);
        vector.Span.CopyTo(into.Span);
        return null;
    }

    public void Forget(StepNumber upTo)
    {
        using (_gate.Enter())
        {
            _forgotten = upTo;
            foreach (var (step, vector) in _steps)
                if (step <= upTo) _free.Push(vector);
            _steps.RemoveAll(s => s.Step <= upTo);
            spill.Forget(upTo);
        }
    }

    public Memory<byte> Rent(Peer from, in BulkHeader header)
    {
        using (_gate.Enter())
        {
            if (_copy is { } copy && header.Step == _copyStep
                && frames.Find(header.Bucket, header.Offset, header.PayloadBytes) >= 0)
                return copy.All[header.Bucket].Bytes(header.Offset, header.PayloadBytes / sizeof(float));
        }

        SayTaken(from, header);
        return default;
    }

    /// <summary>A frame of the copy is complete where it belongs.</summary>
    public void Received(Peer from, in BulkHeader header)
    {
        SayTaken(from, header);
        if (from.Id is { } id)
            tell(new FrameIn(id.Incarnation, header.Step,
                frames.Find(header.Bucket, header.Offset, header.PayloadBytes), _epoch));
    }

    /// <summary>
    /// Pieces of steps; the bytes are the caller's. Their sender hears of them when they are stored: a slow disk slows
    /// it.
    /// </summary>
    public void Take(Peer from, in BulkHeader header, ReadOnlySpan<byte> bytes)
    {
        if (from.Id is { } id) TakePieces(id.Incarnation, header, bytes);
        SayTaken(from, header);
    }

    private void TakePieces(Incarnation from, in BulkHeader header, ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > 0)
        {
            var stored = -1;
            var why = FeedHeader.TryRead(bytes, elements, out var piece) ?? Store(piece, bytes, out stored);
            if (why is not null) { tell(new FeedBroken(from, why)); return; }
            if (stored >= 0) tell(new PieceIn(from, piece, stored));
            bytes = bytes[piece.Bytes..];
        }

        tell(new FeedFrameIn(from, header.Step));
    }

    public void SayTaken(Peer from, in BulkHeader header)
    {
        if (from.Id is { } id) tell(new FrameTaken(id.Incarnation, header.PayloadBytes));
    }

    /// <param name="epoch">In which it was stored; -1: it is not needed.</param>
    private string? Store(FeedHeader piece, ReadOnlySpan<byte> bytes, out int epoch)
    {
        using (_gate.Enter())
        {
            epoch = -1;
            if (!_takes || piece.Step <= _forgotten) return null;
            var content = bytes[FeedHeader.Size..piece.Bytes];
            if (VectorFor(piece.Step) is { } vector)
                MemoryMarshal.Cast<byte, float>(content).CopyTo(vector.Span.Slice((int)piece.Offset, piece.Count));
            else if (spill.Add(piece, content) is { } why)
                return $"{_steps.Count} steps wait in memory, {MemorySteps} may; {why}";
            epoch = _epoch;
            return null;
        }
    }

    // A step is in memory or on disk, not in both; null: there is no room in memory.
    private PinnedVector? VectorFor(StepNumber step)
    {
        if (_steps.Find(s => s.Step == step).Vector is { } known) return known;
        if (_steps.Count >= MemorySteps || spill.Holds(step)) return null;
        var vector = _free.TryPop(out var free) ? free : new PinnedVector(elements);
        _steps.Add((step, vector));
        return vector;
    }
}
