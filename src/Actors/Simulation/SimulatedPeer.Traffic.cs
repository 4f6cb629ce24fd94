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
    private sealed class BulkItem(BulkHeader header, ReadOnlyMemory<byte> payload, IBulkCompletion? done)
    {
        public BulkHeader Header => header;
        public ReadOnlyMemory<byte> Payload => payload;
        public IBulkCompletion? Done => done;
    }

    private readonly Queue<BulkItem> _bulkQueue = new(); // while the lane is away

    private readonly List<BulkItem> _bulk = [];
    private readonly List<(long Sequence, byte[] Bytes)> _batch = [];
    private long _bulkStarted;
    private long _bulkReceived;
    private bool _pumpAsked;

    public override IActorRef Actor(string name) => new Ref(this, name);

    /// <summary>An actor at the other end, by name.</summary>
    private sealed class Ref(SimulatedPeer peer, string name) : InternalActorRef, IRemoteRef, IEquatable<Ref>
    {
        public Peer Peer => peer;

        public override ActorPath Path => new ActorPath($"convoy://{peer}", null, "", 0).Child(name, 0);

        public override void Tell(object message, IActorRef? sender)
        {
            if (message is IMessage control) peer.SendMessage(name, control, sender);
        }

        public override void SendSystem(SystemMessage message) =>
            throw new InvalidOperationException(
                "death watch does not cross the simulated network: no actor of ours uses it there");

        public bool Equals(Ref? other) => other is not null && other.Peer == peer && other.Path.Name == name;

        public override bool Equals(object? obj) => Equals(obj as Ref);

        public override int GetHashCode() => name.GetHashCode(StringComparison.Ordinal);
    }

    private void SendMessage(string target, IMessage message, IActorRef? sender)
    {
        var tampered = Remoting.Network.Tamper is { } tamper
            ? tamper(Process.Host, HostOf(_address), message) : message;
        if (tampered is null) return;
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
        World.After(Process, TimeSpan.Zero, () =>
        {
            _pumpAsked = false;
            Pump();
        });
    }

    private void Pump()
    {
        if (_session.Status != SessionStatus.Up || _connection[0] == Never || Far is not { } far) return;
        var bytes = 0;
        while (_session.TakeNext(Now) is { } frame)
        {
            var encoded = new byte[frame.Bytes];
            ControlCodec.Write(encoded, frame.Sequence, frame.Content);
            _batch.Add((frame.Sequence, encoded));
            bytes += encoded.Length;
        }

        var ack = _session.TakeAck(Now, riding: _batch.Count > 0);
        if (_batch.Count > 0 || ack is not null) SendSegment(far, bytes, ack);
        if (MayGo) SayGoodbye();
        else Arm();
    }

    private void SendSegment(SimulatedPeer far, int bytes, long? ack)
    {
        var frames = _batch.ToArray();
        _batch.Clear();
        var number = _connection[0];
        Remoting.Network.ControlMessages += frames.Length;
        Remoting.Network.ControlBytes += bytes;
        SendOn(SimulatedLane.Control, bytes + ControlCodec.FixedBytes, () => far.OnSegment(number, frames, ack));
        if (Remoting.Network.Quality.DuplicatePerMille is > 0 and var rate && World.Choice.Below(1_000) < rate)
            SendOn(SimulatedLane.Control, bytes, () => far.OnSegment(number, frames, ack));
    }

    /// <summary>In order on each lane.</summary>
    private void SendOn(SimulatedLane lane, int bytes, Action arrive)
    {
        var far = Far!;
        var at = Remoting.Network.ArrivalOf(Process.Host, far.Process.Host, bytes);
        if (at < _lastArrival[(int)lane]) at = _lastArrival[(int)lane];
        _lastArrival[(int)lane] = at;
        Remoting.Network.ArriveAt(at, Process.Host, far.Process.Host, far.Process, arrive);
    }

    private void OnSegment(long number, (long Sequence, byte[] Bytes)[] frames, long? ack)
    {
        if (_connection[0] != number) return;
        if (ack is { } through
            && _session.Acknowledge(through) is { } early) { End(LinkDownReason.ProtocolError, early); return; }
        foreach (var (_, bytes) in frames)
        {
            if (ControlCodec.TryRead(bytes,
                out var frame) is { } bad) { End(LinkDownReason.ProtocolError, bad); return; }
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
        var target = Encoding.UTF8.GetString(frame.Target);
        if (World.Traces) World.Trace(Text(message));
        Remoting.Network.Delivered?.Invoke(Far!.Remoting, Remoting, message);
        var sender = frame.Sender.IsEmpty ? null : new Ref(this, Encoding.UTF8.GetString(frame.Sender));
        if (Remoting.Names.Find(target) is { } actor) actor.Tell(message, sender);
        else Trace($"nobody is '{target}' here: {message.Descriptor.Name} is dropped");
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
            _bulk.Add(item);
            _bulkStarted++;
            Remoting.Network.BulkFrames++;
            var number = _connection[1];
            // The payload is read when it arrives, the latest moment that its owner allows: memory used again too soon
            // shows.
            SendOn(SimulatedLane.Bulk, BulkHeader.Size + item.Payload.Length, () => Carry(far, item, number));
        }
    }

    private void Carry(SimulatedPeer far, BulkItem item, long number)
    {
        if (!_bulk.Remove(item)) return; // this end's session ended: its owner has the memory back
        Room.Wake();
        if (far._connection[1] == number) far.OnBulk(item.Header, item.Payload.Span);
        if (item.Done is not { } done) return;
        if (Process.IsStopped) Process.Takes(() => done.Completed(item.Header, sent: true));
        else if (!Process.IsGone) done.Completed(item.Header, sent: true);
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

        payload.CopyTo(rented.Span);
        receiver.Received(this, header, rented[..payload.Length]);
    }

    private void TraceFrame(in BulkHeader header) => World.Trace(string.Create(CultureInfo.InvariantCulture,
        $"{_id?.Node}>{Process.Host} {header.Kind} {header.Generation} t={header.Step} node={header.Node.Level},{header.Node.Index} "
        + $"bucket={header.Bucket} chunk={header.Chunk} bytes={header.PayloadBytes}"));

    private void DropBulk()
    {
        var items = _bulk.Concat(_bulkQueue).ToArray();
        _bulk.Clear();
        _bulkQueue.Clear();
        foreach (var item in items) item.Done?.Completed(item.Header, sent: false);
    }
}
