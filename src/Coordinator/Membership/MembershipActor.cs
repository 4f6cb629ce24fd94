using System.Data.Common;
using Convoy.Actors;
using Convoy.Actors.Remoting;
using Convoy.Coordinator.Api;
using Convoy.Coordinator.Hosting;
using Convoy.Coordinator.Recovery;
using Convoy.Shared.Casting;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Security;
using Convoy.Shared.Time;
using Google.Protobuf;

namespace Convoy.Coordinator.Membership;

/// <summary>From the job to one worker; dropped when that process is gone.</summary>
internal sealed record SendToWorker(WorkerId Worker, Incarnation Incarnation, IMessage Message);

/// <summary>Another membership has this worker from now on.</summary>
internal sealed record WorkerMoved(Incarnation Incarnation);

/// <summary>What the membership shell needs around it.</summary>
internal sealed record MembershipShell(
    ControlJournal Journal, MonotonicClock Clock, StatusBoard Board, ILogSink Log, Action<int> WorkersWanted,
    Action<Exception> Fatal)
{
    /// <summary>The right to act; it is renewed as often as the clock table says.</summary>
    public required LeaderLease Lease { get; init; }

    /// <summary>Stream of this membership in the journal; empty: the first one's.</summary>
    public string Wall { get; init; } = "";

    /// <summary>Place among the memberships of this coordinator, those that are over included.</summary>
    public int Place { get; init; }

    /// <summary>Of the tree through which very many members are told.</summary>
    public int FanOut { get; init; } = Shared.Limits.CastFanOut;

    public ClockTable Clocks { get; init; } = new();
    /// <summary>A job begins that forgives silences this long.</summary>
    public Action<TimeSpan> Outlast { get; init; } = _ => { };
    /// <summary>An invariant of this membership broke: its job has to fail, and no other.</summary>
    public Action<Exception> Broken { get; init; } = _ => { };
    /// <summary>Where the leader and who stands by are found; empty: nobody stands by.</summary>
    public Func<string> Coordinators { get; init; } = static () => "";
    /// <summary>What certificates are revoked now; empty on a plain cluster.</summary>
    public Func<RevocationList> Revoked { get; init; } = static () => RevocationList.Empty;
}

/// <summary>
/// Shell of <see cref="MembershipProtocol"/>: the name "coordinator" of this process. It knows which link belongs to
/// which process start, hands membership messages to the protocol and the others to the job.
/// </summary>
internal sealed class MembershipActor : ReceiveActor, IWithTimers
{
    private const string Source = "membership";
    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(50);
    private static readonly TimeSpan StatusInterval = TimeSpan.FromMilliseconds(200);
    /// <summary>So many workers are shown after each change of one of them; more, once in StatusInterval.</summary>
    private const int StatusAtOnceMax = 64;
    private static readonly TimeSpan NewsInterval = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan RemindInterval = TimeSpan.FromSeconds(5);

    private readonly MembershipProtocol _protocol;
    private readonly MembershipShell _shell;
    private readonly IActorRef _job;
    private readonly MembershipOutbox _outbox = new();
    private readonly Dictionary<Incarnation, Peer> _peers = []; // looked up only: its order means nothing
    private readonly CastDesk _casts;
    private RevocationList _revoked = RevocationList.Empty;
    private string _coordinators = "";
    private Instant _remindedAt;
    private Instant _newsAt;
    private Instant _statusAt;

    private sealed record Tick;

    public MembershipActor(MembershipProtocol protocol, MembershipShell shell, IActorRef job)
    {
        (_protocol, _shell, _job) = (protocol, shell, job);
        _casts = new CastDesk(shell.Journal.Token, shell.FanOut, shell.Clocks, shell.Place);
        Receive<Tick>(_ => Guard(OnTick));
        Receive<LinkUp>(m => OnLinkUp(m.Peer));
        Receive<LinkDown>(m => Guard(() => OnLinkDown(m)));
        Receive<WorkerMoved>(m => Guard(() => OnWorkerMoved(m.Incarnation)));
        Receive<SendToWorker>(m => Guard(() => Send(m.Incarnation, m.Message)));
        Receive<MembershipInput>(m => Guard(() => Feed(m)));
        Receive<IMessage>(m => Guard(() => OnWorkerMessage(m)));
        Receive<Undeliverable>(m => Log(LogLevel.Debug, m.ToString()));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart() => Timers.StartPeriodicTimer("tick", new Tick(), TickInterval);

    private void OnTick()
    {
        SpreadNews();
        _protocol.Tick(_shell.Clock.Now, _outbox);
        Execute();
        _casts.Tick(_shell.Clock.Now);
        ExecuteCasts();
        if (_shell.Clock.Now - _remindedAt < RemindInterval
            || _protocol.Status is MembershipStatus.Stable or MembershipStatus.Closed) return;
        _remindedAt = _shell.Clock.Now;
        foreach (var reason in _protocol.Reasons.Where(r => r is not WaitingForJob))
            Log(LogLevel.Info, $"still waiting: {reason}");
    }

    /// <summary>
    /// Everybody hears of a new list; links of nodes in it end, and only a certificate that counts brings them back.
    /// </summary>
    private void SpreadNews()
    {
        if (_shell.Clock.Now - _newsAt < NewsInterval) return;
        _newsAt = _shell.Clock.Now;
        SpreadCoordinators();
        var now = _shell.Revoked();
        if (now.Number <= _revoked.Number) return;
        _revoked = now;
        Log(LogLevel.Info, $"revocations {now.Number}: {string.Join(", ", now.Nodes)}");
        var names = now.Nodes.Where(n => n.Role == ClusterRole.Worker).Select(n => n.Name).ToList();
        foreach (var peer in _peers.Values.OrderBy(p => p.Id?.Incarnation.Value).ToList())
        {
            if (peer.Id is { } id && names.Contains(id.Node, StringComparer.Ordinal)) peer.Close();
            else peer.Actor("node").Tell(new Revocations { Text = now.Text }, Self);
        }
    }

    /// <summary>Everybody hears where the next leader will be; the last standby's end is no news to act on.</summary>
    private void SpreadCoordinators()
    {
        var now = _shell.Coordinators();
        if (now == _coordinators) return;
        _coordinators = now;
        if (now.Length == 0) return;
        foreach (var peer in _peers.Values.OrderBy(p => p.Id?.Incarnation.Value)) SendCoordinators(peer);
    }

    private void SendCoordinators(Peer peer) => peer.Actor("node").Tell(
        new Shared.Protocol.Coordinators { LeaderToken = _shell.Journal.Token.Value, Addresses = _coordinators }, Self);

    /// <summary>False: the peer uses the number of another, and is closed.</summary>
    private bool OnLinkUp(Peer peer)
    {
        if (peer.Id is not { } id) return false;
        if (_peers.GetValueOrDefault(id.Incarnation)?.Id is { } other && other.Node != id.Node)
        {
            // The numbers of a process start are known to its peers; its name is proved. Nobody speaks for another.
            Log(LogLevel.Warning, $"{id} uses the incarnation of {other.Node}: closed");
            peer.Close();
            return false;
        }

        _peers[id.Incarnation] = peer;
        Cast(new CastLinkUp(id.Incarnation));
        if (_coordinators.Length > 0) SendCoordinators(peer);
        if (_revoked.Number > 0) peer.Actor("node").Tell(new Revocations { Text = _revoked.Text }, Self);
        return true;
    }

    private void OnLinkDown(LinkDown m)
    {
        if (m.Peer.Id is not { } id) return;
        // A later session of the same process may be up already: then this is old news.
        if (!_peers.TryGetValue(id.Incarnation, out var known) || known != m.Peer) return;
        _peers.Remove(id.Incarnation);
        Cast(new CastLinkDown(id.Incarnation));
        Feed(new LinkLost(id.Incarnation, $"link {m.Reason}: {m.Text}", Final: true));
    }

    private void OnWorkerMoved(Incarnation who)
    {
        if (!_peers.Remove(who)) return;
        Cast(new CastLinkDown(who));
        Feed(new LinkLost(who, "it went to another job", Final: true));
    }

    private void OnWorkerMessage(IMessage message)
    {
        if (Remoting.PeerOf(Sender) is not { Id: { } id } peer)
        {
            Log(LogLevel.Warning, $"{message.Descriptor.Name} without a sender is ignored");
            return;
        }

        if (message is Hello hello)
        {
            if (!OnLinkUp(peer)) return; // told before its link was closed
            if (hello.Incarnation == id.Incarnation.Value && hello.WorkerName == id.Node)
                Feed(new HelloReceived(hello));
            else Log(LogLevel.Warning, $"Hello of {id} names another process, {hello.WorkerName}; ignored");
            return;
        }

        if (_protocol.WorkerOf(id.Incarnation) is not { } worker || worker.Name != id.Node)
        {
            Log(LogLevel.Debug, $"{message.Descriptor.Name} of {id} before its Hello is ignored");
            return;
        }

        if (message is CastHeard or CastAnswers or NeedRoster) Cast(new CastSaid(id.Incarnation, message));
        else Route(worker, message);
    }

    private void Cast(CastInput input)
    {
        _casts.Step(input, _shell.Clock.Now);
        ExecuteCasts();
    }

    private void ExecuteCasts()
    {
        foreach (var output in _casts.Drain())
        {
            switch (output)
            {
                case CastSend o: Send(o.To, o.Message); break;
                case CastAnswered o: Feed(new FromWorker(o.Worker, o.Incarnation, o.Message)); break;
                case CastNote o: Log(LogLevel.Debug, o.Text); break;
                case CastReach: break; // workers dial the coordinator, never the other way round
                default: throw Shared.Invariant.Unhandled(output);
            }
        }
    }

    private void Route(WorkerRecord worker, IMessage message)
    {
        var toJob =
            message is Ready or PrepareFailed or StepReport or ShardSaved or ShardFailed or ReachedEnd or Evaluated
            or WorkerFailed or Beat or Profiled or RecomputeReviewed;
        // The job hears of a failure before membership tells it of the loss: the cause comes first (R3).
        if (toJob && worker.Connected) _job.Tell(new Jobs.WorkerSaid(worker.Id, worker.Incarnation, message));
        if (!toJob || message is WorkerFailed or Beat) Feed(new FromWorker(worker.Id, worker.Incarnation, message));
    }

    private void Feed(MembershipInput input)
    {
        if (input is JobStarted job) _shell.Outlast(job.Terms.Clocks.LinkSilence);
        _protocol.Step(input, _shell.Clock.Now, _outbox);
        Execute();
    }

    /// <summary>In order: what is told after a record is told after the record is durable (M5).</summary>
    private void Execute()
    {
        var effects = _outbox.Drain();
        foreach (var effect in effects)
        {
            switch (effect)
            {
                case Persist e: _shell.Journal.Append(e.Event, _shell.Wall); break;
                case Send e: Send(e.Incarnation, e.Message); break;
                case SendCast e:
                    _casts.Begin(e.Message, e.To, _shell.Clock.Now);
                    ExecuteCasts();
                    break;
                case AskSilentMembers: Cast(new AskSilent()); break;
                case Disconnect e: _peers.GetValueOrDefault(e.Incarnation)?.Close(); break;
                case Note e: Log(LogLevel.Info, e.Text); break;
                case Raise e: Announce(e.News); break;
                default: throw Shared.Invariant.Unhandled(effect);
            }
        }

        // A beat changes nothing but its worker's row; with many workers a status after each would cost more than all
        // else.
        var atOnce = effects.Count > 0 && _protocol.Workers.Count <= StatusAtOnceMax;
        if (atOnce || _shell.Clock.Now - _statusAt >= StatusInterval) PutStatus();
    }

    private void Announce(MembershipNews news)
    {
        if (news is WorkersAreWanted wanted) _shell.WorkersWanted(wanted.Count);
        else if (news is ReasonsChanged changed)
            foreach (var reason in changed.Reasons) Log(LogLevel.Info, $"waits: {reason}");
        _job.Tell(new Jobs.MembershipSaid(news));
    }

    private void Send(Incarnation to, IMessage message)
    {
        if (_peers.TryGetValue(to, out var peer)) peer.Actor("node").Tell(message, Self);
        else Log(LogLevel.Debug, $"{message.Descriptor.Name} to {to} is dropped: its link is gone");
    }

    /// <summary>
    /// What breaks in here ends this membership. Where the journal broke, no job can be led on: the coordinator says
    /// why and ends.
    /// </summary>
    private void Guard(Action handle)
    {
        try
        {
            _shell.Lease.MustHold();
            handle();
        }
        catch (LeaseLostException e)
        {
            _shell.Log.Write(LogLevel.Warning, Source, e.Message);
            _shell.Fatal(e);
            Context.Stop(Self);
        }
        catch (Exception e)
        {
            _shell.Log.Write(LogLevel.Error, Source, $"membership cannot go on: {e.Message}", e);
            if (e is IOException or UnauthorizedAccessException or DbException or Shared.UserException)
                _shell.Fatal(e);
            else _shell.Broken(e);
            Context.Stop(Self);
        }
    }

    private void Log(LogLevel level, string text)
    {
        _shell.Log.Write(level, Source, text);
        if (level >= LogLevel.Info && !text.StartsWith("ignored", StringComparison.Ordinal))
            _shell.Board.AddEvent(text);
    }

    private void PutStatus()
    {
        _statusAt = _shell.Clock.Now;
        _shell.Board.PutMembership(new StatusReport
        {
            Membership = _protocol.Status.ToString().ToLowerInvariant(), Generation = _protocol.Generation.Value,
            Reasons = [.. _protocol.Reasons.Select(r => r.ToString())], Workers = [.. _protocol.Workers.Select(View)],
        });
    }

    private WorkerView View(WorkerRecord worker)
    {
        var seat = _protocol.SeatOf(worker);
        var member = seat is { Lost: false };
        return new WorkerView
        {
            Id = worker.Id.Value, Name = worker.Name, Pid = worker.Pid, Host = worker.Host,
            Address = worker.PeerAddress,
            Slices = member ? seat!.Share : "",
            Step = worker.LastBeat.Step, Phase = worker.LastBeat.Phase, Losses = worker.Losses,
            CopiesBytes = worker.LastBeat.CopiesBytes, CopiesDiskBytes = worker.LastBeat.CopiesDiskBytes,
            MemoryBytes = worker.LastBeat.MemoryBytes, MemoryLimitBytes = worker.MemoryLimitBytes,
            State = !worker.Connected ? (worker.Farewell ? "left" : "lost")
                : worker.Draining ? "draining" : member ? "member"
                : worker.QuarantinedUntil > _shell.Clock.Now ? "quarantined"
                : worker.Learning is { Phase: LearnerPhase.Level } ? "spare"
                : worker.Learning is not null ? "learner"
                : worker.Prepared ? "ready" : "preparing",
        };
    }
}
