// What both ends of a link share: the session, its two connections, and what happens when one of them is lost.
// LK-1  A link is Up only while both lanes are connected and the session is.
// LK-2  Events reach the owner in the order LinkUp, LinkDown, at most one LinkDown for each LinkUp.
// LK-3  Callbacks and tells run under no lock: an owner may run on the telling thread, and closes or dials as it likes.
// LK-4  A connection that is no longer the link's own changes nothing: lanes name themselves in every call.
using Convoy.Actors.Remoting.Connections;
using Convoy.Actors.Remoting.Frames;
using Convoy.Actors.Remoting.Lanes;
using Convoy.Actors.Remoting.Session;
using Convoy.Actors.Runtime;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Security;
using Convoy.Shared.Threading;
using Convoy.Shared.Time;

namespace Convoy.Actors.Remoting;

internal abstract partial class Link : Peer
{
    private static readonly TimeSpan CloseGrace = TimeSpan.FromMilliseconds(500);

    private readonly OrderedLock _gate = new("a link", LockRank.Record);
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private SessionProtocol<ControlContent> _session;
    private ControlLane? _control;
    private BulkLane? _bulk;
    private Task _lastReader = Task.CompletedTask;
    private PeerId? _id;
    private long _controlPeerReceived;
    private Instant _bulkGraceEnds = Instant.Never;
    private Instant _closeBy = Instant.Never;
    private Instant _timerAt = Instant.Never;
    private TimerEntry? _timer;
    private readonly Action _onTimer;
    private readonly Queue<Action> _events = []; // what is to be told, in the order in which it came about (LK-2)
    private bool _isTelling;
    private bool _wasUp;     // in this session
    private bool _wasDown;   // in the life of this link
    private bool _closed;
    private bool _isSameMachine;
    private bool _closeNow;  // the time for acknowledgements is over: say goodbye
    private string _lossText = "";

    protected Link(Remoting remoting)
    {
        Remoting = remoting;
        _session = remoting.NewSession();
        _onTimer = OnTimer;
    }

    public Remoting Remoting { get; }
    private protected override TimeProvider Clock => Remoting.Options.Time;
    public override PeerId? Id => _id;
    /// <summary>Proved by the certificate of the first lane; null on a plain link.</summary>
    public ClusterRole? PeerRole { get; protected set; }
    public uint SessionNumber { get; protected set; } = 1;

    public override LinkState State
    {
        get
        {
            using (_gate.Enter()) return StateNow();
        }
    }

    /// <summary>Completes when a closed link has ended: nothing of it is left.</summary>
    public Task Ended => _ended.Task;

    protected abstract IActorRef Owner { get; }

    /// <summary>Something changed that the dialling side has to look at.</summary>
    protected abstract void Wake();

    /// <summary>The session is over; lanes are closed and the owner knows.</summary>
    protected abstract void AfterEnd();

    private LinkState StateNow() => _session.Status switch
    {
        _ when _closed => LinkState.Closed,
        SessionStatus.Over => LinkState.Down,
        SessionStatus.Opening => _wasDown ? LinkState.Down : LinkState.Connecting,
        SessionStatus.Up when _control is not null && _bulk is not null => LinkState.Up,
        _ => LinkState.Suspect,
    };

    /// <summary>A connection shook hands. The link comes up, or back, when both are there.</summary>
    /// <returns>Null, or why the session cannot go on.</returns>
    public string? AttachControl(IConnection connection, PeerId id, long peerReceived)
    {
        ControlLane? replaced;
        using (_gate.Enter())
        {
            if (_session.Status == SessionStatus.Over || _closed) return "the session is over";
            replaced = _control;
            if (replaced is not null) LoseControl_NeedsGate(Remoting.Now); // the peer noticed the loss before we did
            _id = id;
            _control = new ControlLane(this, connection);
            _controlPeerReceived = peerReceived;
        }

        return GoUp();
    }

    public string? AttachBulk(IConnection connection, long peerReceived)
    {
        var lost = false;
        using (_gate.Enter())
        {
            if (_session.Status == SessionStatus.Over || _closed) return "the session is over";
            SetBulk_NeedsGate(new BulkLane(this, connection));
            _isSameMachine = connection.IsSameMachine;
            _bulkGraceEnds = Instant.Never;
            lost = peerReceived != _bulkStarted;
        }

        if (!lost) return GoUp();
        const string Why = "bulk frames were lost with their connection";
        End(LinkDownReason.BulkLost, Why);
        return Why;
    }

    private string? GoUp()
    {
        string? error = null;
        using (_gate.Enter())
        {
            if (_control is null || _bulk is null || _session.Status == SessionStatus.Over) return null;
            if (_session.Status != SessionStatus.Up) error = _session.Connect(_controlPeerReceived);
            if (error is null)
            {
                var (kind, isFirst) = (_bulk.Kind, !_wasUp);
                _wasUp = true;
                if (isFirst && !_closed) _accepting = true;
                _events.Enqueue(() => TellUp(kind, isFirst));
            }
        }

        if (error is not null) End(LinkDownReason.ProtocolError, error);
        else TellEvents();
        return error;
    }

    private void TellUp(string kind, bool isFirst)
    {
        if (isFirst)
        {
            Log(LogLevel.Info, $"link up, bulk over {kind}");
            // The owner knows of the link before the first message comes over it (LK-2).
            Owner.Tell(new LinkUp(this), ActorRefs.NoSender);
        }

        StartLanes();
    }

    /// <summary>
    /// One after the other; what comes about meanwhile, here or on other threads, is told by who tells already.
    /// </summary>
    private void TellEvents()
    {
        using (_gate.Enter())
        {
            if (_isTelling) return;
            _isTelling = true;
        }

        try
        {
            while (NextEvent() is { } tell) tell();
        }
        catch
        {
            using (_gate.Enter()) _isTelling = false;
            throw;
        }
    }

    private Action? NextEvent()
    {
        using (_gate.Enter())
        {
            if (_events.TryDequeue(out var next)) return next;
            _isTelling = false;
            return null;
        }
    }

    private void StartLanes()
    {
        using (_gate.Enter())
        {
            if (_session.Status != SessionStatus.Up) return;
            _control?.Start(_lastReader);
            _bulk?.Start();
            _control?.Kick();
            _bulk?.Kick();
            Arm_NeedsGate();
        }
    }

    public void OnLaneLost(object lane, string text)
    {
        bool ended;
        using (_gate.Enter())
        {
            var now = Remoting.Now;
            if (lane == _control) LoseControl_NeedsGate(now);
            else if (lane == _bulk) LoseBulk_NeedsGate(now);
            else return; // LK-4
            if (_control is null && _bulk is null)
            {
                _session.ShortenGrace(now + Remoting.Options.Clocks.Confirm / 2);
                if (_bulkGraceEnds > now + Remoting.Options.Clocks.Confirm / 2)
                    _bulkGraceEnds = now + Remoting.Options.Clocks.Confirm / 2;
            }

            ended = _closed;
            _lossText = text;
            Arm_NeedsGate();
        }

        Log(LogLevel.Debug, $"a connection was lost: {text}");
        if (ended) End(LinkDownReason.ClosedHere, "closed here");
        Wake();
    }

    public void OnProtocolError(object lane, string text)
    {
        using (_gate.Enter())
        {
            if (lane != _control && lane != _bulk) return;
        }

        End(LinkDownReason.ProtocolError, text);
    }

    public void OnGoodbyeSent() => End(LinkDownReason.ClosedHere, "closed here");

    public override void Close()
    {
        bool now;
        List<BulkItem> unsent;
        using (_gate.Enter())
        {
            if (_closed) return;
            _closed = true;
            _accepting = false;
            // Frames that wait read their owner's memory, which a closed link may not claim any longer.
            unsent = TakeUnsent_NeedsGate();
            // What was told before is still delivered and acknowledged, for a bounded time; then the goodbye.
            now = _session.Status != SessionStatus.Up || _control is null;
            _closeBy = Remoting.Now + CloseGrace;
            Arm_NeedsGate();
            if (!now) _control!.Kick();
        }

        foreach (var item in unsent) item.Done?.Completed(item.Header, sent: false);
        Room.Wake();
        if (now) End(LinkDownReason.ClosedHere, "closed here");
        CompleteWhenClosed();
        Wake();
    }

    /// <summary>Ends the session; everything that waits is handed back. Does nothing the second time.</summary>
    public void End(LinkDownReason reason, string text)
    {
        ControlLane? control;
        BulkLane? bulk;
        using (_gate.Enter())
        {
            if (_session.Status == SessionStatus.Over) return;
            _accepting = false;
            List<ControlContent> unacknowledged = [.. _session.End().Select(f => f.Content), .. TakeOutbox()];
            var unsent = TakeUnsent_NeedsGate();
            var wasUp = _wasUp;
            (control, bulk) = (_control, _bulk);
            if (_control is not null) _lastReader = _control.Reader;
            (_control, _bulk, _wasUp) = (null, null, false);
            _wasDown |= wasUp;
            _timer?.Cancel();
            _timerAt = Instant.Never;
            _events.Enqueue(() => TellDown(reason, text, wasUp, unacknowledged, unsent));
        }

        control?.Close();
        bulk?.Close();
        TellEvents();
    }

    private void TellDown(LinkDownReason reason, string text, bool wasUp, List<ControlContent> unacknowledged,
        List<BulkItem> unsent)
    {
        Log(wasUp ? LogLevel.Info : LogLevel.Debug, $"link down: {reason}, {text}");
        if (wasUp) Owner.Tell(new LinkDown(this, reason, text), ActorRefs.NoSender);
        foreach (var item in unsent) item.Done?.Completed(item.Header, sent: false);
        Room.Wake();
        HandBack(unacknowledged, reason);
        EndWatches();
        if (_isSameMachine && reason is not (LinkDownReason.ClosedHere or LinkDownReason.Goodbye))
            Remoting.SharedMemory.Sweep();
        AfterEnd();
        Wake();
        CompleteWhenClosed();
    }

    private void CompleteWhenClosed()
    {
        using (_gate.Enter())
        {
            if (!_closed || _session.Status != SessionStatus.Over) return;
        }

        _ended.TrySetResult();
    }

    private TimeSpan _silenceMax = TimeSpan.MaxValue;

    /// <summary>From now on this link bears no longer silence.</summary>
    protected void BearNoSilenceOver(TimeSpan silence)
    {
        using (_gate.Enter()) _session.SilenceMax = _silenceMax = silence;
    }

    /// <summary>The dialling side begins again with an empty session.</summary>
    protected void Renew()
    {
        using (_gate.Enter())
        {
            if (_session.Status != SessionStatus.Over || _closed) return;
            SessionNumber++;
            _session = Remoting.NewSession();
            _session.SilenceMax = _silenceMax;
            (_bulkStarted, _bulkReceived, _bulkGraceEnds) = (0, 0, Instant.Never);
            _id = null;
            _accepting = !_wasDown;
        }
    }

    /// <summary>What the dialling side has to do next.</summary>
    protected (bool Control, bool Bulk, bool Over, bool Closed, long ControlReceived, long BulkReceived) Missing()
    {
        using (_gate.Enter())
        {
            var over = _session.Status == SessionStatus.Over;
            return (_control is null, _bulk is null, over, _closed, _session.Received, BulkReceived_NeedsGate);
        }
    }

    protected bool NeverUp
    {
        get
        {
            using (_gate.Enter()) return !_wasUp;
        }
    }

    /// <summary>Numbers for the answer to a greeting.</summary>
    public long ReceivedOn(Frames.Lane lane)
    {
        using (_gate.Enter()) return lane == Frames.Lane.Control ? _session.Received : BulkReceived_NeedsGate;
    }

    /// <summary>In a session that never was up, half a pair of lanes is worth nothing.</summary>
    protected void DropHalf()
    {
        using (_gate.Enter())
        {
            if (_session.Status != SessionStatus.Opening) return;
            _control?.Close();
            _bulk?.Close();
            (_control, _bulk) = (null, null);
        }
    }

    /// <summary>
    /// A greeting for this lane came: its old connection takes nothing any more, so that our number stands.
    /// </summary>
    public void Quiet(Frames.Lane lane)
    {
        using (_gate.Enter())
        {
            if (_session.Status == SessionStatus.Opening) return;
            if (lane == Frames.Lane.Control && _control is not null) LoseControl_NeedsGate(Remoting.Now);
            if (lane != Frames.Lane.Control && _bulk is not null) LoseBulk_NeedsGate(Remoting.Now);
            Arm_NeedsGate();
        }
    }

    protected void Log(LogLevel level, string text) => Remoting.Log(level, ToString(), text);

    private void LoseControl_NeedsGate(Instant now)
    {
        _lastReader = _control!.Reader;
        _control.Close();
        _control = null;
        _session.Lose(now);
    }

    private void LoseBulk_NeedsGate(Instant now)
    {
        SetBulk_NeedsGate(null);
        _bulkGraceEnds = now + Remoting.Options.Clocks.Confirm;
    }

    private void Arm_NeedsGate()
    {
        var now = Remoting.Now;
        // Who makes an acknowledgement due also wakes the lane, which needs no timer for it.
        var next = _session.AckIsDue(now) ? _session.SilenceEnds : _session.NextDeadline;
        if (_bulkGraceEnds < next) next = _bulkGraceEnds;
        if (_closeBy < next) next = _closeBy;
        if (next >= _timerAt || _session.Status == SessionStatus.Over) return;
        _timer?.Cancel();
        _timerAt = next;
        _timer = Remoting.Timers.Schedule(next - now, _onTimer);
    }

    private void OnTimer()
    {
        (LinkDownReason Reason, string Text)? end = null;
        using (_gate.Enter())
        {
            _timerAt = Instant.Never;
            var now = Remoting.Now;
            if (_closed && now >= _closeBy && (_closeNow || _control is null))
                end = (LinkDownReason.ClosedHere, "closed here");
            else if (_session.MustEnd(now))
                end = _session.Status == SessionStatus.Up
                    ? (LinkDownReason.Silent, "no acknowledgement came")
                    : (LinkDownReason.ConnectionLost, _lossText);
            else if (now >= _bulkGraceEnds) end = (LinkDownReason.BulkLost, _lossText);
            else
            {
                if (_closed && now >= _closeBy) (_closeNow, _closeBy) = (true, now + CloseGrace);
                _control?.Kick();
                Arm_NeedsGate();
            }
        }

        if (end is { } why) End(why.Reason, why.Text);
    }
}
