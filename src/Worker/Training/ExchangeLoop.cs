using System.Buffers.Binary;
using Convoy.Actors;
using Convoy.Actors.Remoting;
using Convoy.Kernels;
using Convoy.Shared;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Tensors;
using Convoy.Worker.Collectives;
using Convoy.Worker.Learning;

namespace Convoy.Worker.Training;

/// <summary>Who takes part in a generation, with the layout that follows from it.</summary>
internal sealed record ExchangeGeneration(
    Generation Generation, StepNumber Start, ShareMap Shares, Incarnation[] Members, int Me, ExchangeLayout Layout)
{
    public ExchangePlan Plan { get; } = ExchangePlan.Of(Layout, Shares, Members);
}

/// <summary>
/// Drives <see cref="ExchangeProtocol"/>: frames from the bulk lane, buckets from the device, bytes and additions in
/// between. Whatever thread brings an event runs it, unless another one is at it already; the device's thread only
/// leaves its buckets here and goes on with backward, and a thread of the loop's own sends them. So a received frame
/// costs no hand-over, and the exchange overlaps with backward.
/// </summary>
internal sealed class ExchangeLoop : IBulkReceiver, IBulkCompletion, IDisposable
{
    private const string Source = "exchange";
    private readonly IEventQueue _events;
    private readonly ExchangeProtocol _protocol;
    private readonly ExchangeOutbox _outbox = new();
    private readonly PinnedBuffers _buffers;
    private readonly BulkOutbox _sends;
    private readonly IActorRef _trainer;
    private readonly JobTag _job;
    private readonly StateInbox _states;
    private readonly LearnerMemory _learned;
    private readonly ILogSink _log;
    private readonly PinnedBuffer[] _scalars;
    private readonly List<PinnedBuffer> _ownCopies = []; // of the block that is being added
    private bool _copied;
    private ExchangeGeneration? _generation;
    private StepWork? _work;
    private long _generationFloor; // frames below it are refused before a byte of them is read
    private int[] _missing = [];   // read by the beat, written here

    public ExchangeLoop(
        WorkerId me, JobTag job, IActorRef trainer, StateInbox states, LearnerMemory learned, long receiveBytesMax,
        int slices, ILogSink log, NewEventQueue newEvents)
    {
        (_trainer, _states, _learned, _log) = (trainer, states, learned, log);
        (Me, _job) = (me, job);
        _protocol = new ExchangeProtocol(receiveBytesMax / 2);
        _buffers = new PinnedBuffers(receiveBytesMax);
        _scalars = [new PinnedBuffer(0, 16 + (8 * slices)), new PinnedBuffer(1, 16 + (8 * slices))];
        _events = newEvents("convoy-exchange", OnFailure);
        _sends = new BulkOutbox(this);
    }

    public WorkerId Me { get; }

    public bool IsStopped(Generation generation) => generation.Value < Interlocked.Read(ref _generationFloor);

    // ---- What others tell it ----

    public void Enter(ExchangeGeneration generation) => _events.Post(() => OnEnter(generation), here: true);

    public void Link(Generation generation, IReadOnlyList<Peer?> peersByMember) =>
        _events.Post(() => { if (_generation?.Generation == generation) _sends.Link(peersByMember); }, here: true);

    public void Unlink(Generation generation, Peer lost) =>
        _events.Post(() => { if (_generation?.Generation == generation) _sends.Unlink(lost); }, here: true);

    public void Begin(StepWork work) => _events.Post(() => OnBegin(work), here: true);

    /// <summary>Called by the device inside backward: nothing runs on its thread.</summary>
    public void BucketReady(StepNumber step, int bucket) =>
        _events.Post(() => OnBucketReady(step, bucket), here: false);

    /// <summary>The device is done with the step: it lends its thread.</summary>
    public void ScalarsReady(StepNumber step) => _events.Post(() => OnScalarsReady(step), here: true);

    public void Stop(Generation generation)
    {
        Interlocked.Exchange(ref _generationFloor, generation.Value + 1);
        _events.Post(() => OnStop(generation), here: true);
    }

    /// <summary>Members of whom frames are missing in the running step.</summary>
    public IEnumerable<WorkerId> WaitsOn()
    {
        var (generation, missing) = (_generation, _missing);
        if (generation is null || missing.Length != generation.Members.Length) yield break;
        for (var m = 0; m < missing.Length; m++)
            if (m != generation.Me && Volatile.Read(ref missing[m]) > 0) yield return generation.Shares.Members[m];
    }

    // ---- The bulk lane, on its I/O threads ----

    public Memory<byte> Rent(Peer from, in BulkHeader header)
    {
        if (!_job.Takes(header)) return default;
        if (header.Kind == BulkKind.State) return _states.Rent(from, header);
        if (header.Kind == BulkKind.Snapshot) return _learned.Rent(from, header);
        if (header.Kind == BulkKind.Feed) return RentForFeed(from, header);
        if (header.Generation.Value < Interlocked.Read(ref _generationFloor)) return default;
        if (Volatile.Read(ref _generation) is { } entered && entered.Generation == header.Generation
            && entered.Plan.Value != header.Plan)
        {
            SayPlan(from, header);
            return default;
        }

        if (_buffers.TryRent(header.PayloadBytes) is { } buffer) return buffer.Bytes;
        _log.Write(LogLevel.Warning, Source,
            $"{header.Kind} of {header.Generation} step {header.Step} from {from} refused: receive memory is full (X4)");
        return default;
    }

    /// <summary>The header alone goes to the protocol, which knows whether the sender is a member (X6).</summary>
    private void SayPlan(Peer from, in BulkHeader header)
    {
        if (from.Id is not { } id) return;
        var copy = header;
        _events.Post(() => OnFrame(id.Incarnation, copy, ExchangeProtocol.None), here: true);
    }

    private Memory<byte> RentForFeed(Peer from, in BulkHeader header)
    {
        if (_buffers.TryRent(header.PayloadBytes) is { } buffer) return buffer.Bytes;
        _learned.SayTaken(from, header);
        return default;
    }

    public void Received(Peer from, in BulkHeader header, Memory<byte> payload)
    {
        if (header.Kind == BulkKind.State) { _states.Received(from, header); return; }
        if (header.Kind == BulkKind.Snapshot) { _learned.Received(from, header); return; }
        if (!System.Runtime.InteropServices.MemoryMarshal.TryGetMemoryManager<byte, PinnedBuffer>(payload,
            out var buffer))
            return; // an empty frame: there is none in this protocol
        if (header.Kind == BulkKind.Feed)
        {
            _learned.Take(from, header, buffer.Bytes.Span);
            _buffers.Return(buffer.Handle);
            return;
        }

        if (from.Id is not { } id) { _buffers.Return(buffer.Handle); return; }
        var copy = header;
        _events.Post(() => OnFrame(id.Incarnation, copy, buffer.Handle), here: true);
    }

    public void Return(Memory<byte> rented)
    {
        if (System.Runtime.InteropServices.MemoryMarshal.TryGetMemoryManager<byte, PinnedBuffer>(rented,
            out var buffer))
            _buffers.Return(buffer.Handle);
    }

    public void Damaged(Peer from, in BulkHeader header, string why)
    {
        _log.Write(LogLevel.Warning, Source,
            $"{header.Kind} of {header.Generation} step {header.Step} from {from}: {why}");
        if (!_job.Takes(header)) return;
        // What a learner misses it asks for again; its link may be a member's.
        if (header.Kind is BulkKind.Snapshot or BulkKind.Feed) { _learned.SayTaken(from, header); return; }
        if (header.Generation.Value < Interlocked.Read(ref _generationFloor)) return; // of a step that was given up
        // Nobody sends a frame twice: without it the step cannot end, so the link is as good as lost.
        from.Close();
    }

    public void Completed(in BulkHeader header, bool sent)
    {
        if (_sends.HasWaiting) _events.Post(() => _sends.Pump(), here: true);
    }

    // ---- The loop ----

    private void OnEnter(ExchangeGeneration generation)
    {
        _generation = generation;
        Interlocked.Exchange(ref _generationFloor, generation.Generation.Value);
        _missing = new int[generation.Members.Length];
        _protocol.Enter(generation.Generation, generation.Start, generation.Members, generation.Me, generation.Layout,
            generation.Plan, _outbox);
        Execute();
    }

    private void OnBegin(StepWork work)
    {
        // A stop may have overtaken the step; the device's buckets are then refused by name below.
        if (_protocol.Status != ExchangeStatus.Between || work.Step != _protocol.Step.Next) return;
        _work = work;
        _protocol.Begin(work.Step, work.Tree, _outbox);
        Execute();
    }

    private void OnBucketReady(StepNumber step, int bucket)
    {
        _protocol.BucketReady(step, bucket, _outbox);
        Execute();
    }

    private void OnScalarsReady(StepNumber step)
    {
        _protocol.ScalarsReady(step, _outbox);
        Execute();
    }

    private void OnFrame(Incarnation from, in BulkHeader header, int handle)
    {
        _protocol.Frame(from, header, handle, _outbox);
        Execute();
    }

    private void OnStop(Generation generation)
    {
        if (_generation?.Generation != generation) return;
        _protocol.Stop(_outbox);
        Execute();
        _sends.Clear();
        _trainer.Tell(new ExchangeStopped(generation), ActorRefs.NoSender);
    }

    private void OnFailure(Exception cause) =>
        _trainer.Tell(new DeviceFailed($"exchange: {cause.Message.ReplaceLineEndings(" ")}", cause.ToString(), 1),
            ActorRefs.NoSender);

    private void Execute()
    {
        foreach (var note in _outbox.Notes) _log.Write(LogLevel.Info, Source, note);
        foreach (var action in _outbox.Actions) Execute(action);
        if (_outbox.Mismatch is var (member, difference)) SayMismatch(member, difference);
        _outbox.Clear();
        for (var m = 0; m < _missing.Length; m++) Volatile.Write(ref _missing[m], _protocol.MissingFrom(m));
    }

    private void SayMismatch(int member, string difference) =>
        _trainer.Tell(new DeviceFailed(
            $"{Me} and {_generation!.Shares.Members[member]} do not exchange the same gradients in "
            + $"{_generation.Generation}: {difference} (R16); compare their builds", "", (int)ExitCode.Failed),
            ActorRefs.NoSender);

    private void Execute(in ExchangeAction action)
    {
        switch (action.Kind)
        {
            case ExchangeActionKind.SendPartial: SendPartial(action); break;
            case ExchangeActionKind.Reduce: Reduce(action.Block); break;
            case ExchangeActionKind.SendReduced: SendReduced(action.Block); break;
            case ExchangeActionKind.Store: Store(action.Block, action.Handle); break;
            case ExchangeActionKind.SendScalars: SendScalars(); break;
            case ExchangeActionKind.TakeScalars: TakeScalars(action.Member, action.Handle); break;
            case ExchangeActionKind.Release: _buffers.Return(action.Handle); break;
            case ExchangeActionKind.Held: OnHeld(); break;
            default: throw Invariant.Unhandled(action.Kind);
        }
    }

    private void SendPartial(in ExchangeAction action)
    {
        var block = _generation!.Layout.Blocks[action.Block];
        var node = _work!.Tree.Slots[action.Slot].Node;
        var header = Header(BulkKind.Partial, node, block, block.Length * sizeof(float));
        _sends.Send(action.Member, header, _work.GradientOf(node).Bytes(block.Offset, block.Length));
    }

    // The additions of the tree, in its order, whatever came first. Own gradients are added into: nobody needs them
    // again, except where they are on their way to the others.
    private void Reduce(int blockIndex)
    {
        var block = _generation!.Layout.Blocks[blockIndex];
        var tree = _work!.Tree;
        if (block.IsDirect && _generation.Members.Length > 1) CopyOwnParts(blockIndex);
        foreach (var (into, from) in tree.Adds) AxpyTree.Add<float>(Part(blockIndex, into), Part(blockIndex, from));
        var reduced = _work.Reduced.Span.Slice((int)block.Offset, block.Length);
        var sum = Part(blockIndex, tree.Root);
        if (!sum.Overlaps(reduced)) sum.CopyTo(reduced); // one member writes its gradient in place
        for (var slot = 0; slot < tree.Slots.Length; slot++)
            if (_protocol.HandleOf(blockIndex, slot) is >= 0 and var handle) _buffers.Return(handle);
        _protocol.Forget(blockIndex);
        foreach (var copy in _ownCopies) _buffers.Return(copy.Handle);
        _ownCopies.Clear();
        _copied = false;
        Checksum(block);
    }

    private void CopyOwnParts(int blockIndex)
    {
        var tree = _work!.Tree;
        var me = _generation!.Me;
        for (var slot = tree.FirstSlotOf[me]; slot < tree.FirstSlotOf[me + 1]; slot++)
        {
            var part = Part(blockIndex, slot);
            var copy = _buffers.TryRent(part.Length * sizeof(float));
            Invariant.Check(copy is not null, "X4 the bound of receive memory leaves room for the own parts");
            part.CopyTo(copy.Floats);
            _ownCopies.Add(copy);
        }

        _copied = true;
    }

    private Span<float> Part(int blockIndex, int slot)
    {
        var handle = _protocol.HandleOf(blockIndex, slot);
        if (handle >= 0) return _buffers[handle].Floats;
        if (_copied) return _ownCopies[slot - _work!.Tree.FirstSlotOf[_generation!.Me]].Floats;
        var block = _generation!.Layout.Blocks[blockIndex];
        return _work!.GradientOf(_work.Tree.Slots[slot].Node).Span.Slice((int)block.Offset, block.Length);
    }

    private void SendReduced(int blockIndex)
    {
        var block = _generation!.Layout.Blocks[blockIndex];
        var header = Header(BulkKind.Reduced, default, block, block.Length * sizeof(float));
        SendToAll(header, _work!.Reduced.Bytes(block.Offset, block.Length));
    }

    private void Store(int blockIndex, int handle)
    {
        var block = _generation!.Layout.Blocks[blockIndex];
        _buffers[handle].Floats.CopyTo(_work!.Reduced.Span.Slice((int)block.Offset, block.Length));
        _buffers.Return(handle);
        Checksum(block);
    }

    private void Checksum(in ExchangeBlock block)
    {
        var first = (int)(block.Offset / Limits.NormBlock);
        FingerprintChain.Checksums(_work!.Reduced.Span.Slice((int)block.Offset, block.Length),
            _work.Checksums.AsSpan(first, FingerprintChain.BlockCount(block.Length)));
    }

    // Scalars: samples of the step (8 bytes), H of the state it starts from (8), then a float64 loss for each own
    // slice.
    private void SendScalars()
    {
        var work = _work!;
        var buffer = _scalars[work.Step.Value & 1];
        buffer.Length = 16 + (8 * work.Share.Count);
        var bytes = buffer.GetSpan();
        BinaryPrimitives.WriteInt64LittleEndian(bytes, work.Samples);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes[8..], work.Before.Value);
        for (var i = 0; i < work.Share.Count; i++)
            BinaryPrimitives.WriteDoubleLittleEndian(bytes[(16 + (8 * i))..], work.SliceLoss[work.Share.From + i]);
        SendToAll(Header(BulkKind.Scalars, default, default, buffer.Length), buffer.Bytes);
    }

    private void TakeScalars(int member, int handle)
    {
        var work = _work!;
        var share = _generation!.Shares.ShareOf(member);
        var buffer = _buffers[handle];
        var bytes = buffer.Bytes.Span;
        Invariant.Check(bytes.Length == 16 + (8 * share.Count), "S7 scalars have a loss for each slice of the share");
        Invariant.Check(BinaryPrimitives.ReadInt64LittleEndian(bytes) == work.Samples,
            "S7 members mean the same samples");
        var theirs = new Fingerprint(BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]));
        for (var i = 0; i < share.Count; i++)
            work.SliceLoss[share.From + i] = BinaryPrimitives.ReadDoubleLittleEndian(bytes[(16 + (8 * i))..]);
        _buffers.Return(handle);
        if (theirs == work.Before) return;
        _trainer.Tell(new HistoryDiffers(_generation.Shares.Members[member],
            new StepNumber(work.Step.Value - 1), theirs,
            work.Before), ActorRefs.NoSender);
    }

    private void OnHeld()
    {
        _work!.Held = true;
        _trainer.Tell(new StepHeld(_generation!.Generation, _work.Step), ActorRefs.NoSender);
    }

    private void SendToAll(in BulkHeader header, ReadOnlyMemory<byte> payload)
    {
        // Everybody begins with the member after itself, so that one receiver is not everybody's first.
        for (var i = 1; i < _generation!.Members.Length; i++)
            _sends.Send((_generation.Me + i) % _generation.Members.Length, header, payload);
    }

    private BulkHeader Header(BulkKind kind, TreeNode node, in ExchangeBlock block, int bytes) =>
        new(kind, 0, node, _protocol.Generation, _protocol.Step, block.Bucket, block.Owner, block.Offset, bytes, 0,
            _protocol.Plan.Value);

    public void Dispose() => _events.Dispose();
}
