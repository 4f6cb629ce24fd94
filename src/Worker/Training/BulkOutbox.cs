using Convoy.Actors.Remoting;
using Convoy.Shared.Protocol;

namespace Convoy.Worker.Training;

/// <summary>
/// Frames on their way to members, each member's in order. A lane that takes no more now keeps its frames here; they
/// hold no memory of their own, for a payload is a part of a vector that stays as it is until the step is held.
/// </summary>
internal sealed class BulkOutbox(IBulkCompletion completion)
{
    private Peer?[] _peers = [];
    private Queue<(BulkHeader Header, ReadOnlyMemory<byte> Payload)>[] _waiting = [];
    private int _waitingCount;

    public bool HasWaiting => Volatile.Read(ref _waitingCount) > 0;

    public void Link(IReadOnlyList<Peer?> peersByMember)
    {
        _peers = [.. peersByMember];
        _waiting = [.. peersByMember.Select(_ => new Queue<(BulkHeader, ReadOnlyMemory<byte>)>())];
        Volatile.Write(ref _waitingCount, 0);
    }

    /// <summary>
    /// A link has ended: what was on it is lost, so the step cannot end and nothing more of its generation goes there.
    /// The process may be dialled anew, and be in another job by then.
    /// </summary>
    public void Unlink(Peer lost)
    {
        for (var m = 0; m < _peers.Length; m++)
        {
            if (_peers[m] != lost) continue;
            _peers[m] = null;
            Interlocked.Add(ref _waitingCount, -_waiting[m].Count);
            _waiting[m].Clear();
        }
    }

    public void Send(int member, in BulkHeader header, ReadOnlyMemory<byte> payload)
    {
        if (_peers[member] is not { } peer) return;
        if (_waiting[member].Count == 0 && peer.TrySendBulk(header, payload, completion)) return;
        _waiting[member].Enqueue((header, payload));
        Interlocked.Increment(ref _waitingCount);
    }

    /// <summary>Some lane has room again.</summary>
    public void Pump()
    {
        for (var m = 0; m < _waiting.Length; m++)
        {
            while (_waiting[m].TryPeek(out var next) && _peers[m]!.TrySendBulk(next.Header, next.Payload, completion))
            {
                _waiting[m].Dequeue();
                Interlocked.Decrement(ref _waitingCount);
            }
        }
    }

    public void Clear()
    {
        foreach (var queue in _waiting) queue.Clear();
        Volatile.Write(ref _waitingCount, 0);
    }
}
