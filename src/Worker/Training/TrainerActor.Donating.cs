using System.Runtime.InteropServices;
using Convoy.Shared;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Tensors;
using Convoy.Shared.Time;
using Convoy.Worker.Collectives;
using Convoy.Worker.Learning;

namespace Convoy.Worker.Training;

// What learners get from this member: its orders go to the device, its frames to their links.
internal sealed partial class TrainerActor
{
    private const string DonorTimer = "donor";
    private static readonly TimeSpan RoomAgainAfter = TimeSpan.FromMilliseconds(20);
    private readonly DonorProtocol _donors;
    private readonly FeedMemory _pieces = new(); // of single steps, for who lacks one: not kept
    /// <summary>Frames that a lane had no room for; one of a learner.</summary>
    private readonly List<(Incarnation To, BulkHeader Header, ReadOnlyMemory<byte> Payload)> _unsent = [];

    private sealed class DonorTick
    {
        public static readonly DonorTick Instance = new();
    }

    /// <summary>Before the links of a new generation are chosen: those of learners stay.</summary>
    private void EnterDonors(EnterGeneration m)
    {
        _entered = m;
        _peers.Pupils = [.. _donors.Pupils.Concat(m.Learners.Select(x => new Incarnation(x.Incarnation))).Distinct()];
    }

    private void OnDonorTick()
    {
        foreach (var frame in _unsent.ToArray())
        {
            _unsent.Remove(frame);
            if (_donors.Pupils.Contains(frame.To)) Send(frame.To, frame.Header, frame.Payload);
        }

        _donors.Tick(_clock.Now);
        ExecuteDonors();
    }

    private void DonorStep(DonorInput input)
    {
        _donors.Step(input, _clock.Now);
        ExecuteDonors();
    }

    private void ExecuteDonors()
    {
        foreach (var output in _donors.Drain()) Execute(output);
        _options.Board.LentBytes = _donors.HeldBytes;
        var due = _unsent.Count > 0 ? _clock.Now + RoomAgainAfter : _donors.NextDue;
        if (due == Instant.Never) return;
        var wait = due - _clock.Now;
        Timers.StartSingleTimer(DonorTimer, DonorTick.Instance, wait > TimeSpan.Zero ? wait : TimeSpan.Zero);
    }

    private void Execute(DonorOutput output)
    {
        switch (output)
        {
            case CopyChunks o when IsHeldHere(o): CopyHeldChunks(o); break;
            case CopyChunks o when IsGone(o): Self.Tell(new ChunksCopied(o.For, o.Step, []), Self); break;
            case KeepFeeding or CopySnapshot or CopyChunks: _device.Tell(output, Self); break;
            case TellPupil o: TellPeer(o.To, o.Message); break;
            case SendRecords o: SendRecords(o); break;
            case SendFrame o: SendFrame(o); break;
            case DropPupil o: _peers.DropPupil(o.Pupil); break;
            case DonorNote o: Log(LogLevel.Info, $"donor: {o.Text}"); break;
            default: throw Invariant.Unhandled(output);
        }
    }

    // A joiner that lacks a piece of the start state waits for it no longer than JoinStall, and the device may be in a
    // step for longer than that. The chunks of the newest state change only after a word of this actor (S6).
    private bool IsHeldHere(CopyChunks m) => _view is { Retains: true } view && view.Step == m.Step && m.Offset >= 0
        && m.Count > 0 && m.Offset <= view.Chunks.Length - m.Count;

    // The step that is made lies where the one before the newest was: nobody need wait for the device to say so.
    private bool IsGone(CopyChunks m) => _view is { } view && m.Step < view.Step
        && _protocol.Status is StepStatus.Compute or StepStatus.Reduce or StepStatus.Vote or StepStatus.Apply;

    private void CopyHeldChunks(CopyChunks m)
    {
        var records = new List<FeedRecord>();
        FeedRecord.Cut(records, _pieces, _view!.Chunks, m.Step, _view.Fingerprint, m.Offset, m.Offset + m.Count);
        Self.Tell(new ChunksCopied(m.For, m.Step, records), Self);
    }

    private void SendRecords(SendRecords m)
    {
        var bytes = m.Records.Sum(r => r.Bytes);
        Send(m.To, new BulkHeader(BulkKind.Feed, 0, default(TreeNode), _protocol.Generation, _protocol.State, 0, 0, 0,
            bytes, 0, _tag.Value), m.Records.Count == 1 ? m.Records[0].Content : Pack(m.Records, bytes));
    }

    // Small pieces of several steps in one frame; it is alive as long as the lane reads it.
    private static Memory<byte> Pack(IReadOnlyList<FeedRecord> records, int bytes)
    {
        var packed = new PinnedVector(bytes / sizeof(float));
        var to = MemoryMarshal.AsBytes(packed.Span);
        foreach (var record in records)
        {
            record.Content.Span.CopyTo(to);
            to = to[record.Bytes..];
        }

        return packed.Bytes(0, packed.Length);
    }

    private void SendFrame(SendFrame m)
    {
        Send(m.To, new BulkHeader(BulkKind.Snapshot, 0, default(TreeNode), _protocol.Generation, m.Copy.Step, m.Vector,
            0, m.Offset, m.Length * sizeof(float), 0, _tag.Value), m.Copy.All[m.Vector].Bytes(m.Offset, m.Length));
    }

    private void Send(Incarnation to, in BulkHeader header, ReadOnlyMemory<byte> payload)
    {
        if (_peers.Find(to)?.TrySendBulk(header, payload) != true) _unsent.Add((to, header, payload));
    }
}
