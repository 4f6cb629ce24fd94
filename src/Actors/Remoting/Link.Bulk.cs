using Convoy.Actors.Remoting.Lanes;
using Convoy.Actors.Remoting.Session;
using Convoy.Shared;
using Convoy.Shared.Protocol;

namespace Convoy.Actors.Remoting;

/// <summary>
/// The queue of bulk frames, bounded in frames and bytes, and the counts that tell whether a frame was lost.
/// </summary>
internal abstract partial class Link
{
    private readonly Queue<BulkItem> _bulkQueue = new();
    private long _bulkQueueBytes;
    private long _bulkStarted;  // frames handed to a connection in this session
    private long _bulkReceived; // frames read whole in this session, by lanes before this one

    public override bool TrySendBulk(in BulkHeader header, ReadOnlyMemory<byte> payload, IBulkCompletion? done = null)
    {
        if (payload.Length > Limits.BulkPayloadBytesMax)
            throw new ArgumentException(
                $"a bulk payload has at most {Limits.BulkPayloadBytesMax} bytes, this one {payload.Length}",
                nameof(payload));
        BulkLane? lane;
        using (_gate.Enter())
        {
            if (_closed || !_wasUp || _session.Status == SessionStatus.Over) return false;
            var full = _bulkQueue.Count >= Remoting.Options.BulkQueueFramesMax
                || (_bulkQueue.Count > 0 && _bulkQueueBytes + payload.Length > Remoting.Options.BulkQueueBytesMax);
            if (full) return false;
            _bulkQueue.Enqueue(new BulkItem(header, payload, done));
            _bulkQueueBytes += payload.Length;
            lane = _bulk;
        }

        lane?.Kick();
        return true;
    }

    /// <summary>
    /// The next frame; when <paramref name="onlySmall"/>, only if it fits into <paramref name="room"/> bytes.
    /// </summary>
    public bool TakeBulk(BulkLane lane, int room, bool onlySmall, out BulkItem item)
    {
        item = default;
        using (_gate.Enter())
        {
            if (lane != _bulk || !_bulkQueue.TryPeek(out item)) return false;
            if (onlySmall && item.Payload.Length > room)
            {
                item = default;
                return false;
            }

            _bulkQueue.Dequeue();
            _bulkQueueBytes -= item.Payload.Length;
            _bulkStarted++;
        }

        Room.Wake();
        return true;
    }

    public bool HasBulk(BulkLane lane)
    {
        using (_gate.Enter()) return lane == _bulk && _bulkQueue.Count > 0;
    }

    private long BulkReceived_NeedsGate => _bulkReceived + (_bulk?.Received ?? 0);

    /// <summary>What the old lane reads from now on is lost with it: the peer hears that it was not received.</summary>
    private void SetBulk_NeedsGate(BulkLane? lane)
    {
        _bulkReceived = BulkReceived_NeedsGate;
        _bulk?.Close();
        _bulk = lane;
    }

    private List<BulkItem> TakeUnsent_NeedsGate()
    {
        var unsent = _bulkQueue.ToList();
        _bulkQueue.Clear();
        _bulkQueueBytes = 0;
        return unsent;
    }
}
