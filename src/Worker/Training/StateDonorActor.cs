using Convoy.Actors;
using Convoy.Actors.Remoting;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Tensors;
using Convoy.Worker.Collectives;
using Convoy.Worker.Learning;

namespace Convoy.Worker.Training;

/// <summary>
/// Send these vectors to a peer; without vectors: say that they are not here. They stay as they are while the
/// generation waits for the peer: nobody passes the step without it.
/// </summary>
internal sealed record Donate(
    Peer To, Generation Generation, StepNumber Step, Fingerprint Fingerprint, double? LossSum,
    IReadOnlyList<PinnedVector> Vectors);

/// <summary>Sends states to those who are behind, one after the other, as fast as the lane takes them.</summary>
internal sealed class StateDonorActor : ReceiveActor, IBulkCompletion
{
    private const int FrameElements = ExchangeLayout.BlockElementsMax;
    private readonly Queue<(Peer To, BulkHeader Header, ReadOnlyMemory<byte> Payload)> _frames = new();
    private readonly IActorRef _self;
    private readonly JobTag _job;

    public StateDonorActor(JobTag job)
    {
        (_self, _job) = (Self, job);
        Receive<Donate>(OnDonate);
        Receive<RoomAgain>(_ => Pump());
        Receive<CopyMade>(m => Sender.Tell(new SnapshotCopied(m.Copy, StateMeta.DigestOf(m.Copy.All)), Self));
    }

    private void OnDonate(Donate m)
    {
        var meta = m.Vectors.Count == 0
            ? StateMeta.Declined
            : new StateMeta(m.Step, m.Fingerprint, m.Vectors.Sum(v => (long)v.Length), m.Vectors.Count,
                StateMeta.DigestOf(m.Vectors), m.LossSum);
        var first = GC.AllocateArray<byte>(StateMeta.Size, pinned: true);
        meta.Write(first);
        _frames.Enqueue((m.To, Header(m, 0, StateMeta.Chunk, 0, first.Length), first));
        for (var v = 0; v < m.Vectors.Count; v++)
        {
            for (var at = 0; at < m.Vectors[v].Length; at += FrameElements)
            {
                var length = Math.Min(FrameElements, m.Vectors[v].Length - at);
                _frames.Enqueue((m.To, Header(m, v, 0, at, length * sizeof(float)), m.Vectors[v].Bytes(at, length)));
            }
        }

        Pump();
    }

    private BulkHeader Header(Donate m, int vector, int chunk, long offset, int bytes) =>
        new(BulkKind.State, 0, default(TreeNode), m.Generation, m.Step, vector, chunk, offset, bytes, 0, _job.Value);

    private void Pump()
    {
        while (_frames.TryPeek(out var next))
        {
            // A link that is gone takes nothing any more; its joiner starts again in another generation.
            var gone = next.To.State is LinkState.Down or LinkState.Closed;
            if (!gone && !next.To.TrySendBulk(next.Header, next.Payload, this)) return;
            _frames.Dequeue();
        }
    }

    // On an I/O thread.
    public void Completed(in BulkHeader header, bool sent) => _self.Tell(RoomAgain.Instance, ActorRefs.NoSender);

    private sealed class RoomAgain
    {
        public static readonly RoomAgain Instance = new();
    }
}
