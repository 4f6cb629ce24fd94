using Convoy.Actors.Remoting;
using Convoy.Shared.Threading;
using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Worker.Collectives;

namespace Convoy.Worker.Training;

/// <summary>A state that is wanted from one peer. The vectors are spare: the state in use is not touched.</summary>
internal sealed record StateRequest(
    Generation Generation, StepNumber Step, Incarnation Source, IReadOnlyList<PinnedVector> Vectors);

/// <summary>All of it is here (frame checksums hold; the digest is still to be compared), or why not.</summary>
internal sealed record StateArrived(StateRequest Request, StateMeta Meta, string? Failure);

/// <summary>
/// Receives the frames of one state transfer at a time, straight into the vectors. Called on I/O threads.
/// </summary>
internal sealed class StateInbox
{
    private readonly OrderedLock _gate = new("a state that arrives", LockRank.Record);
    private readonly byte[] _meta = GC.AllocateArray<byte>(StateMeta.Size, pinned: true);
    private StateRequest? _request;
    private Action<StateArrived>? _done;
    private StateMeta? _first;
    private long[] _filled = [];

    public void Expect(StateRequest request, Action<StateArrived> done)
    {
        using (_gate.Enter())
            (_request, _done, _first, _filled) = (request, done, null, new long[request.Vectors.Count]);
    }

    /// <summary>
    /// Frames that still come go nowhere. A frame under way may still write into the spare vectors (M9).
    /// </summary>
    public void Cancel()
    {
        using (_gate.Enter()) (_request, _done, _first) = (null, null, null);
    }

    public Memory<byte> Rent(Peer from, in BulkHeader header)
    {
        using (_gate.Enter())
        {
            if (!IsWanted(from, header)) return default;
            if (header.Chunk == StateMeta.Chunk) return header.PayloadBytes == StateMeta.Size ? _meta : default;
            // One link keeps the order, so a gap or a repetition is a frame of something else.
            var fits = _first is not null && (uint)header.Bucket < (uint)_filled.Length
                && header.Offset == _filled[header.Bucket] && header.PayloadBytes % sizeof(float) == 0
                && header.Offset + (header.PayloadBytes / sizeof(float)) <= _request!.Vectors[header.Bucket].Length;
            return fits ? _request!.Vectors[header.Bucket].Bytes(header.Offset, header.PayloadBytes / sizeof(float))
                : default;
        }
    }

    public void Received(Peer from, in BulkHeader header)
    {
        StateArrived? arrived;
        Action<StateArrived>? done;
        using (_gate.Enter())
        {
            if (!IsWanted(from, header)) return;
            if (header.Chunk == StateMeta.Chunk) _first = StateMeta.Read(_meta);
            else _filled[header.Bucket] += header.PayloadBytes / sizeof(float);
            arrived = Complete();
            if (arrived is null) return;
            done = _done;
            (_request, _done) = (null, null);
        }

        done?.Invoke(arrived);
    }

    private bool IsWanted(Peer from, in BulkHeader header) =>
        _request is { } r && header.Generation == r.Generation && header.Step == r.Step
        && from.Id is { } id && id.Incarnation == r.Source;

    private StateArrived? Complete()
    {
        if (_first is not { } meta) return null;
        if (meta.Step.Value < 0)
            return new StateArrived(_request!, meta, $"the source does not hold step {_request!.Step}");
        if (meta.Vectors != _request!.Vectors.Count || _request.Vectors.Sum(v => (long)v.Length) != meta.Elements)
            return new StateArrived(_request, meta,
                $"the source has {meta.Vectors} vectors of {meta.Elements} elements, {_request.Vectors.Count} of "
                + $"{_request.Vectors.Sum(v => (long)v.Length)} are needed here");
        for (var i = 0; i < _filled.Length; i++)
            if (_filled[i] < _request.Vectors[i].Length) return null;
        return new StateArrived(_request, meta, null);
    }
}
