using Convoy.Shared.Casting;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;
using Convoy.Simulation.Tests.Scripting;
using Google.Protobuf;

namespace Convoy.Simulation.Tests.Casting;

/// <summary>
/// A coordinator (c) and members, each a <see cref="CastProtocol"/>; all are linked to all but who is dead, cut or
/// asleep. What is said arrives at once, in order, until nothing is said any more; who sleeps hears it when it wakes.
/// </summary>
internal sealed class CastMachine : IScriptMachine
{
    private const int Coordinator = 0;
    private readonly List<Node> _nodes = [];
    private readonly Queue<(int From, int To, IMessage Message)> _wire = new();
    private readonly List<string> _trace = [];
    private readonly List<Member> _members = [];
    private readonly HashSet<(int, int)> _cut = [];
    private Roster? _roster;
    private Instant _now = new(1_000_000);
    private int _fanOut;
    private long _generation;
    private long _casts;

    private sealed class Node(int number)
    {
        public int Number => number;
        public Incarnation Incarnation => number == Coordinator ? default : new((ulong)number);
        public CastProtocol Protocol { get; } =
            new(number == Coordinator ? default : new((ulong)number), new ClockTable());
        public bool Dead { get; set; }
        public bool Asleep { get; set; }
        public bool Mute { get; set; } // it takes casts and never answers
        public Queue<(int From, IMessage Message)> Waiting { get; } = new();
    }

    public IEnumerable<string> Run(ScriptCommand c)
    {
        _trace.Clear();
        switch (c.Verb)
        {
            case "cluster": OnCluster(c); break;
            case "dead": Each(c, n => n.Dead = true); break;
            case "lost": Each(c, OnLost); break;
            case "asleep": Each(c, n => n.Asleep = true); break;
            case "awake": Each(c, OnAwake); break;
            case "mute": Each(c, n => n.Mute = true); break;
            case "speaks": Each(c, n => { n.Mute = false; Answer(n); }); break;
            case "cut": OnCut(c.NumbersAt(0)); break;
            case "open": Begin(new Open { LeaderToken = 1, Generation = ++_generation, JobId = "j" }, []); break;
            case "fence":
                Begin(new Fence { LeaderToken = 1, Generation = ++_generation, Kind = FenceKind.Hard },
                c); break;
            case "advance": Advance(c.TimeAt(0)); break;
            case "ask": Step(_nodes[Coordinator], new AskSilent()); break;
            case "repeat": Say(0, c.NumbersAt(0)[0], _last!); break;
            default: throw new FormatException($"unknown command {c}");
        }

        Deliver();
        return [.. _trace];
    }

    private Cast? _last;

    private void OnCluster(ScriptCommand c)
    {
        _fanOut = (int)c.Number("fan-out", 2);
        _nodes.Add(new Node(Coordinator));
        for (var i = 1; i <= c.Number("members"); i++)
        {
            _nodes.Add(new Node(i));
            _members.Add(new Member
            { WorkerId = i, Incarnation = (ulong)i, PeerAddress = $"w{i}:7000", Action = AlignAction.Keep });
        }

        foreach (var a in _nodes)
            foreach (var b in _nodes)
                if (a != b && b.Number != Coordinator) Step(a, new CastLinkUp(b.Incarnation));
    }

    private void Begin(Open open, int[] gone)
    {
        open.Members.AddRange(_members);
        open.Cuts.AddRange(Enumerable.Range(0, _members.Count + 1));
        _roster = Roster.Of(open.Members);
        var cast = NewCast(gone);
        CastContent.Pack(open, cast);
        Begin(cast);
    }

    private void Begin(Fence fence, ScriptCommand c)
    {
        var cast = NewCast(c.Has("gone") ? [.. c.Numbers("gone").Select(n => n - 1)] : []);
        cast.Fence = fence;
        Begin(cast);
    }

    private Cast NewCast(int[] gone)
    {
        var cast = new Cast
        {
            LeaderToken = 1, Generation = _generation, CastId = ++_casts, FanOut = _fanOut,
            RosterSha256 = _roster!.Sha256
        };
        cast.Gone.AddRange(gone);
        return cast;
    }

    private void Begin(Cast cast)
    {
        _last = cast;
        Step(_nodes[Coordinator], new BeginCast(cast, _roster!));
    }

    private void OnLost(Node lost)
    {
        lost.Dead = true;
        foreach (var node in _nodes)
            if (!node.Dead) Step(node, new CastLinkDown(lost.Incarnation));
    }

    private void OnCut(IReadOnlyList<int> ends)
    {
        _cut.Add((ends[0], ends[1]));
        _cut.Add((ends[1], ends[0]));
        Step(_nodes[ends[0]], new CastLinkDown(_nodes[ends[1]].Incarnation));
        Step(_nodes[ends[1]], new CastLinkDown(_nodes[ends[0]].Incarnation));
    }

    private void OnAwake(Node node)
    {
        node.Asleep = false;
        while (node.Waiting.TryDequeue(out var said)) Hear(said.From, node, said.Message);
    }

    private void Advance(TimeSpan time)
    {
        var end = _now + time;
        while (_now < end)
        {
            _now += TimeSpan.FromMilliseconds(5);
            foreach (var node in _nodes)
            {
                if (node.Dead || node.Asleep) continue;
                node.Protocol.Tick(_now);
                Execute(node);
            }

            Deliver();
        }
    }

    private void Deliver()
    {
        while (_wire.TryDequeue(out var said)) Hear(said.From, _nodes[said.To], said.Message);
    }

    private void Hear(int from, Node to, IMessage message)
    {
        if (to.Dead || _nodes[from].Dead) return;
        if (to.Asleep) to.Waiting.Enqueue((from, message));
        else Step(to, new CastSaid(_nodes[from].Incarnation, message));
    }

    private void Step(Node node, CastInput input)
    {
        node.Protocol.Step(input, _now);
        Execute(node);
    }

    private void Execute(Node node)
    {
        foreach (var output in node.Protocol.Drain())
        {
            switch (output)
            {
                case CastSend o: Say(node.Number, (int)o.To.Value, o.Message); break;
                case CastDeliver o:
                    Trace($"w{node.Number} takes {(o.Cast.Fence is null ? "Open" : "Fence")} g{o.Cast.Generation} as position {o.Position}");
                    if (!node.Mute) Answer(node);
                    break;
                case CastAnswered o: Trace($"{o.Worker} answers {o.Message.Descriptor.Name}"); break;
                case CastNote o: Trace($"{Name(node.Number)}: {o.Text}"); break;
                case CastReach o: Trace($"{Name(node.Number)} has no link to w{o.Peer.Value}"); break;
                default: throw new FormatException(output.ToString());
            }
        }
    }

    private void Answer(Node node) => Step(node, new OwnAnswer(_last!.Fence is null
        ? new Aligned { Generation = _generation, Step = 4, Fingerprint = 9 }
        : new Fenced { Generation = _generation, Step = 5, Fingerprint = 8, Incarnation = node.Incarnation.Value }));

    private void Say(int from, int to, IMessage message)
    {
        if (message is not CastHeard) Trace($"{Name(from)} > {Name(to)} {Text(message)}");
        if (!_cut.Contains((from, to))) _wire.Enqueue((from, to, message));
    }

    private static string Name(int node) => node == Coordinator ? "c" : $"w{node}";

    private static string Text(IMessage message) => message switch
    {
        Cast m =>
            $"Cast {m.CastId} {(m.Fence is null ? "Open" : "Fence")} g{m.Generation}{(m.Alone ? " alone" : "")}{(m.Gone.Count > 0 ? $" without {m.Gone}" : "")}",
        CastAnswers m =>
            $"CastAnswers {m.CastId}: {string.Join(", ", m.Answers.Select(a => $"{a.Positions} {(a.Fenced is null ? "aligned" : "fenced")}"))}{(m.Missed.Count > 0 ? $" missed {m.Missed}" : "")}",
        NeedRoster => "NeedRoster",
        RosterContent m => $"RosterContent of {Roster.Read(m.Content, out _)!.Count}",
        _ => message.Descriptor.Name,
    };

    private void Trace(string line) => _trace.Add(line);

    private void Each(ScriptCommand c, Action<Node> what)
    {
        foreach (var number in c.NumbersAt(0)) what(_nodes[number]);
    }
}
