using System.Collections.Concurrent;
using System.Text;
using Convoy.Actors.Remoting.Frames;
using Convoy.Actors.Remoting.Lanes;
using Convoy.Actors.Remoting.Session;
using Convoy.Actors.Runtime;
using Convoy.Shared.Protocol;
using Convoy.Shared.Security;
using Convoy.Shared.Time;
using Google.Protobuf;

namespace Convoy.Actors.Remoting;

/// <summary>Control messages: out of actors into the session, out of frames into actors.</summary>
internal abstract partial class Link
{
    private const int BatchBytes = 128 << 10;

    private static readonly Dictionary<string, ushort> NumbersByName =
        ControlMessages.All.ToDictionary(r => r.Type.Name, r => r.Id, StringComparer.Ordinal);
    private static readonly Dictionary<ushort, string> NamesByNumber =
        ControlMessages.All.ToDictionary(r => r.Id, r => r.Type.Name);

    private readonly ConcurrentQueue<(ControlContent Content, int Bytes)> _outbox = new(); // told, not numbered yet
    private readonly SenderCache _senders = new();
    private int _outboxCount;
    private long _outboxBytes;
    private volatile bool _accepting = true; // false: after a loss the owner speaks first, on LinkUp

    public override IActorRef Actor(string name)
    {
        if (name.Length == 0 || Encoding.UTF8.GetByteCount(name) > ControlCodec.NameBytesMax)
            throw new ArgumentException($"an actor name has 1 to {ControlCodec.NameBytesMax} bytes", nameof(name));
        return new RemoteActorRef(this, name);
    }

    /// <summary>Null, or why the message was not taken.</summary>
    public UndeliverableReason? SendMessage(string target, IMessage message, ushort number, int size,
        IActorRef? sender) =>
        Send(new ControlContent(FrameKind.Message, target, Remoting.Names.NameOf(sender))
        {
            Message = message,
            MessageNumber = number,
            Size = size,
            Origin = sender,
        });

    public void SendBounce(string target, IActorRef? from, Undeliverable bounced)
    {
        if (target.Length == 0) return;
        Send(new ControlContent(FrameKind.Bounce, target, Remoting.Names.NameOf(from))
        {
            Code = (byte)bounced.Reason,
            MessageNumber = NumbersByName.GetValueOrDefault(bounced.MessageType),
            Size = bounced.Size,
            Limit = bounced.Limit,
        });
    }

    /// <summary>
    /// Tells come from any thread, as fast as actors run, so they take no lock: under a busy teller the reader of
    /// acknowledgements would wait for the gate too long. Messages get their numbers when they are about to be written.
    /// </summary>
    private UndeliverableReason? Send(in ControlContent content)
    {
        if (!_accepting) return UndeliverableReason.LinkDown;
        var bytes = ControlCodec.SizeOf(content);
        // Read without the gate: the bound may be missed by the few tells of other threads at this moment.
        var waiting = _session.Waiting + Volatile.Read(ref _outboxCount);
        var waitingBytes = _session.WaitingBytes + Interlocked.Read(ref _outboxBytes);
        if (waiting >= Remoting.Options.UnackedMessagesMax
            || (waiting > 0 && waitingBytes + bytes > Remoting.Options.UnackedBytesMax))
            return UndeliverableReason.LinkFull;
        Interlocked.Increment(ref _outboxCount);
        Interlocked.Add(ref _outboxBytes, bytes);
        _outbox.Enqueue((content, bytes));
        Volatile.Read(ref _control)?.Kick();
        if (!_accepting) HandBack(TakeOutbox(), LinkDownReason.ConnectionLost); // the session ended meanwhile
        return null;
    }

    private bool TryTakeOutbox(out (ControlContent Content, int Bytes) told)
    {
        if (!_outbox.TryDequeue(out told)) return false;
        Interlocked.Decrement(ref _outboxCount);
        Interlocked.Add(ref _outboxBytes, -told.Bytes);
        return true;
    }

    private List<ControlContent> TakeOutbox()
    {
        var contents = new List<ControlContent>();
        while (TryTakeOutbox(out var told)) contents.Add(told.Content);
        return contents;
    }

    /// <summary>Numbers the next messages and gives those to write; what the session refuses is put aside.</summary>
    private void FillBatch_NeedsGate(List<SessionFrame<ControlContent>> batch, Instant now,
        ref List<ControlContent>? refused)
    {
        for (var bytes = 0; bytes < BatchBytes;)
        {
            if (!_session.HasNext)
            {
                if (!TryTakeOutbox(out var told)) return;
                if (_session.Send(told.Content, told.Bytes) is not null)
                {
                    (refused ??= []).Add(told.Content);
                    continue;
                }
            }

            var frame = _session.TakeNext(now)!.Value;
            batch.Add(frame);
            bytes += frame.Bytes;
        }
    }

    /// <summary>The next frames to write. Returns true when the goodbye is to follow them.</summary>
    public bool TakeBatch(ControlLane lane, List<SessionFrame<ControlContent>> batch, out long? ack)
    {
        ack = null;
        bool goodbye;
        List<ControlContent>? refused = null;
        using (_gate.Enter())
        {
            if (lane != _control || _session.Status != SessionStatus.Up) return false;
            var now = Remoting.Now;
            FillBatch_NeedsGate(batch, now, ref refused);
            ack = _session.TakeAck(now, riding: batch.Count > 0);
            if (batch.Count > 0) Arm_NeedsGate();
            goodbye = GoodbyeIsDue_NeedsGate();
        }

        if (refused is not null) HandBack(refused, LinkDownReason.ConnectionLost, UndeliverableReason.LinkFull);
        return goodbye;
    }

    private bool GoodbyeIsDue_NeedsGate() =>
        _closed && !_session.HasNext && _outbox.IsEmpty && (_session.Waiting == 0 || _closeNow);

    public bool HasOutput(ControlLane lane)
    {
        using (_gate.Enter())
        {
            if (lane != _control || _session.Status != SessionStatus.Up) return false;
            return _session.HasNext || !_outbox.IsEmpty || _session.AckIsDue(Remoting.Now) || GoodbyeIsDue_NeedsGate();
        }
    }

    /// <summary>A batch of frames was handled: an acknowledgement may be due now or later.</summary>
    public void OnBatchRead(ControlLane lane)
    {
        bool kick;
        using (_gate.Enter())
        {
            if (lane != _control) return;
            kick = _session.AckIsDue(Remoting.Now) || GoodbyeIsDue_NeedsGate();
            Arm_NeedsGate();
        }

        if (kick) lane.KickHere();
    }

    /// <summary>Null, or the protocol error.</summary>
    public string? OnFrame(ControlLane lane, in ControlFrame frame, Instant now)
    {
        if (frame.Kind == FrameKind.Goodbye)
        {
            if (IsCurrent(lane)) End(LinkDownReason.Goodbye, "the peer said goodbye");
            return null;
        }

        using (_gate.Enter())
        {
            if (lane != _control) return null; // LK-4
            if (frame.Kind == FrameKind.Ack) return _session.Acknowledge(frame.Sequence);
            switch (_session.Receive(frame.Sequence, now))
            {
                case ReceiveVerdict.Duplicate: return null;
                case ReceiveVerdict.Gap: return $"SE-3 received {frame.Sequence} after {_session.Received}";
            }
        }

        Deliver(in frame);
        return null;
    }

    private bool IsCurrent(ControlLane lane)
    {
        using (_gate.Enter()) return lane == _control;
    }

    private void Deliver(in ControlFrame frame)
    {
        Span<char> name = stackalloc char[ControlCodec.NameBytesMax];
        var target = name[..Encoding.UTF8.GetChars(frame.Target, name)];
        switch (frame.Kind)
        {
            case FrameKind.Message:
                DeliverMessage(in frame, target);
                break;
            case FrameKind.Bounce:
                var messageType = NamesByNumber.GetValueOrDefault(frame.MessageNumber, "message");
                var bounced = new Undeliverable((UndeliverableReason)frame.Code, frame.Size, frame.Limit,
                    ToString(), messageType)
                {
                    Hop = DeliveryHop.Receiver,
                };
                Remoting.Names.Find(target)?.Tell(bounced, SenderOf(in frame));
                break;
            case FrameKind.Watch:
                OnRemoteWatch(target.ToString());
                break;
            case FrameKind.Unwatch:
                OnRemoteUnwatch(target.ToString());
                break;
            case FrameKind.Death:
                OnRemoteDeath(target.ToString(), existed: frame.Code == 1);
                break;
        }
    }

    private void DeliverMessage(in ControlFrame frame, ReadOnlySpan<char> target)
    {
        var sender = SenderOf(in frame);
        if (ControlMessages.ParserOf(frame.MessageNumber) is not { } parser)
        {
            Bounce(UndeliverableReason.UnknownType, in frame);
            return;
        }

        if (Remoting.Names.Find(target) is not { } actor || IsClosedTo(target))
        {
            Bounce(UndeliverableReason.UnknownTarget, in frame);
            return;
        }

        IMessage message;
        try
        {
            message = parser.ParseFrom(frame.Payload);
        }
        catch (InvalidProtocolBufferException)
        {
            Bounce(UndeliverableReason.Unreadable, in frame);
            return;
        }

        if (Remoting.Options.Urgent?.Invoke(message) == true && actor is InternalActorRef local)
            local.SendSystem(new UrgentMessage(message, sender));
        else actor.Tell(message, sender);
    }

    /// <summary>A worker's certificate does not make it a coordinator: what only that one tells bounces.</summary>
    private bool IsClosedTo(ReadOnlySpan<char> target)
    {
        if (Remoting.Options.Security is not { } security || PeerRole == ClusterRole.Coordinator) return false;
        foreach (var name in security.CoordinatorOnly)
            if (target.SequenceEqual(name)) return true;
        return false;
    }

    private IActorRef? SenderOf(in ControlFrame frame) =>
        frame.Sender.IsEmpty ? null : _senders.RefOf(this, frame.Sender);

    private void Bounce(UndeliverableReason reason, in ControlFrame frame)
    {
        if (frame.Sender.IsEmpty) return;
        Send(new ControlContent(FrameKind.Bounce, Encoding.UTF8.GetString(frame.Sender),
            Encoding.UTF8.GetString(frame.Target))
        {
            Code = (byte)reason,
            MessageNumber = frame.MessageNumber,
            Size = frame.Payload.Length,
        });
    }

    /// <summary>Whether an unacknowledged message arrived is unknown; its sender is told so (SE-4).</summary>
    private void HandBack(
        IEnumerable<ControlContent> contents, LinkDownReason reason,
        UndeliverableReason why = UndeliverableReason.LinkDown)
    {
        if (reason == LinkDownReason.PeerRestarted) why = UndeliverableReason.PeerRestarted;
        foreach (var content in contents)
        {
            if (content is { Kind: FrameKind.Message, Message: { } message })
                new RemoteActorRef(this, content.Target)
                    .Refuse(why, message.GetType().Name, content.Size, 0, content.Origin);
        }
    }
}
