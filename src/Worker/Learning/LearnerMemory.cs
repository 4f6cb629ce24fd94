using System.Runtime.InteropServices;
using Convoy.Actors.Remoting;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Worker.Collectives;
using Convoy.Worker.Training;

namespace Convoy.Worker.Learning;

/// <summary>A frame of a transfer to this learner was received, or thrown away: its sender may send the next.</summary>
internal sealed record FrameTaken(Incarnation From, long Bytes);

/// <summary>
/// The numbers that a learner is sent: a copy that is not the state yet, and steps that are not applied yet. Filled on
/// I/O threads, emptied by the device; every word of it goes to the trainer. Bounded: what does not fit is refused.
/// </summary>
internal sealed class LearnerMemory(
    int elements, SnapshotFrames frames, long stepBytesMax, Action<object> tell)
{
    private readonly Lock _gate = new();
    private readonly List<(StepNumber Step, PinnedVector Vector)> _steps = [];
    private readonly Stack<PinnedVector> _free = new();
    private ModelState? _copy;
    private StepNumber _copyStep;
    private StepNumber _forgotten = new(-1);
    private bool _takes;
    private int _epoch;

    /// <summary>Bytes of a vector; every step that waits has one.</summary>
    private long VectorBytes => elements * (long)sizeof(float);

    public void BeginCopy(StepNumber step, ModelState copy)
    {
        lock (_gate) (_copyStep, _copy) = (step, copy);
    }

    /// <summary>The copy; frames that still come for it are thrown away.</summary>
    public ModelState? EndCopy()
    {
        lock (_gate)
        {
            var copy = _copy;
            _copy = null;
            return copy;
        }
    }

    /// <summary>A new epoch begins: nothing of the old one counts, here or on its way to the protocol.</summary>
    public void Clear(int epoch, bool takesMore)
    {
        lock (_gate)
        {
            (_epoch, _takes, _copy, _forgotten) = (epoch, takesMore, null, new StepNumber(-1));
            _steps.Clear(); // not used again: a frame under way may still write there
            _free.Clear();
        }
    }

    /// <summary>The whole step; it stays here until it is forgotten.</summary>
    public PinnedVector Find(StepNumber step)
    {
        lock (_gate) return _steps.Find(s => s.Step == step).Vector;
    }

    public void Forget(StepNumber upTo)
    {
        lock (_gate)
        {
            _forgotten = upTo;
            foreach (var (step, vector) in _steps)
                if (step <= upTo) _free.Push(vector);
            _steps.RemoveAll(s => s.Step <= upTo);
        }
    }

    public Memory<byte> Rent(Peer from, in BulkHeader header)
    {
        lock (_gate)
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

    /// <summary>Pieces of steps; the bytes are the caller's.</summary>
    public void Take(Peer from, in BulkHeader header, ReadOnlySpan<byte> bytes)
    {
        SayTaken(from, header);
        if (from.Id is not { } id) return;
        while (bytes.Length > 0)
        {
            var stored = -1;
            var why = FeedHeader.TryRead(bytes, elements, out var piece) ?? Store(piece, bytes, out stored);
            if (why is not null) { tell(new FeedBroken(id.Incarnation, why)); return; }
            if (stored >= 0) tell(new PieceIn(id.Incarnation, piece, stored));
            bytes = bytes[piece.Bytes..];
        }

        tell(new FeedFrameIn(id.Incarnation, header.Step));
    }

    public void SayTaken(Peer from, in BulkHeader header)
    {
        if (from.Id is { } id) tell(new FrameTaken(id.Incarnation, header.PayloadBytes));
    }

    /// <param name="epoch">In which it was stored; -1: it is not needed.</param>
    private string? Store(FeedHeader piece, ReadOnlySpan<byte> bytes, out int epoch)
    {
        lock (_gate)
        {
            epoch = -1;
            if (!_takes || piece.Step <= _forgotten) return null;
            var vector = _steps.Find(s => s.Step == piece.Step).Vector;
            if (vector is null)
            {
                if ((_steps.Count + 1) * VectorBytes > stepBytesMax)
                    return $"{_steps.Count} steps wait, {stepBytesMax / VectorBytes} fit in {stepBytesMax} bytes";
                vector = _free.TryPop(out var free) ? free : new PinnedVector(elements);
                _steps.Add((piece.Step, vector));
            }

            MemoryMarshal.Cast<byte, float>(bytes[FeedHeader.Size..piece.Bytes])
                .CopyTo(vector.Span.Slice((int)piece.Offset, piece.Count));
            epoch = _epoch;
            return null;
        }
    }
}
