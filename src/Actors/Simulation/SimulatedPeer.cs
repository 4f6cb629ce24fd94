// One end of a link in the simulated network: the real session protocol and the real frames, over connections that the
// network delays, holds up or cuts. What a real link does with sockets and locks happens here by events.
using Convoy.Actors.Remoting;
using Convoy.Actors.Remoting.Frames;
using Convoy.Actors.Remoting.Session;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;

namespace Convoy.Actors.Simulation;

internal sealed partial class SimulatedPeer : Peer
{
    private const int Never = 0; // number of a connection that does not exist
    private static readonly TimeSpan CloseGrace = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan FirstDelay = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan LastDelay = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan RedialDelay = TimeSpan.FromMilliseconds(5);

    private readonly long[] _connection = [Never, Never];
    private readonly Instant[] _lastArrival = new Instant[2];
    private readonly IActorRef _owner;
    private SessionProtocol<ControlContent> _session;
    private PeerId? _id;
    private long _attempt;
    private int _failures;
    private bool _knowsPeer;
    private string[] _places; // tried one after the other, until one answers
    private int _place;
    private string[]? _wider; // from the next session on
    private TimeSpan _silenceMax = TimeSpan.MaxValue;
    private bool _wasUp;
    private bool _wasDown;
    private bool _closed;
    private bool _accepting = true;
    private Instant _bulkGraceEnds = Instant.Never;
    private Instant _closeBy = Instant.Never;
    private Instant _timerAt = Instant.Never;

    public SimulatedPeer(SimulatedRemoting remoting, string address, ulong linkNumber, IActorRef owner, bool dials)
    {
        (Remoting, _places, LinkNumber, _owner, Dials) = (remoting, address.Split(','), linkNumber, owner, dials);
        Key = (remoting.Incarnation.Value, linkNumber);
        _session = NewSession();
    }

    public SimulatedRemoting Remoting { get; }
    public ulong LinkNumber { get; }
    public bool Dials { get; }

    /// <summary>The process that must answer; null: whoever does.</summary>
    public Incarnation? Wanted { get; init; }

    public (ulong Incarnation, ulong Link) Key { get; init; }
    public uint SessionNumber { get; internal set; } = 1;
    public SimulatedPeer? Far { get; private set; }
    public override PeerId? Id => _id;
    public override string Address => string.Join(',', _places);
    private string Place => _places[_place];

    /// <summary>
    /// An accepted end whose session is over, or a dialled one that its owner closed: nothing comes any more.
    /// </summary>
    public bool IsOver => _session.Status == SessionStatus.Over && (_closed || !Dials);

    internal void ForgetFarEnd() => Far = null;

    /// <summary>Control messages that wait for their acknowledgement.</summary>
    public int Unacknowledged => _session.Waiting;

    public int BulkUnderWay => _bulk.Count;

    private SimulatedWorld World => Remoting.Network.World;
    private SimulatedProcess Process => Remoting.Process;
    private protected override TimeProvider Clock => Process.Time;

    private Instant Now => World.Now;
    private bool IsUp => _connection[0] != Never && _connection[1] != Never;

    public override LinkState State => _session.Status switch
    {
        _ when _closed => LinkState.Closed,
        SessionStatus.Over => LinkState.Down,
        SessionStatus.Opening => _wasDown ? LinkState.Down : LinkState.Connecting,
        SessionStatus.Up when IsUp => LinkState.Up,
        _ => LinkState.Suspect,
    };

    private SessionProtocol<ControlContent> NewSession() => new(Remoting.Limits) { SilenceMax = _silenceMax };

    public override void AlsoAt(string address, TimeSpan silence)
    {
        _wider = [.. _places.Union(address.Split(','), StringComparer.Ordinal)];
        _session.SilenceMax = _silenceMax = silence;
    }

    private void Trace(string text)
    {
        if (World.Traces) World.Trace($"{Process.Host}>{_id?.Node ?? Place} {text}");
    }

    // ---- Dialling ----

    internal void DialSoon(TimeSpan delay)
    {
        var attempt = ++_attempt;
        World.After(Process, delay, () => Dial(attempt));
    }

    private void Dial(long attempt)
    {
        if (attempt != _attempt || _closed || IsUp) return;
        if (_session.Status == SessionStatus.Over) Renew();
        var network = Remoting.Network;
        var place = Place;
        var (here, there) = (Process.Host, HostOf(place));
        network.Travel(here, there, 0, null, () =>
        {
            if (network.Find(place) is not { } target)
                network.Travel(there, here, 0, Process, () => OnNobodyThere(attempt));
            else if (target.Process.Takes(new SimulatedCall(() => OnGreeting(target, attempt))))
                OnGreeting(target, attempt);
        });
        World.After(Process, network.Quality.HandshakeTimeout / (_places.Length > 1 ? 4 : 1), () =>
        {
            if (attempt == _attempt && !IsUp && !TriesNext()) BackOff();
        });
    }

    private static string HostOf(string address) => address[..address.IndexOf(':', StringComparison.Ordinal)];

    private void Renew()
    {
        SessionNumber++;
        // Who was left is tried last where others may answer.
        if (_wider is { } wider && _wasDown)
            (_places, _place) = ([.. wider.OrderBy(p => p == Place)], 0);
        _session = NewSession();
        (_bulkStarted, _bulkReceived, _bulkGraceEnds, _id, _knowsPeer) = (0, 0, Instant.Never, null, false);
        _accepting = !_wasDown;
        Far = null;
    }

    /// <summary>At the accepting process: this end's greeting arrived there.</summary>
    private void OnGreeting(SimulatedRemoting target, long attempt)
    {
        if (attempt != _attempt || IsUp) return; // the dialler gave this attempt up
        var (network, here, there) = (Remoting.Network, Process.Host, target.Process.Host);
        if (_id is null && Wanted is { } wanted && wanted != target.Incarnation)
        {
            network.Travel(there, here, 0, Process, () => { if (attempt == _attempt && !TriesNext()) BackOff(); });
            return;
        }

        var sameProcess = _id is not { } known || known.Incarnation == target.Incarnation;
        if (!sameProcess || target.FindOrMake(this, _knowsPeer) is not { } end)
        {
            network.Travel(there, here, 0, Process, () => OnSessionOver(attempt, sameProcess));
            return;
        }

        // Only what the dialler misses is connected anew; the other lane keeps what it has under way.
        var lanes = new long[] { Never, Never };
        for (var lane = SimulatedLane.Control; lane <= SimulatedLane.Bulk; lane++)
        {
            if (_connection[(int)lane] != Never) continue;
            lanes[(int)lane] = network.NewConnection();
            end.Quiet(lane);
        }

        var (control, bulk) = (end._session.Received, end._bulkReceived);
        var answer = network.ArrivalOf(there, here, 0);
        for (var lane = 0; lane < 2; lane++)
            if (lanes[lane] != Never) end._lastArrival[lane] = answer;
        network.ArriveAt(answer, there, here, Process, () =>
        {
            if (attempt != _attempt || _closed || _session.Status == SessionStatus.Over)
                network.Travel(here, there, 0, target.Process, () => end.OnLanesLost(lanes, "the dialler gave up"));
            else Attach(end, new PeerId(there, target.Incarnation), lanes, control, bulk);
        });
        end.Attach(this, new PeerId(here, Remoting.Incarnation), lanes, _session.Received, _bulkReceived);
    }

    private void OnNobodyThere(long attempt)
    {
        if (attempt != _attempt) return;
        if (_wasUp) End(LinkDownReason.ConnectionLost, "the connection was closed and nobody listens at the address");
        else if (TriesNext()) return;
        BackOff();
    }

    /// <summary>Inside a session the place is known; else another one may lead to who is looked for.</summary>
    private bool TriesNext()
    {
        if (_wasUp || _place + 1 == _places.Length) return false;
        _place++;
        DialSoon(TimeSpan.Zero);
        return true;
    }

    private void OnSessionOver(long attempt, bool sameProcess)
    {
        if (attempt != _attempt) return;
        if (sameProcess) End(LinkDownReason.ConnectionLost, "the peer has given the session up");
        else End(LinkDownReason.PeerRestarted, "another process answers at the address");
        DialSoon(RedialDelay);
    }

    private void BackOff()
    {
        if (_closed) return;
        if (!_wasUp) _place = 0;
        var whole = TimeSpan.FromTicks(Math.Min(FirstDelay.Ticks << Math.Min(_failures++, 10), LastDelay.Ticks));
        DialSoon(_wasUp ? RedialDelay : whole - (whole * (World.Choice.Below(256) / 1024.0)));
    }

    // ---- Connections ----

    /// <summary>A greeting came for this lane: what its old connection still carries is not taken any more.</summary>
    private void Quiet(SimulatedLane lane)
    {
        if (_connection[(int)lane] != Never) Lose(lane);
    }

    private void Attach(SimulatedPeer far, PeerId id, long[] lanes, long peerReceived, long peerBulkReceived)
    {
        (Far, _id, _knowsPeer, _failures) = (far, id, true, 0);
        for (var lane = 0; lane < 2; lane++)
            if (lanes[lane] != Never) _connection[lane] = lanes[lane];
        if (lanes[1] != Never) _bulkGraceEnds = Instant.Never;
        if (lanes[1] != Never && peerBulkReceived != _bulkStarted)
        {
            End(LinkDownReason.BulkLost, "bulk frames were lost with their connection");
            return;
        }

        if (lanes[0] != Never)
        {
            _session.Lose(Now);
            if (_session.Connect(peerReceived) is { } error)
            {
                End(LinkDownReason.ProtocolError, error);
                return;
            }
        }

        if (!IsUp) return;
        if (!_wasUp)
        {
            (_wasUp, _accepting) = (true, !_closed);
            _owner.Tell(new LinkUp(this), ActorRefs.NoSender);
            Trace($"link up, session {SessionNumber}");
        }
        else Trace($"link resumed, session {SessionNumber}");

        Pump();
        FlushBulk();
    }

    /// <summary>Both ends of one lane notice that it is gone, each in its time.</summary>
    internal void Cut(SimulatedLane lane)
    {
        if (Far is not { } far || _connection[(int)lane] is Never) return;
        var number = _connection[(int)lane];
        World.After(Process, Remoting.Network.Latency(), () => OnLaneLost(lane, number, "connection reset"));
        World.After(far.Process, Remoting.Network.Latency(), () => far.OnLaneLost(lane, number, "connection reset"));
    }

    internal void OnFarEndGone() => OnLanesLost([.. _connection], "the connection was closed");

    private void OnLanesLost(long[] lanes, string text)
    {
        OnLaneLost(SimulatedLane.Control, lanes[0], text);
        OnLaneLost(SimulatedLane.Bulk, lanes[1], text);
    }

    private void OnLaneLost(SimulatedLane lane, long number, string text)
    {
        if (number == Never || _connection[(int)lane] != number || _session.Status == SessionStatus.Over) return;
        Trace($"{lane} lane lost: {text}");
        _lossText = text;
        Lose(lane);
        if (_closed) End(LinkDownReason.ClosedHere, "closed here");
        else if (Dials) DialSoon(RedialDelay);
    }

    private string _lossText = "";

    private void Lose(SimulatedLane lane)
    {
        _connection[(int)lane] = Never;
        if (lane == SimulatedLane.Control) _session.Lose(Now);
        else _bulkGraceEnds = Now + Remoting.Clocks.Confirm;
        if (_connection[0] == Never && _connection[1] == Never)
        {
            var soon = Now + (Remoting.Clocks.Confirm / 2);
            _session.ShortenGrace(soon);
            if (_bulkGraceEnds > soon) _bulkGraceEnds = soon;
        }

        Arm();
    }

    // ---- The end ----

    public override void Close()
    {
        if (_closed) return;
        (_closed, _accepting) = (true, false);
        DropBulk();
        if (_session.Status != SessionStatus.Up || _connection[0] == Never)
        {
            End(LinkDownReason.ClosedHere, "closed here");
            return;
        }

        _closeBy = Now + CloseGrace;
        Pump();
        Arm();
    }

    private bool MayGo => _closed && (_session.Waiting == 0 || Now >= _closeBy);

    private void SayGoodbye()
    {
        var far = Far!;
        var number = _connection[0];
        SendOn(SimulatedLane.Control, ControlCodec.FixedBytes, new ArrivalCall(
            Remoting.Network, Process.Host, far.Process.Host, far.Process, () => far.OnGoodbye(number)));
        End(LinkDownReason.ClosedHere, "closed here");
    }

    private void OnGoodbye(long number)
    {
        if (_connection[0] == number) End(LinkDownReason.Goodbye, "the peer said goodbye");
    }

    /// <summary>Ends the session; what waits comes back. Does nothing the second time.</summary>
    internal void End(LinkDownReason reason, string text)
    {
        if (_session.Status == SessionStatus.Over) return;
        _accepting = false;
        var wasUp = _wasUp;
        var unacknowledged = _session.End();
        var lanes = _connection.ToArray();
        (_connection[0], _connection[1], _wasUp) = (Never, Never, false);
        _wasDown |= wasUp;
        if (Far is { } far && (lanes[0] != Never || lanes[1] != Never))
            Remoting.Network.Travel(Process.Host, far.Process.Host, 0, far.Process,
                () => far.OnLanesLost(lanes, "the connection was closed"));
        if (wasUp) Trace($"link down: {reason}, {text}");
        if (wasUp) _owner.Tell(new LinkDown(this, reason, text), ActorRefs.NoSender);
        DropBulk();
        Room.Wake();
        HandBack(unacknowledged, reason);
        if (Dials && !_closed && reason is not (LinkDownReason.PeerRestarted or LinkDownReason.ConnectionLost))
            DialSoon(RedialDelay);
        else if (Dials && !_closed) DialSoon(FirstDelay);
    }

    private void Arm()
    {
        if (_session.Status == SessionStatus.Over) return;
        var next = _session.NextDeadline;
        if (_bulkGraceEnds < next) next = _bulkGraceEnds;
        if (_closeBy < next) next = _closeBy;
        if (next >= _timerAt) return;
        _timerAt = next;
        World.At(Process, next.Microseconds, new TimerDue(this, next));
    }

    private sealed class TimerDue(SimulatedPeer peer, Instant armedFor) : SimulatedEvent
    {
        public override void Happen() => peer.OnTimer(armedFor);
    }

    private void OnTimer(Instant armedFor)
    {
        if (armedFor != _timerAt) return;
        _timerAt = Instant.Never;
        if (_session.Status == SessionStatus.Over) return;
        if (_session.MustEnd(Now))
        {
            if (_session.Status == SessionStatus.Up) End(LinkDownReason.Silent, "no acknowledgement came");
            else End(LinkDownReason.ConnectionLost, _lossText);
        }
        else if (Now >= _bulkGraceEnds) End(LinkDownReason.BulkLost, _lossText);
        else
        {
            Pump();
            Arm();
        }
    }
}
