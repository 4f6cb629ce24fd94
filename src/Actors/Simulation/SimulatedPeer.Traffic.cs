using System.Globalization;
using System.Text;
using Convoy.Actors.Remoting;
using Convoy.Actors.Remoting.Frames;
using Convoy.Actors.Remoting.Session;
using Convoy.Actors.Runtime;
using Convoy.Shared;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;
using Google.Protobuf;

namespace Convoy.Actors.Simulation;

/// <summary>
/// Messages and bulk frames: the same codec and session as on real wires, so that nothing unsendable gets through.
/// </summary>
internal sealed partial class SimulatedPeer
{
    private readonly record struct BulkItem(BulkHeader Header, ReadOnlyMemory<byte> Payload, IBulkCompletion? Done);

    /// <summary>A frame under way.</summary>
    private sealed class BulkFrame(SimulatedPeer near, SimulatedPeer far, long connection, in BulkItem item)
        : SimulatedArrival(near.Remoting.Network, near.Process.Host, far.Process.Host, far.Process)
    {
        private readonly BulkItem _item = item;

        public ref readonly BulkItem Item => ref _item;

        public override void Take() => near.Carry(far, this, connection);

        public void Complete() => _item.Done!.Completed(_item.Header, sent: true);
    }

    /// <summary>Control frames, or only an acknowledgement, under way.</summary>
    private sealed class Segment(SimulatedPeer near, SimulatedPeer far, long connection, byte[] frames, long? ack)
        : SimulatedArrival(near.Remoting.Network, near.Process.Host, far.Process.Host, far.Process)
    {
        public override void Take() => far.OnSegment(connection, frames, ack);
    }

    private sealed class PumpNow(SimulatedPeer peer) : SimulatedEvent
    {
        public override void Happen()
        {
            peer._pumpAsked = false;
            peer.Pump();
        }
    }

    private const int RefsMax = 16;

    private readonly Queue<BulkItem> _bulkQueue = new(); // while the lane is away

    private readonly List<BulkFrame> _bulk = [];
    private readonly List<Ref> _refs = []; // those that were asked for last
    private PumpNow? _pump;
    private long _bulkStarted;
    private long _bulkReceived;
    private bool _pumpAsked;

    public override IActorRef Actor(string name) => RefOf(name);

    /// <summary>A conversation names the same few actors again and again.</summary>
    private Ref RefOf(ReadOnlySpan<char> name)
    {
        foreach (var known in _refs)
            if (name.SequenceEqual(known.Name)) return known;
        if (_refs.Count == RefsMax) _refs.Clear();
        var made = new Ref(this, name.ToString());
        _refs.Add(made);
        return made;
    }

    /// <summary>An actor at the other end, by name.</summary>
    private sealed class Ref(SimulatedPeer peer, string name) : InternalActorRef, IRemoteRef, IEquatable<Ref>
    {
        public Peer Peer => peer;

        public string Name => name;

        public override ActorPath Path => new ActorPath($"convoy://{peer}", null, "", 0).Child(name, 0);

        public override void Tell(object message, IActorRef? sender)
        {
            if (message is IMessage control) peer.SendMessage(name, control, sender);
        }

        public override void SendSystem(SystemMessage message) =>
            throw new InvalidOperationException(
                "death watch does not cross the simulated network: no actor of ours uses it there");

        public bool Equals(Ref? other) => other is not null && other.Peer == peer && other.Name == name;

        public override bool Equals(object? obj) => Equals(obj as Ref);

        public override int GetHashCode() => name.GetHashCode(StringComparison.Ordinal);
    }

    private void SendMessage(string target, IMessage message, IActorRef? sender)
    {
        var tampered = Remoting.Network.Tamper is { } tamper
            ? tamper(Process.Host, HostOf(Place), message) : message;
        if (tampered is null) return;
        Remoting.Network.Sent?.Invoke(Process.Host, HostOf(Place), tampered);
        var size = tampered.CalculateSize();
        var content = new ControlContent(FrameKind.Message, target, Remoting.Names.NameOf(sender))
        {
            Message = tampered, MessageNumber = ControlMessages.IdOf(tampered), Size = size, Origin = sender,
        };
        var refused = content.MessageNumber == 0 ? UndeliverableReason.UnknownType
            : size > Limits.ControlMessageBytesMax ? UndeliverableReason.TooLarge
            : !_accepting ? UndeliverableReason.LinkDown
            : _session.Send(content, ControlCodec.SizeOf(content));
        if (refused is { } reason) Refuse(reason, content);
        else PumpSoon();
    }

    private void Refuse(UndeliverableReason reason, in ControlContent content)
    {
        Trace($"undeliverable {content.Message?.GetType().Name}: {reason}");
        content.Origin?.Tell(
            new Undeliverable(reason, content.Size, Limits.ControlMessageBytesMax, ToString(),
                content.Message?.GetType().Name ?? ""),
            Actor(content.Target));
    }

    private void HandBack(IReadOnlyList<SessionFrame<ControlContent>> frames, LinkDownReason reason)
    {
        var why = reason == LinkDownReason.PeerRestarted
            ? UndeliverableReason.PeerRestarted : UndeliverableReason.LinkDown;
        foreach (var frame in frames)
            if (frame.Content.Kind == FrameKind.Message) Refuse(why, frame.Content);
    }

    /// <summary>What one turn of actors says travels together, as on real wires.</summary>
    private void PumpSoon()
    {
        if (_pumpAsked || _session.Status != SessionStatus.Up || _connection[0] == Never) return;
        _pumpAsked = true;
        World.Then(Process, _pump ??= new PumpNow(this));
    }

    private void Pump()
    {
        if (_session.Status != SessionStatus.Up || _connection[0] == Never || Far is not { } far) return;
        var frames = Remoting.Network.Frames;
        frames.ResetWrittenCount();
        while (_session.TakeNext(Now) is { } frame)
        {
            ControlCodec.Write(frames.GetSpan(frame.Bytes)[..frame.Bytes], frame.Sequence, frame.Content);
            frames.Advance(frame.Bytes);
            Remoting.Network.ControlMessages++;
        }

        var any = frames.WrittenCount > 0;
        var ack = _session.TakeAck(Now, riding: any);
        if (any || ack is not null) SendSegment(far, any ? frames.WrittenSpan.ToArray() : [], ack);
        if (MayGo) SayGoodbye();
        else Arm();
    }

    private void SendSegment(SimulatedPeer far, byte[] frames, long? ack)
    {
        var segment = new Segment(this, far, _connection[0], frames, ack);
        Remoting.Network.ControlBytes += frames.Length;
        SendOn(SimulatedLane.Control, frames.Length + ControlCodec.FixedBytes, segment);
        if (Remoting.Network.Quality.DuplicatePerMille is > 0 and var rate && World.Choice.Below(1_000) < rate)
            SendOn(SimulatedLane.Control, frames.Length, segment);
    }

    /// <summary>In order on each lane.</summary>
    private void SendOn(SimulatedLane lane, int bytes, SimulatedArrival arrival)
    {
        var at = Remoting.Network.ArrivalOf(arrival.From, arrival.To, bytes);
        if (at < _lastArrival[(int)lane]) at = _lastArrival[(int)lane];
        _lastArrival[(int)lane] = at;
        Remoting.Network.ArriveAt(at, arrival);
    }

    private void OnSegment(long number, ReadOnlySpan<byte> frames, long? ack)
    {
        if (_connection[0] != number) return;
        ControlFrame frame = default;
        if (ack is { } through
            && _session.Acknowledge(through) is { } early) { End(LinkDownReason.ProtocolError, early); return; }
        while (frames.Length > 0)
        {
            if ((ControlCodec.TryReadLength(frames, out var length)
                ?? ControlCodec.TryRead(frames[..length], out frame)) is { } bad)
            {
                End(LinkDownReason.ProtocolError, bad);
                return;
            }

            frames = frames[length..];
            var verdict = _session.Receive(frame.Sequence, Now);
            if (verdict == ReceiveVerdict.Gap)
            {
                End(LinkDownReason.ProtocolError, $"SE-3 received {frame.Sequence} after {_session.Received}");
                return;
            }

            if (verdict == ReceiveVerdict.Deliver) Deliver(in frame);
            if (_session.Status != SessionStatus.Up) return;
        }

        if (_session.AckIsDue(Now) || MayGo) Pump();
        else Arm();
    }

    private void Deliver(in ControlFrame frame)
    {
        if (frame.Kind != FrameKind.Message || ControlMessages.ParserOf(frame.MessageNumber) is not { } parser) return;
        var message = parser.ParseFrom(frame.Payload);
        Span<char> name = stackalloc char[ControlCodec.NameBytesMax];
        if (World.Traces) World.Trace(Text(message));
        var sender = frame.Sender.IsEmpty ? null
            : RefOf(name[..Encoding.UTF8.GetChars(frame.Sender, name)]);
        var target = name[..Encoding.UTF8.GetChars(frame.Target, name)];
        if ((Remoting.Names.Find(target) ?? Remoting.Network.Finds?.Invoke(Remoting, target.ToString()))
            is not { } actor)
        {
            Trace($"nobody is '{target}' here: {message.Descriptor.Name} is dropped");
            return;
        }

        Remoting.Network.Delivered?.Invoke(Far!.Remoting, Remoting, message);
        actor.Tell(message, sender);
    }

    private string Text(IMessage message)
    {
        var text = message.ToString()!;
        var shown = text.Length > 160 ? string.Concat(text.AsSpan(0, 160), "...") : text;
        return string.Create(CultureInfo.InvariantCulture,
            $"{_id?.Node}>{Process.Host} {message.Descriptor.Name} {shown}");
    }

    // ---- Bulk ----

    public override bool TrySendBulk(in BulkHeader header, ReadOnlyMemory<byte> payload, IBulkCompletion? done = null)
    {
        if (_closed || !_wasUp || _session.Status == SessionStatus.Over) return false;
        if (_bulk.Count + _bulkQueue.Count >= Remoting.BulkFramesMax) return false;
        _bulkQueue.Enqueue(new BulkItem(header with { PayloadBytes = payload.Length }, payload, done));
        FlushBulk();
        return true;
    }

    private void FlushBulk()
    {
        while (_connection[1] != Never && Far is { } far && _bulkQueue.TryDequeue(out var item))
        {
            // The payload is read when it arrives, the latest moment that its owner allows: memory used again too soon
            // shows.
            var frame = new BulkFrame(this, far, _connection[1], item);
            _bulk.Add(frame);
            _bulkStarted++;
            Remoting.Network.BulkFrames++;
            SendOn(SimulatedLane.Bulk, BulkHeader.Size + item.Payload.Length, frame);
        }
    }

    private void Carry(SimulatedPeer far, BulkFrame frame, long number)
    {
        if (!_bulk.Remove(frame)) return; // this end's session ended: its owner has the memory back
        Room.Wake();
        ref readonly var item = ref frame.Item;
        if (far._connection[1] == number) far.OnBulk(item.Header, item.Payload.Span);
        if (item.Done is null) return;
        if (Process.IsStopped) Process.Takes(new SimulatedCall(frame.Complete));
        else if (!Process.IsGone) frame.Complete();
    }

    private void OnBulk(in BulkHeader header, ReadOnlySpan<byte> payload)
    {
        _bulkReceived++;
        if (Remoting.Bulk is not { } receiver) return;
        if (World.Traces) TraceFrame(header);
        var rented = payload.Length > 0 ? receiver.Rent(this, header) : default;
        if (rented.Length < payload.Length)
        {
            if (rented.Length > 0) receiver.Return(rented);
            return;
        }

        if (Far is { } far) Remoting.Network.BulkDelivered?.Invoke(far.Remoting, Remoting, header);
        payload.CopyTo(rented.Span);
        receiver.Received(this, header, rented[..payload.Length]);
    }

    private void TraceFrame(in BulkHeader header) => World.Trace(string.Create(CultureInfo.InvariantCulture,
        $"{_id?.Node}>{Process.Host} {header.Kind} {header.Generation} t={header.Step} node={header.Node.Level},{header.Node.Index} "
        + $"bucket={header.Bucket} chunk={header.Chunk} bytes={header.PayloadBytes}"));

    private void DropBulk()
    {
        var items = _bulk.Select(f => f.Item).Concat(_bulkQueue).ToArray();
        _bulk.Clear();
        _bulkQueue.Clear();
        foreach (var item in items) item.Done?.Completed(item.Header, sent: false);
    }
}
