// One node of the tree through which a coordinator speaks to very many members (docs/protocols/cast.md). The same class
// is the root at the coordinator and the nodes at the members. The tree is a function of the sorted list of members, so
// there is nothing to set up and nothing to clean away: a newer cast takes the place of an older one.
// C1  A member takes a cast once, however many ways it comes.
// C2  An older cast never follows a newer one: (token, cast id) only grows.
// C3  Who is told to be dead, gone or silent is stepped over: those below it are told by who would have told it.
// C4  An answer goes to who sent the cast last; it is repeated to a new one, and taken once at the coordinator.
// C5  A list counts when its SHA-256 is the one that the cast names.
// C6  Every wait has a deadline: a receipt and a list for CastHop, other answers for CastGather.
// C7  Who was let go takes nothing that was cast before, also where the list comes after.
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;
using Google.Protobuf;

namespace Convoy.Shared.Casting;

public enum CastStatus
{
    /// <summary>No cast was seen, or a coordinator that knows nothing of it leads.</summary>
    Idle,
    /// <summary>A cast names a list that is not here yet.</summary>
    Fetching,
    /// <summary>Members below are told; answers are on their way up.</summary>
    Casting,
    /// <summary>Everybody below has answered.</summary>
    Complete,
}

/// <summary>Pure: no clock, no I/O, no thread. Outputs are taken from <see cref="Drain"/> after each call.</summary>
public sealed partial class CastProtocol
{
    public static readonly (CastStatus From, CastStatus To, string On)[] Transitions =
    [
        (CastStatus.Idle, CastStatus.Fetching, "Cast with an unknown list"),
        (CastStatus.Idle, CastStatus.Casting, "Cast, or BeginCast at the coordinator"),
        (CastStatus.Fetching, CastStatus.Casting, "RosterContent"),
        (CastStatus.Fetching, CastStatus.Idle, "the list or the cast is broken; a newer coordinator; let go (C7)"),
        (CastStatus.Casting, CastStatus.Complete, "the last answer from below"),
        (CastStatus.Casting, CastStatus.Fetching, "newer Cast with an unknown list"),
        (CastStatus.Casting, CastStatus.Casting, "newer Cast, or BeginCast"),
        (CastStatus.Casting, CastStatus.Idle, "a newer coordinator"),
        (CastStatus.Complete, CastStatus.Fetching, "newer Cast with an unknown list"),
        (CastStatus.Complete, CastStatus.Casting, "newer Cast, or BeginCast"),
        (CastStatus.Complete, CastStatus.Idle, "a newer coordinator"),
        (CastStatus.Fetching, CastStatus.Fetching, "newer Cast with an unknown list; asked of another"),
    ];

    /// <summary>The position of the coordinator.</summary>
    private const int Root = -1;

    private static Incarnation Coordinator => default;

    private readonly Incarnation _me;
    private readonly ClockTable _clocks;
    private readonly Func<Roster, Roster> _keep;
    private readonly CastLinks _links = new();
    private readonly List<Below> _below = [];
    private List<CastOutput> _outputs = [];
    private Instant _now;
    private Roster? _roster;
    private Roster? _older;    // of the generation before: a fence and the open after it name different ones
    private Cast? _cast;
    private CastTree _tree;
    private int _position = Root;
    private Incarnation _parent;
    private Instant _fetchBy = Instant.Never;

    /// <summary>Somebody to whom the cast was sent from here.</summary>
    private sealed class Below(int position, Incarnation incarnation)
    {
        public int Position { get; } = position;
        public Incarnation Incarnation { get; } = incarnation;
        public bool Sent { get; set; }
        public bool Alone { get; init; }
        /// <summary>Until then its receipt is waited for; never: it came, or nobody waits any more.</summary>
        public Instant HeardBy { get; set; } = Instant.Never;
        public bool SteppedOver { get; set; }
    }

    /// <param name="me">This process; none at the coordinator.</param>
    /// <param name="clocks">Deadlines.</param>
    /// <param name="keep">Where many members live in one process, they keep one copy of a list; null: each its
    /// own.</param>
    public CastProtocol(Incarnation me, ClockTable clocks, Func<Roster, Roster>? keep = null) =>
        (_me, _clocks, _keep) = (me, clocks, keep ?? (static roster => roster));

    public CastStatus Status { get; private set; } = CastStatus.Idle;

    /// <summary>When <see cref="Tick"/> has something to do.</summary>
    public Instant NextDeadline { get; private set; } = Instant.Never;

    public void Step(CastInput input, Instant now)
    {
        _now = now;
        switch (input)
        {
            case CastSaid { Message: Cast m } said: OnCast(said.From, m); break;
            case CastSaid { Message: CastHeard m } said: OnHeard(said.From, m); break;
            case CastSaid { Message: NeedRoster m } said: OnNeedRoster(said.From, m); break;
            case CastSaid { Message: RosterContent m } said: OnRoster(said.From, m); break;
            case CastSaid { Message: CastAnswers m } said: OnAnswers(said.From, m); break;
            case CastLinkUp m: OnLinkUp(m.Peer); break;
            case CastLinkDown m: OnLinkDown(m.Peer); break;
            case OwnAnswer m: OnOwnAnswer(m.Message); break;
            case BeginCast m: OnBegin(m); break;
            case AskSilent: OnAskSilent(); break;
            case SpokenToDirectly: _ownDirectly = true; break;
            case LetGo: OnLetGo(); break;
            default: throw Invariant.Unhandled(input);
        }

        NextDeadline = Earliest();
    }

    public void Tick(Instant now)
    {
        _now = now;
        if (now < NextDeadline) return;
        if (Status == CastStatus.Fetching && now >= _fetchBy) AskForRoster(Coordinator);
        for (var i = 0; i < _below.Count; i++) // it grows while it is walked
            if (now >= _below[i].HeardBy) StepOver(_below[i], "no receipt");
        if (now >= _gatherBy) Flush();
        NextDeadline = Earliest();
    }

    /// <summary>A coordinator with this token admitted the member: what an older one cast is over.</summary>
    public void Obey(LeaderToken token)
    {
        if (_cast is null || token.Value <= _cast.LeaderToken) { _ownDirectly = true; return; }
        Forget();
    }

    /// <summary>What is to be done, in this order; it is empty then.</summary>
    public List<CastOutput> Drain()
    {
        if (_outputs.Count == 0) return [];
        var outputs = _outputs;
        _outputs = [];
        return outputs;
    }

    // ---- Down ----

    private void OnBegin(BeginCast m)
    {
        Invariant.Check(_me == default, "C2 only the coordinator begins a cast");
        Invariant.Check(CastContent.Refuse(m.Cast, m.Roster) is null, CastContent.Refuse(m.Cast, m.Roster) ?? "");
        (_cast, _parent, _position) = (m.Cast, default, Root);
        Keep(m.Roster);
        Enter(m.Roster);
    }

    private void OnCast(Incarnation from, Cast m)
    {
        if (IgnoreCast(m) is { } reason)
        {
            Note($"cast {m.LeaderToken}.{m.CastId} is ignored: {reason}");
            return;
        }

        Send(from, new CastHeard { LeaderToken = m.LeaderToken, CastId = m.CastId });
        if (IsCurrent(m.LeaderToken, m.CastId))
        {
            OnCastAgain(from);
            return;
        }

        (_cast, _parent) = (m, from);
        ForgetAnswers();
        if (RosterOf(m.RosterSha256) is { } known) Take(known);
        else AskForRoster(from);
    }

    /// <summary>The cast stays known, so that it is not taken when it comes again by another way (C1).</summary>
    private void OnLetGo()
    {
        if (Status != CastStatus.Fetching) return;
        Note($"cast {_cast!.LeaderToken}.{_cast.CastId} is dropped: this member was let go (C7)");
        ForgetAnswers();
        Become(CastStatus.Idle);
    }

    private string? IgnoreCast(Cast m) =>
        _me == default ? "the coordinator is told nothing"
        : m.Fence is null && m.Open is null ? "it says nothing"
        : _cast is { } newest && (m.LeaderToken, m.CastId).CompareTo((newest.LeaderToken, newest.CastId)) < 0
            ? $"{newest.LeaderToken}.{newest.CastId} came before (C2)"
        : null;

    private bool IsCurrent(long token, long id) => _cast is { } cast && cast.LeaderToken == token && cast.CastId == id;

    /// <summary>Who told it before may be gone: from now on the answers go to this one (C4).</summary>
    private void OnCastAgain(Incarnation from)
    {
        var changed = _parent != from;
        _parent = from;
        if (Status == CastStatus.Fetching) AskForRoster(from);
        else if (changed) RepeatAnswers();
    }

    private void AskForRoster(Incarnation whom)
    {
        Become(CastStatus.Fetching);
        _fetchBy = _now + _clocks.CastHop;
        Send(whom, new NeedRoster { Sha256 = _cast!.RosterSha256 });
    }

    private void OnNeedRoster(Incarnation from, NeedRoster m)
    {
        if (RosterOf(m.Sha256) is { } roster) Send(from, new RosterContent { Content = roster.Content });
        else Note($"a list is asked for that is not here: {Convert.ToHexStringLower(m.Sha256.Span)}");
    }

    private void OnRoster(Incarnation from, RosterContent m)
    {
        if (Status != CastStatus.Fetching) return; // it was asked for twice
        if (Roster.Read(m.Content, out var broken) is not { } roster)
        {
            Note($"the list of {from} is broken: {broken}");
            return;
        }

        if (roster.Sha256 != _cast!.RosterSha256)
        {
            Note($"the list of {from} is another one than the cast names (C5)");
            return;
        }

        roster = _keep(roster);
        Keep(roster);
        Take(roster);
    }

    private Roster? RosterOf(ByteString sha256) =>
        _roster?.Sha256 == sha256 ? _roster : _older?.Sha256 == sha256 ? _older : null;

    private void Keep(Roster roster)
    {
        if (RosterOf(roster.Sha256) is null) (_roster, _older) = (roster, _roster);
    }

    private void Take(Roster roster)
    {
        _fetchBy = Instant.Never;
        _position = PositionOf(_me, roster);
        if (CastContent.Refuse(_cast!, roster) is { } broken)
        {
            Note($"cast {_cast!.LeaderToken}.{_cast.CastId} is broken: {broken}");
            Forget();
            return;
        }

        if (_position >= 0) Enter(roster);
        else
        {
            Note($"cast {_cast!.LeaderToken}.{_cast.CastId} is for others: this process is not in its list");
            Forget();
        }
    }

    private static int PositionOf(Incarnation process, Roster roster)
    {
        for (var i = 0; i < roster.Count; i++)
            if (roster.IncarnationAt(i) == process) return i;
        return -1;
    }

    private void Enter(Roster roster)
    {
        Become(CastStatus.Casting);
        _tree = new CastTree(roster.Count, _cast!.FanOut);
        BeginAnswers(roster);
        if (!_cast.Alone) TellBelow(_position, roster);
        if (_position >= 0) _outputs.Add(new CastDeliver(_cast, roster, _position));
    }

    private void TellBelow(int position, Roster roster)
    {
        var (from, end) = _tree.ChildrenOf(position);
        for (var child = from; child < end; child++)
        {
            if (IsGone(child)) TellBelow(child, roster); // C3: its children are ours
            else Tell(new Below(child, roster.IncarnationAt(child)), roster);
        }
    }

    private void Tell(Below below, Roster roster)
    {
        _below.Add(below);
        below.HeardBy = _now + _clocks.CastHop;
        if (_links.IsUp(below.Incarnation)) SendCast(below);
        else if (!below.Alone) _outputs.Add(new CastReach(below.Incarnation, roster.AddressAt(below.Position)));
    }

    private void SendCast(Below below)
    {
        below.Sent = true;
        var cast = _cast!;
        if (cast.Alone || below.Alone)
        {
            cast = cast.Clone();
            cast.Alone = below.Alone;
        }

        Send(below.Incarnation, cast);
    }

    private bool IsGone(int position)
    {
        var gone = _cast!.Gone;
        for (var (from, end) = (0, gone.Count); from < end;)
        {
            var middle = (from + end) / 2;
            if (gone[middle] == position) return true;
            if (gone[middle] < position) from = middle + 1;
            else end = middle;
        }

        return false;
    }

    private void OnHeard(Incarnation from, CastHeard m)
    {
        if (!IsCurrent(m.LeaderToken, m.CastId)) return;
        foreach (var below in _below)
            if (below.Incarnation == from) below.HeardBy = Instant.Never;
    }

    private void OnLinkUp(Incarnation peer)
    {
        _links.Up(peer);
        foreach (var below in _below)
        {
            if (below.Incarnation != peer || below.Sent || below.SteppedOver) continue;
            below.HeardBy = _now + _clocks.CastHop;
            SendCast(below);
        }
    }

    private void OnLinkDown(Incarnation peer)
    {
        _links.Down(peer);
        if (Status != CastStatus.Casting) return;
        for (var i = 0; i < _below.Count; i++)
            if (_below[i].Incarnation == peer) StepOver(_below[i], "its link is down");
    }

    /// <summary>C3: those below it are told from here, and itself by the coordinator, which may reach it yet.</summary>
    private void StepOver(Below below, string why)
    {
        below.HeardBy = Instant.Never;
        if (below.SteppedOver || Status != CastStatus.Casting) return;
        below.SteppedOver = true;
        if (below.Alone) return;
        Note($"position {below.Position} is stepped over: {why}");
        TellBelow(below.Position, RosterOf(_cast!.RosterSha256)!);
        Miss(below.Position);
    }

    private void Forget()
    {
        ForgetAnswers();
        _cast = null;
        if (Status != CastStatus.Idle) Become(CastStatus.Idle);
    }

    private Instant Earliest()
    {
        var earliest = _gatherBy < _fetchBy ? _gatherBy : _fetchBy;
        foreach (var below in _below)
            if (below.HeardBy < earliest) earliest = below.HeardBy;
        return earliest;
    }

    private void Send(Incarnation to, IMessage message) => _outputs.Add(new CastSend(to, message));

    private void Note(string text) => _outputs.Add(new CastNote(text));

    private void Become(CastStatus next)
    {
        Invariant.Check(TransitionTable.Allows(Transitions, Status, next), $"no transition from {Status} to {next}");
        Status = next;
    }
}
