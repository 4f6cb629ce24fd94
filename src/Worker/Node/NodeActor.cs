using Convoy.Actors;
using Convoy.Actors.Remoting;
using Convoy.Shared;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Ids;
using Convoy.Shared.Jobs;
using Convoy.Shared.Protocol;
using Convoy.Shared.Security;
using Convoy.Shared.Storage;
using Convoy.Shared.Time;
using Convoy.Worker.Hosting;
using Convoy.Worker.Learning;
using Convoy.Worker.Training;
using Google.Protobuf;

namespace Convoy.Worker.Node;

/// <summary>What a node is made with.</summary>
internal sealed record NodeOptions
{
    public required WorkerOptions Worker { get; init; }
    public required Incarnation Incarnation { get; init; }
    public required OpenModel Open { get; init; }
    public required BulkRouter Bulk { get; init; }
    public required Action<int, string> Exit { get; init; }
    public required Action<string> Say { get; init; }
    public required RecentLines Recent { get; init; }
    public required ILogSink Log { get; init; }
    public ClockTable Clocks { get; init; } = new();
    public MachineFacts Machine { get; init; } = MachineFacts.Real;
    public IDisk Disk { get; init; } = RealDisk.Instance;
    public NewEventQueue NewEvents { get; init; } = EventQueue.Threaded;
    public FeedRoom FeedRoom { get; init; } = FeedRoom.Default;
    /// <summary>Of this machine, and of this worker alone: steps that a learner has no memory for.</summary>
    public required string FeedFolder { get; init; }
}

/// <summary>The process is listening: dial the coordinator.</summary>
internal sealed record StartNode(IRemoting Remoting);

/// <summary>
/// Shell of <see cref="NodeProtocol"/>: the link to the coordinator, the heartbeat, the trainer's parent.
/// </summary>
internal sealed class NodeActor : ReceiveActor, IWithTimers
{
    private readonly NodeOptions _options;
    private readonly NodeProtocol _protocol;
    private readonly MonotonicClock _clock;
    private readonly List<NodeOutput> _outputs = [];
    private readonly List<Peer> _accepted = [];
    private TrainingBoard _board;
    private IRemoting? _remoting;
    private Peer? _coordinator;
    private IActorRef? _trainer;
    private int _trainers;
    private Exception? _failure;
    private Instant _armedFor = Instant.Never;

    public NodeActor(NodeOptions options)
    {
        _options = options;
        _clock = new MonotonicClock(options.Worker.TimeProvider);
        _board = new TrainingBoard(options.Machine);
        _protocol = new NodeProtocol(options.Worker.Join, options.Clocks.Beat, options.Worker.Grace,
            options.Worker.OrphanLimit, options.Clocks.Save, _clock.Now);
        Receive<StartNode>(OnStart);
        Receive<Tick>(_ => OnTick());
        Receive<LinkUp>(OnLinkUp);
        Receive<LinkDown>(OnLinkDown);
        Receive<LinkRefused>(OnLinkRefused);
        Receive<LinkUnreachable>(m => SayLine($"the coordinator is not reached: {m}"));
        Receive<Terminated>(OnTrainerGone);
        Receive<Undeliverable>(m => options.Log.Write(LogLevel.Debug, "node", m.ToString()));
        Receive<Assign>(OnAssign);
        Receive<Welcome>(Feed);
        Receive<Refuse>(Feed);
        Receive<Release>(Feed);
        Receive<Revocations>(OnRevocations);
        Receive<Coordinators>(OnCoordinators);
        Receive<IMessage>(OnForTrainer);
        ReceiveAny(Feed);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    // A trainer that breaks an invariant is not tried again on the same state: the process ends and is started anew.
    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(cause =>
    {
        _failure = cause;
        return Directive.Stop;
    });

    private void OnStart(StartNode m)
    {
        _remoting = m.Remoting;
        _remoting.Register("node", Self);
        _coordinator = _remoting.Connect(_options.Worker.Join, Self);
        Arm();
    }

    private void OnTick()
    {
        _armedFor = Instant.Never;
        _protocol.Tick(_clock.Now, _outputs);
        Execute();
        Arm();
    }

    /// <summary>It wakes up when something is due: a process that only beats does so four times a second.</summary>
    private void Arm()
    {
        var next = _protocol.NextDeadline;
        if (next == _armedFor) return;
        _armedFor = next;
        if (next == Instant.Never) { Timers.Cancel("tick"); return; }
        var wait = next - _clock.Now;
        Timers.StartSingleTimer("tick", Tick.Instance, wait > TimeSpan.Zero ? wait : TimeSpan.Zero);
    }

    private void OnLinkUp(LinkUp m)
    {
        if (ReferenceEquals(m.Peer, _coordinator)) { Feed(new CoordinatorUp()); return; }
        _accepted.Add(m.Peer);
        _trainer?.Forward(m);
    }

    private void OnLinkDown(LinkDown m)
    {
        if (!ReferenceEquals(m.Peer, _coordinator))
        {
            _accepted.Remove(m.Peer);
            _trainer?.Forward(m);
            return;
        }

        Feed(new CoordinatorDown(m.Text));
        _trainer?.Tell(new CoordinatorGone(), Self);
    }

    private void OnLinkRefused(LinkRefused m)
    {
        if (m.Reason == LinkRefusedReason.Busy) return; // it is dialled again
        Feed(new CoordinatorUnfit(m.Differences.Count > 0 ? m.Differences : [m.Reason.ToString()]));
    }

    private void Feed(object message)
    {
        _protocol.Step(message, _trainer is not null, _clock.Now, _outputs);
        Execute();
        Arm();
    }

    private void Execute()
    {
        var outputs = _outputs.ToArray();
        _outputs.Clear();
        foreach (var output in outputs) Execute(output);
    }

    private void Execute(NodeOutput output)
    {
        switch (output)
        {
            case SendHello: TellCoordinator(Hello()); break;
            case SendBeat: TellCoordinator(_board.Beat(_options.Incarnation, _protocol.Token, _clock.Now)); break;
            case SendDrain m: TellCoordinator(new Drain { GraceMs = (long)m.Grace.TotalMilliseconds }); break;
            case Admitted m: _trainer?.Tell(new CoordinatorBack(m.Token), Self); break;
            case ReleaseTrainer m: _trainer?.Tell(new FromCoordinator(m.Message), Self); break;
            case ForgetTrainer: OnForgetTrainer(); break;
            case SaveState when _trainer is null: Self.Tell(new StateSaved(""), Self); break;
            case SaveState: _trainer.Tell(new SaveAlone(_options.Worker.Name), Self); break;
            case Say m: SayLine(m.Line); break;
            case ExitProcess m: OnExit(m); break;
            default: throw Invariant.Unhandled(output);
        }
    }

    /// <summary>Its trainer has ended everything and is about to stop; the next job gets one of its own.</summary>
    private void OnForgetTrainer()
    {
        if (_trainer is not null) Context.Unwatch(_trainer);
        _trainer = null;
        foreach (var peer in _accepted) peer.Close();
        _accepted.Clear();
        _board = new TrainingBoard(_options.Machine);
        _remoting!.Outlast(_options.Clocks.LinkSilence);
        _protocol.Beat = _options.Clocks.Beat;
    }

    private void SayLine(string line)
    {
        _options.Log.Write(LogLevel.Info, "node", line);
        _options.Say(line);
    }

    private void OnExit(ExitProcess m)
    {
        Timers.CancelAll();
        _options.Log.Write(m.Code == 0 ? LogLevel.Info : LogLevel.Warning, "node", $"exit {m.Code}: {m.Line}");
        _options.Exit(m.Code, m.Line);
    }

    private void TellCoordinator(IMessage message) => _coordinator!.Actor("coordinator").Tell(message, Self);

    private Hello Hello()
    {
        var machine = _options.Machine;
        var hello = new Hello
        {
            WorkerName = _options.Worker.Name, Incarnation = _options.Incarnation.Value, Host = machine.Host,
            Pid = machine.Pid, PeerAddress = _remoting!.Address, DeviceKind = machine.DeviceKind,
            Cores = machine.Cores, MemoryBytes = machine.MemoryBytes,
            TokenSeen = _protocol.Token.Value, StateStep = -1,
        };
        _board.Fill(hello);
        return hello;
    }

    /// <summary>
    /// Where whoever leads next is found: nobody had to know of a standby when this worker was started (R2).
    /// </summary>
    private void OnCoordinators(Coordinators m)
    {
        if (m.LeaderToken < _protocol.Token.Value) return; // of an older leader (N1)
        try
        {
            _coordinator!.AlsoAt(m.Addresses, _options.Clocks.LeaderSilence);
            SayLine($"coordinators: {m.Addresses}");
        }
        catch (UserException cause)
        {
            _options.Log.Write(LogLevel.Warning, "node", $"the coordinators are not taken over: {cause.Message}");
        }
    }

    private void OnRevocations(Revocations m)
    {
        if (_options.Worker.Credentials is not { Folder: { } folder }
            || !CredentialFolder.TakeRevocations(folder, m.Text)) return;
        _options.Log.Write(LogLevel.Info, "node", "a newer list of revocations counts from now on");
    }

    private void OnAssign(Assign m)
    {
        if (_trainer is not null) { OnForTrainer(m); return; }
        try
        {
            var job = JobJson.Read(m.JobJson.Span);
            TakeClocks(_options.Clocks.With(job.Timeouts.BeatMs, job.Timeouts.DeadMs, job.Timeouts.StallMs));
            _board = new TrainingBoard(_options.Machine);
            _trainer = Context.ActorOf(Props.Create(() => new TrainerActor(TrainerOptionsOf(job, m)))
                .WithDispatcher("calling"), _trainers++ == 0 ? "trainer" : $"trainer-{_trainers}");
            Context.Watch(_trainer);
            _remoting!.Register(JobTag.Of(m.JobId).Trainer, _trainer);
        }
        catch (UserException cause)
        {
            TellCoordinator(new PrepareFailed { JobId = m.JobId, Text = cause.Message, ExitCode = (int)cause.Code });
        }
    }

    private void TakeClocks(ClockTable clocks)
    {
        _remoting!.Outlast(clocks.LinkSilence);
        _protocol.Beat = clocks.Beat;
        Arm();
    }

    private TrainerOptions TrainerOptionsOf(JobSpec job, Assign assign) => new()
    {
        Me = _protocol.Me!.Value, Incarnation = _options.Incarnation, Job = job, Assign = assign, Node = Self,
        Coordinator = () => _coordinator!.Actor("coordinator"),
        Connect = (address, owner, who) => _remoting!.Connect(address, owner, who),
        Accepted = [.. _accepted], Bulk = _options.Bulk, Board = _board, Open = _options.Open,
        Time = _options.Worker.TimeProvider, Clocks = _options.Clocks, Log = _options.Log, Disk = _options.Disk,
        NewEvents = _options.NewEvents, DeviceKind = _options.Machine.DeviceKind, FeedRoom = _options.FeedRoom,
        FeedFolder = _options.FeedFolder,
    };

    private void OnForTrainer(IMessage m)
    {
        if (_trainer is not null) _trainer.Tell(new FromCoordinator(m), Self);
        else _options.Log.Write(LogLevel.Info, "node", $"{m.Descriptor.Name} ignored: no job is assigned here");
    }

    private void OnTrainerGone(Terminated m)
    {
        _trainer = null;
        if (_protocol.Status == NodeStatus.Gone) return;
        var text = _failure is { } f ? $"{f.GetType().Name}: {f.Message.ReplaceLineEndings(" ")}"
            : "the trainer ended by itself";
        TellCoordinator(new WorkerFailed
        {
            Text = text, Detail = $"{_failure}\n{_options.Recent.Text()}", ExitCode = (int)ExitCode.Failed,
        });
        Feed(new TrainingEnded((int)ExitCode.Failed, text));
    }

    private sealed class Tick
    {
        public static readonly Tick Instance = new();
    }
}
