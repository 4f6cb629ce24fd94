using System.Text;
using Convoy.Actors.Remoting.Frames;
using Convoy.Actors.Remoting.Lanes;
using Convoy.Actors.Remoting.Session;
using Convoy.Actors.Runtime;
using Convoy.Shared.Protocol;
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

    public override IActorRef Actor(string name)
    {
        if (name.Length == 0 || Encoding.UTF8.GetByteCount(name) > ControlCodec.NameBytesMax)
            throw new ArgumentException($"an actor name has 1 to {ControlCodec.NameBytesMax} bytes", nameof(name));
        return new RemoteActorRef(this, name);
    }

    /// <summary>Null, or why the message was not taken.</summary>
    public UndeliverableReason? SendMessage(string target, IMessage message, ushort number, int size, IActorRef? sender) =>
        Send(new ControlContent(FrameKind.Message, target, Remoting.Names.NameOf(sender))
        {
            Message = message, MessageNumber = number, Size = size, Origin = sender,
        });

    public void SendBounce(string target, IActorRef? from, Undeliverable bounced)
    {
        if (target.Length == 0) return;
        Send(new ControlContent(FrameKind.Bounce, target, Remoting.Names.NameOf(from))
        {
            Code = (byte)bounced.Reason, MessageNumber = NumbersByName.GetValueOrDefault(bounced.MessageType),
            Size = bounced.Size, Limit = bounced.Limit,
        });
    }

    private UndeliverableReason? Send(ControlContent content)
    {
        ControlLane? lane;
        lock (_gate)
        {
            // After a loss the peer may be another process: its owner speaks first, on LinkUp.
            if (_closed || StateNow() == LinkState.Down) return UndeliverableReason.LinkDown;
            if (_session.Send(content, ControlCodec.SizeOf(content), out _) is { } refused) return refused;
            lane = _session.Status == SessionStatus.Up ? _control : null;
        }

        lane?.Kick();
        return null;
    }

    /// <summary>The next frames to write. Returns true when the goodbye is to follow them.</summary>
    public bool TakeBatch(ControlLane lane, List<SessionFrame> batch, out long? ack)
    {
        ack = null;
        lock (_gate)
        {
            if (lane != _control) return false;
            var now = Remoting.Now;
            for (var bytes = 0; bytes < BatchBytes && _session.TakeNext(now) is { } frame; bytes += frame.Bytes) batch.Add(frame);
            ack = _session.TakeAck(now, riding: batch.Count > 0);
            if (batch.Count > 0) Arm_NeedsGate();
            return _closed && !_session.HasNext && (_session.Waiting == 0 || _closeNow);
        }
    }

    public bool HasOutput(ControlLane lane)
    {
        lock (_gate)
        {
            if (lane != _control) return false;
            return _session.HasNext || _session.AckIsDue(Remoting.Now) || (_closed && (_session.Waiting == 0 || _closeNow));
        }
    }

    /// <summary>A batch of frames was handled: an acknowledgement may be due now or later.</summary>
    public void OnBatchRead(ControlLane lane)
    {
        bool kick;
        lock (_gate)
        {
            if (lane != _control) return;
            kick = _session.AckIsDue(Remoting.Now) || (_closed && _session.Waiting == 0);
            Arm_NeedsGate();
        }

        if (kick) lane.Kick();
    }

    /// <summary>Null, or the protocol error.</summary>
    public string? OnFrame(ControlLane lane, in ControlFrame frame, Instant now)
    {
        if (frame.Kind == FrameKind.Goodbye)
        {
            if (IsCurrent(lane)) End(LinkDownReason.Goodbye, "the peer said goodbye");
            return null;
        }

        lock (_gate)
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
        lock (_gate) return lane == _control;
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
                var bounced = new Undeliverable((UndeliverableReason)frame.Code, frame.Size, frame.Limit, ToString(), messageType);
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

        if (Remoting.Names.Find(target) is not { } actor)
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

    private IActorRef? SenderOf(in ControlFrame frame) =>
        frame.Sender.IsEmpty ? null : new RemoteActorRef(this, Encoding.UTF8.GetString(frame.Sender));

    private void Bounce(UndeliverableReason reason, in ControlFrame frame)
    {
        if (frame.Sender.IsEmpty) return;
        Send(new ControlContent(FrameKind.Bounce, Encoding.UTF8.GetString(frame.Sender), Encoding.UTF8.GetString(frame.Target))
        {
            Code = (byte)reason, MessageNumber = frame.MessageNumber, Size = frame.Payload.Length,
        });
    }

    /// <summary>Whether an unacknowledged message arrived is unknown; its sender is told so (SE-4).</summary>
    private void HandBack(IReadOnlyList<SessionFrame> unacknowledged, LinkDownReason reason)
    {
        var why = reason == LinkDownReason.PeerRestarted ? UndeliverableReason.PeerRestarted : UndeliverableReason.LinkDown;
        foreach (var frame in unacknowledged)
        {
            var content = (ControlContent)frame.Content;
            if (content is { Kind: FrameKind.Message, Message: { } message })
                new RemoteActorRef(this, content.Target).Refuse(why, message.GetType().Name, content.Size, 0, content.Origin);
        }
    }
}
