// One session of a control lane: numbers messages, remembers them until they are acknowledged, sends them again after
// a reconnect, drops duplicates. No I/O, no clock, no lock: the link around it has those.
// The key of a session is (dialler's incarnation, acceptor's incarnation, link, session number): a process that
// restarts can never continue one (protocols: sessions are keyed by both incarnations).
//
// SE-1  Sequence numbers start at 1 in each session and have no gap: what is sent again keeps its number.
// SE-2  A message is delivered at most once in a session: a number at or below the last received is a duplicate, and
//       it is always acknowledged again.
// SE-3  A number above the next one expected, or an acknowledgement above the highest number sent, is a protocol error.
// SE-4  What was accepted for sending is acknowledged, or handed back when the session ends: never silently dropped.
// SE-5  What waits is bounded in messages and bytes; a message over the bound is refused before it gets a number.
using Convoy.Actors.Runtime;
using Convoy.Shared;
using Convoy.Shared.Time;

namespace Convoy.Actors.Remoting.Session;

internal enum SessionStatus
{
    Opening, // never connected: messages wait
    Up,      // connected: messages flow
    Broken,  // the connection was lost: messages wait for the grace to end or the connection to come back
    Over,    // ended: nothing is accepted any more
}

internal enum ReceiveVerdict
{
    Deliver,
    Duplicate,
    Gap,
}

internal sealed class SessionLimits
{
    public int MessagesMax { get; init; } = 65_536;
    public long BytesMax { get; init; } = 256L << 20;
    /// <summary>Messages received before an acknowledgement is due.</summary>
    public int AckEvery { get; init; } = 64;
    public TimeSpan AckAfter { get; init; } = TimeSpan.FromMilliseconds(20);
    public TimeSpan Grace { get; init; } = TimeSpan.FromMilliseconds(150);
    /// <summary>Age of the oldest unacknowledged message, while connected, at which the link is given up.</summary>
    // grows while sessions live; one word, so never torn
    public TimeSpan Silence { get; set; } = TimeSpan.FromSeconds(5);
}

/// <summary>A numbered message.</summary>
internal readonly record struct SessionFrame<TContent>(long Sequence, TContent Content, int Bytes);

/// <typeparam name="TContent">What a message is; a struct, where messages must cost no allocation.</typeparam>
internal sealed class SessionProtocol<TContent>(SessionLimits limits)
{
    public static readonly (SessionStatus From, SessionStatus To, string On)[] Transitions =
    [
        (SessionStatus.Opening, SessionStatus.Up, "both lanes shook hands"),
        (SessionStatus.Opening, SessionStatus.Over, "refused or closed"),
        (SessionStatus.Up, SessionStatus.Broken, "a lane was lost"),
        (SessionStatus.Broken, SessionStatus.Up, "resumed within the grace"),
        (SessionStatus.Up, SessionStatus.Over, "goodbye, silence or protocol error"),
        (SessionStatus.Broken, SessionStatus.Over, "grace over, peer restarted or closed"),
    ];

    private readonly Deque<Kept> _frames = new(); // acknowledged < frames <= last accepted
    private long _acknowledged;    // highest number the peer has confirmed
    private long _sent;            // highest number written to the present connection
    private long _sentEver;        // highest number written to any connection
    private long _accepted;        // highest number given out
    private long _bytes;
    private long _received;        // highest number delivered
    private long _ackSent;         // highest number we have confirmed
    private bool _ackAgain;        // a duplicate came: confirm although nothing is new (SE-2)
    private Instant _ackDue = Instant.Never;
    private Instant _graceEnds = Instant.Never;

    public SessionStatus Status { get; private set; } = SessionStatus.Opening;
    public long Received => _received;
    public int Waiting => _frames.Count;
    public long WaitingBytes => _bytes;
    public bool HasNext => Status == SessionStatus.Up && _sent < _accepted;

    /// <summary>When <see cref="Tick"/> or <see cref="TakeAck"/> next have something to do.</summary>
    public Instant NextDeadline
    {
        get
        {
            if (Status == SessionStatus.Broken) return _graceEnds;
            if (Status != SessionStatus.Up) return Instant.Never;
            return SilenceEnds < _ackDue ? SilenceEnds : _ackDue;
        }
    }

    /// <summary>When the link is given up unless an acknowledgement comes.</summary>
    public Instant SilenceEnds =>
        Status == SessionStatus.Up && OldestSentAt is { } sentAt ? sentAt + Silence : Instant.Never;

    private TimeSpan Silence => SilenceMax < limits.Silence ? SilenceMax : limits.Silence;

    /// <summary>This session bears no longer silence, whatever the others bear.</summary>
    public TimeSpan SilenceMax { get; set; } = TimeSpan.MaxValue;

    private Instant? OldestSentAt =>
        _frames.Count > 0 && _frames[0].SentAt != Instant.Never ? _frames[0].SentAt : null;

    /// <summary>Accepts a message for sending, or says why not.</summary>
    public UndeliverableReason? Send(in TContent content, int bytes)
    {
        if (Status == SessionStatus.Over) return UndeliverableReason.LinkDown;
        // A single large message passes when nothing waits; otherwise it could never be sent.
        if (_frames.Count >= limits.MessagesMax || (_frames.Count > 0 && _bytes + bytes > limits.BytesMax))
            return UndeliverableReason.LinkFull;
        _frames.PushBack(new Kept
        { Frame = new SessionFrame<TContent>(++_accepted, content, bytes), SentAt = Instant.Never });
        _bytes += bytes;
        return null;
    }

    /// <summary>The next message for the present connection, in order; null when there is none.</summary>
    public SessionFrame<TContent>? TakeNext(Instant now)
    {
        if (!HasNext) return null;
        ref var kept = ref _frames[(int)(_sent - _acknowledged)];
        Invariant.Check(kept.Frame.Sequence == _sent + 1, "SE-1 frames are sent in order without a gap");
        _sent = kept.Frame.Sequence;
        _sentEver = Math.Max(_sentEver, _sent);
        kept.SentAt = now;
        return kept.Frame;
    }

    /// <summary>Returns null, or the protocol error.</summary>
    public string? Acknowledge(long through)
    {
        if (through > _sentEver) return $"SE-3 acknowledged {through}, sent {_sentEver}";
        while (_acknowledged < through && _frames.TryPopFront(out var kept))
        {
            _acknowledged = kept.Frame.Sequence;
            _bytes -= kept.Frame.Bytes;
        }

        // The peer may confirm on a new connection what the old one carried.
        _sent = Math.Max(_sent, _acknowledged);
        return null;
    }

    public ReceiveVerdict Receive(long sequence, Instant now)
    {
        if (sequence > _received + 1) return ReceiveVerdict.Gap;
        if (_ackDue == Instant.Never) _ackDue = now + limits.AckAfter;
        if (sequence <= _received)
        {
            _ackAgain = true;
            return ReceiveVerdict.Duplicate;
        }

        _received = sequence;
        if (_received - _ackSent >= limits.AckEvery) _ackDue = now;
        return ReceiveVerdict.Deliver;
    }

    /// <summary>
    /// The number to acknowledge when an acknowledgement is due, or when it may ride along with other data.
    /// </summary>
    public long? TakeAck(Instant now, bool riding)
    {
        if (Status != SessionStatus.Up || (_received == _ackSent && !_ackAgain)) return null;
        if (!riding && now < _ackDue) return null;
        _ackSent = _received;
        _ackAgain = false;
        _ackDue = Instant.Never;
        return _received;
    }

    public bool AckIsDue(Instant now) =>
        Status == SessionStatus.Up && now >= _ackDue && (_received != _ackSent || _ackAgain);

    /// <summary>
    /// Connected, for the first time or again. Everything above the peer's number is sent again (SE-1).
    /// </summary>
    /// <returns>Null, or the protocol error.</returns>
    public string? Connect(long peerReceived)
    {
        Invariant.Check(Status is SessionStatus.Opening or SessionStatus.Broken,
            "SE-4 connect outside Opening or Broken");
        if (Acknowledge(peerReceived) is { } error) return error;
        if (peerReceived < _acknowledged)
            return $"SE-3 the peer forgot: received {peerReceived}, acknowledged {_acknowledged}";
        _sent = peerReceived;
        for (var i = 0; i < _frames.Count; i++) _frames[i].SentAt = Instant.Never;
        _ackSent = _received; // the handshake told our number
        _ackAgain = false;
        _ackDue = Instant.Never;
        Become(SessionStatus.Up, Status == SessionStatus.Opening
            ? "both lanes shook hands" : "resumed within the grace");
        return null;
    }

    public void Lose(Instant now, TimeSpan? grace = null)
    {
        if (Status != SessionStatus.Up) return;
        _graceEnds = now + (grace ?? limits.Grace);
        Become(SessionStatus.Broken, "a lane was lost");
    }

    /// <summary>Both lanes are gone: the process behind them most likely too, so less grace is enough.</summary>
    public void ShortenGrace(Instant until)
    {
        if (Status == SessionStatus.Broken && until < _graceEnds) _graceEnds = until;
    }

    /// <summary>True when the session has to end now: the grace is over or the peer is silent.</summary>
    public bool MustEnd(Instant now) => Status switch
    {
        SessionStatus.Broken => now >= _graceEnds,
        SessionStatus.Up => OldestSentAt is { } sentAt && now >= sentAt + Silence,
        _ => false,
    };

    /// <summary>Ends the session and hands back what was never acknowledged, oldest first (SE-4).</summary>
    public IReadOnlyList<SessionFrame<TContent>> End()
    {
        if (Status == SessionStatus.Over) return [];
        var unacknowledged = new List<SessionFrame<TContent>>(_frames.Count);
        while (_frames.TryPopFront(out var kept)) unacknowledged.Add(kept.Frame);
        _bytes = 0;
        Become(SessionStatus.Over, Status switch
        {
            SessionStatus.Opening => "refused or closed",
            SessionStatus.Up => "goodbye, silence or protocol error",
            _ => "grace over, peer restarted or closed",
        });
        return unacknowledged;
    }

    private void Become(SessionStatus next, string on)
    {
        Invariant.Check(
            Array.Exists(Transitions, t => t.From == Status && t.To == next && t.On == on),
            $"SE-0 {Status} > {next} on {on} is not in the table");
        Status = next;
    }

    /// <summary>A message until it is acknowledged.</summary>
    private struct Kept
    {
        public SessionFrame<TContent> Frame;
        public Instant SentAt;
    }
}
