using System.Buffers;
using Convoy.Actors.Remoting;
using Convoy.Actors.Remoting.Session;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;
using Google.Protobuf;

namespace Convoy.Actors.Simulation;

/// <summary>How fast and how reliably the wires carry.</summary>
internal sealed record NetworkQuality
{
    public TimeSpan LatencyMin { get; init; } = TimeSpan.FromMicroseconds(100);
    public TimeSpan LatencyMax { get; init; } = TimeSpan.FromMicroseconds(400);
    /// <summary>Bytes a second out of one machine.</summary>
    public double BytesPerSecond { get; init; } = 1.25e9;
    /// <summary>Segments in a thousand that are lost once and come after a retransmission.</summary>
    public int LossPerMille { get; init; }
    public TimeSpan Retransmission { get; init; } = TimeSpan.FromMilliseconds(200);
    /// <summary>Control segments in a thousand that arrive twice.</summary>
    public int DuplicatePerMille { get; init; }
    public TimeSpan HandshakeTimeout { get; init; } = TimeSpan.FromSeconds(5);
}

/// <summary>
/// The wires between machines. A connection is what TCP gives: bytes in order, late or not at all, and two lanes that
/// do not wait for each other. So a lost segment is a late one, and what was under way is lost only with its
/// connection.
/// </summary>
internal sealed class SimulatedNetwork(SimulatedWorld world)
{
    private readonly Dictionary<string, SimulatedRemoting> _listening = new(StringComparer.Ordinal);
    private readonly Dictionary<string, Instant> _busyUntil = new(StringComparer.Ordinal);
    private readonly List<(string From, string To)> _blocked = [];
    private readonly List<SimulatedArrival> _held = [];
    private readonly List<SimulatedPeer> _orphans = []; // ends whose other end vanished without a word
    private long _connections;

    public SimulatedWorld World => world;

    public NetworkQuality Quality { get; set; } = new();

    /// <summary>Machines whose own link is slower than the others'.</summary>
    public Dictionary<string, double> BytesPerSecondInto { get; } = [];

    /// <summary>Sees every control message that is delivered: from host, to host, message.</summary>
    public Action<SimulatedRemoting, SimulatedRemoting, IMessage>? Delivered { get; set; }

    /// <summary>Sees every control message when it leaves: from host, to host, message.</summary>
    public Action<string, string, IMessage>? Sent { get; set; }

    /// <summary>Sees every bulk frame that is delivered: from host, to host, header.</summary>
    public Action<SimulatedRemoting, SimulatedRemoting, BulkHeader>? BulkDelivered { get; set; }

    /// <summary>For tests of the checkers: what a host sends to another instead of a message; null drops it.</summary>
    public Func<string, string, IMessage, IMessage?>? Tamper { get; set; }

    /// <summary>For tests of the checkers: who gets a message for a name that nobody has there; null: nobody.</summary>
    public Func<SimulatedRemoting, string, IActorRef?>? Finds { get; set; }

    public long ControlMessages { get; internal set; }
    public long ControlBytes { get; internal set; }
    public long BulkFrames { get; internal set; }

    /// <summary>Where ends put frames together before they leave.</summary>
    internal ArrayBufferWriter<byte> Frames { get; } = new();

    internal long NewConnection() => ++_connections;

    internal SimulatedRemoting? Find(string address) =>
        _listening.TryGetValue(address, out var there) && !there.Process.IsGone ? there : null;

    internal void Listen(SimulatedRemoting remoting)
    {
        _listening[remoting.Address] = remoting;
        // A machine that is back answers what came for the process it had before: there is no such connection.
        foreach (var orphan in _orphans.Where(o => o.Far?.Remoting.Process.Host == remoting.Process.Host).ToArray())
        {
            _orphans.Remove(orphan);
            Travel(remoting.Process.Host, orphan.Remoting.Process.Host, 0, orphan.Remoting.Process,
                orphan.OnFarEndGone);
        }
    }

    /// <summary>A process ended.</summary>
    /// <param name="process">Which.</param>
    /// <param name="silently">The machine went with it: nobody closes its connections.</param>
    public void OnEnded(SimulatedProcess process, bool silently)
    {
        if (_listening.Values.FirstOrDefault(r => r.Process == process) is not { } remoting) return;
        foreach (var far in remoting.Peers.Select(p => p.Far).OfType<SimulatedPeer>().ToArray())
        {
            if (silently) _orphans.Add(far);
            else Travel(process.Host, far.Remoting.Process.Host, 0, far.Remoting.Process, far.OnFarEndGone);
        }
    }

    /// <summary>
    /// Forgets every process but one, its links' far ends too: what is left is that one's own memory.
    /// </summary>
    public void ForgetAllBut(SimulatedRemoting kept)
    {
        _listening.Clear();
        _orphans.Clear();
        _held.Clear();
        foreach (var peer in kept.Peers) peer.ForgetFarEnd();
    }

    public IEnumerable<SimulatedRemoting> Alive => _listening.Values.Where(r => !r.Process.IsGone);

    // ---- Faults ----

    public bool IsBlocked(string from, string to) => _blocked.Count > 0 && _blocked.Contains((from, to));

    public void Block(string from, string to) => _blocked.Add((from, to));

    /// <summary>What was held up on this way arrives after all.</summary>
    public void Unblock(string from, string to)
    {
        if (!_blocked.Remove((from, to)) || IsBlocked(from, to)) return;
        foreach (var held in _held.Where(h => h.From == from && h.To == to).ToArray())
            world.After(null, TimeSpan.FromMicroseconds(100), held);
        _held.RemoveAll(h => h.From == from && h.To == to);
    }

    public void UnblockAll()
    {
        foreach (var (from, to) in _blocked.ToArray()) Unblock(from, to);
    }

    /// <summary>Cuts the connections between two machines; both ends notice, each in its time.</summary>
    public void Reset(string a, string b, bool control, bool bulk)
    {
        foreach (var near in _listening.Values.Where(r => r.Process.Host == a).SelectMany(r => r.Peers).ToArray())
        {
            if (near.Far is not { } far || far.Remoting.Process.Host != b) continue;
            if (control) near.Cut(SimulatedLane.Control);
            if (bulk) near.Cut(SimulatedLane.Bulk);
        }
    }

    // ---- Bytes ----

    public TimeSpan Latency()
    {
        var quality = Quality;
        var latency = world.Choice.Between(quality.LatencyMin, quality.LatencyMax);
        return quality.LossPerMille > 0 && world.Choice.Below(1_000) < quality.LossPerMille
            ? latency + quality.Retransmission : latency;
    }

    /// <summary>When bytes that leave now arrive.</summary>
    internal Instant ArrivalOf(string from, string to, int bytes)
    {
        var leaves = world.Now;
        if (bytes > 1_400)
        {
            // Only what fills more than a packet is worth the account of the wire's occupation.
            if (_busyUntil.TryGetValue(from, out var busy) && busy > leaves) leaves = busy;
            leaves += TimeSpan.FromSeconds(bytes / Quality.BytesPerSecond);
            _busyUntil[from] = leaves;
        }

        if (!BytesPerSecondInto.TryGetValue(to, out var speed)) return leaves + Latency();
        // The narrow end is the receiver's: what is for it queues there, and nobody else waits.
        var narrow = $"into {to}";
        if (_busyUntil.TryGetValue(narrow, out var full) && full > leaves) leaves = full;
        return (_busyUntil[narrow] = leaves + TimeSpan.FromSeconds(bytes / speed)) + Latency();
    }

    /// <summary>Something that needs no order and no connection, such as a first packet.</summary>
    internal void Travel(string from, string to, int bytes, SimulatedProcess? process, Action arrive) =>
        ArriveAt(ArrivalOf(from, to, bytes), from, to, process, arrive);

    internal void ArriveAt(Instant at, string from, string to, SimulatedProcess? process, Action arrive) =>
        ArriveAt(at, new ArrivalCall(this, from, to, process, arrive));

    internal void ArriveAt(Instant at, SimulatedArrival arrival) => world.At(null, at.Microseconds, arrival);

    internal void Arrive(SimulatedArrival arrival)
    {
        if (IsBlocked(arrival.From, arrival.To)) _held.Add(arrival);
        else if (arrival.Process is not { } process) arrival.Take();
        // What waits for a stopped process is past the wires: nothing holds it up there a second time.
        else if (process.IsStopped) process.Takes(new SimulatedCall(arrival.Take));
        else if (!process.IsGone)
        {
            var started = process.Enter();
            arrival.Take();
            process.Leave(started);
        }
    }
}

internal enum SimulatedLane
{
    Control,
    Bulk,
}

/// <summary>The network as one process sees it.</summary>
internal sealed class SimulatedRemoting : IRemoting
{
    private readonly List<SimulatedPeer> _peers = [];
    private ulong _links;

    public SimulatedRemoting(
        SimulatedNetwork network, SimulatedProcess process, string address, Incarnation incarnation, ClockTable clocks,
        IActorRef acceptedOwner, IBulkReceiver? bulk)
    {
        (Network, Process, Address, Incarnation, Clocks, AcceptedOwner, Bulk) =
            (network, process, address, incarnation, clocks, acceptedOwner, bulk);
        Names = new NameTable(process.System);
        Limits = new SessionLimits { Grace = clocks.Confirm, Silence = clocks.LinkSilence };
        network.Listen(this);
    }

    public SimulatedNetwork Network { get; }
    public SimulatedProcess Process { get; }
    public string Address { get; }
    public Incarnation Incarnation { get; }
    public ClockTable Clocks { get; }
    public IActorRef AcceptedOwner { get; }
    public IBulkReceiver? Bulk { get; }
    public NameTable Names { get; }

    /// <summary>Frames that may be under way on one bulk lane.</summary>
    public int BulkFramesMax { get; init; } = 4_096;

    public IReadOnlyList<SimulatedPeer> Peers => _peers;

    /// <summary>Of every session of this process.</summary>
    public SessionLimits Limits { get; }

    public void Register(string name, IActorRef actor) => Names.Register(name, actor);

    public void Outlast(TimeSpan silence)
    {
        if (silence > Limits.Silence) Limits.Silence = silence;
    }

    public Peer Connect(string address, IActorRef linkOwner, Incarnation? wanted = null)
    {
        var peer = new SimulatedPeer(this, address, ++_links, linkOwner, dials: true) { Wanted = wanted };
        _peers.RemoveAll(static p => p.IsOver);
        _peers.Add(peer);
        peer.DialSoon(TimeSpan.Zero);
        return peer;
    }

    /// <summary>The accepting end of a greeting: the session it continues or begins; null: it is over here.</summary>
    internal SimulatedPeer? FindOrMake(SimulatedPeer dialler, bool knowsUs)
    {
        var old = _peers.Find(p => !p.Dials && p.Key == dialler.Key && !p.IsOver);
        if (old is not null && old.SessionNumber == dialler.SessionNumber) return old;
        if (knowsUs) return null;
        old?.End(LinkDownReason.ConnectionLost, "the peer began a new session");
        var made = new SimulatedPeer(this, dialler.Remoting.Address, dialler.LinkNumber, AcceptedOwner, dials: false)
        {
            Key = dialler.Key, SessionNumber = dialler.SessionNumber,
        };
        _peers.RemoveAll(static p => p.IsOver);
        _peers.Add(made);
        return made;
    }
}
