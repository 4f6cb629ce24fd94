using Convoy.Actors;
using Convoy.Actors.Remoting;
using Convoy.Shared;
using Convoy.Shared.Casting;
using Convoy.Shared.Checkpoints;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Ids;
using Convoy.Shared.Jobs;
using Convoy.Shared.Protocol;
using Convoy.Shared.Storage;
using Convoy.Shared.Time;
using Convoy.Worker.Checkpoints;
using Convoy.Worker.Collectives;
using Convoy.Worker.Learning;
using Convoy.Worker.Node;
using Google.Protobuf;

namespace Convoy.Worker.Training;

/// <summary>What a trainer is made with.</summary>
internal sealed record TrainerOptions
{
    public required WorkerId Me { get; init; }
    public required Incarnation Incarnation { get; init; }
    public required JobSpec Job { get; init; }
    public required Assign Assign { get; init; }
    public required IActorRef Node { get; init; }
    /// <summary>The coordinator's actor, whichever session is open now.</summary>
    public required Func<IActorRef> Coordinator { get; init; }
    public required Func<string, IActorRef, Incarnation, Peer> Connect { get; init; }
    public required IReadOnlyList<Peer> Accepted { get; init; }
    public required BulkRouter Bulk { get; init; }
    public required TrainingBoard Board { get; init; }
    public required OpenModel Open { get; init; }
    public required TimeProvider Time { get; init; }
    public required string DeviceKind { get; init; }
    public required NewEventQueue NewEvents { get; init; }
    public ClockTable Clocks { get; init; } = new();
    public IDisk Disk { get; init; } = RealDisk.Instance;
    public FeedRoom FeedRoom { get; init; } = FeedRoom.Default;
    /// <summary>Of this machine: steps that a learner has no memory for.</summary>
    public required string FeedFolder { get; init; }
    public ILogSink Log { get; init; } = NullLogSink.Instance;
}

/// <summary>From the node: a control message of the coordinator.</summary>
internal sealed record FromCoordinator(IMessage Message);

/// <summary>From the node: the link to the coordinator is gone; what is to be told waits.</summary>
internal sealed record CoordinatorGone;

/// <summary>
/// Shell of <see cref="StepProtocol"/>. It runs on whatever thread brings the message, so a step has one hand-over
/// only: from the thread that received the last frame to the device.
/// </summary>
internal sealed partial class TrainerActor : ReceiveActor, IWithTimers
{
    private const string RowsTimer = "rows";
    private const string LinksTimer = "links";
    private const string RoomTimer = "room";
    private static readonly TimeSpan LinksEvery = TimeSpan.FromMilliseconds(25);
    private const int RowsMax = 100_000;
    private const int RowsPerReport = 512;
    private static readonly TimeSpan ReportEvery = TimeSpan.FromMilliseconds(50);
    private readonly TrainerOptions _options;
    private readonly JobTag _tag;
    private readonly StepProtocol _protocol;
    private readonly StepOutbox _outbox = new();
    private readonly MonotonicClock _clock;
    private readonly PeerTable _peers;
    private readonly StateInbox _states = new();
    private readonly List<StepRow> _rows = [];
    private readonly RowHistory _told = new();
    private IActorRef _device = ActorRefs.Nobody;
    private IActorRef _donor = ActorRefs.Nobody;
    private IActorRef _saver = ActorRefs.Nobody;
    private ExchangeLoop? _exchange;
    private StateView? _view;
    private int _elements;
    private long _samples;
    private bool _coordinatorUp = true;
    private bool _linkedSaid;
    private IReadOnlyList<Peer?> _linked = []; // the links that the exchange of this generation uses
    private StopWork? _stopping;

    public TrainerActor(TrainerOptions options)
    {
        (_options, _tag) = (options, JobTag.Of(options.Assign.JobId));
        _clock = new MonotonicClock(options.Time);
        _protocol = new StepProtocol(options.Me, options.Incarnation, options.Job.Checkpoint.Every);
        _peers = new PeerTable(options.Connect, Self, options.Me);
        _casts = new CastProtocol(options.Incarnation, options.Clocks);
        _learner = new LearnerProtocol(options.Me, options.Clocks);
        _donors = new DonorProtocol(options.Clocks);
        foreach (var peer in options.Accepted) OnPeerUp(peer);
        Receive<FromCoordinator>(m => OnFromCoordinator(m.Message));
        Receive<CoordinatorBack>(OnCoordinatorBack);
        Receive<CoordinatorGone>(m =>
        {
            _coordinatorUp = false;
            Feed(m);
        });
        Receive<LinkUp>(OnLinkUp);
        Receive<LinkDown>(OnLinkDown);
        Receive<LinkRefused>(OnLinkRefused);
        Receive<LinkUnreachable>(m => Log(LogLevel.Warning, $"{m.Address}: {m}"));
        Receive<JobOpened>(OnJobOpened);
        Receive<SpareReady>(OnSpareReady);
        Receive<StateArrived>(OnStateArrived);
        Receive<StateView>(m => _view = m);
        Receive<RowDone>(m => OnRow(m.Row));
        Receive<SaveAlone>(m => _device.Tell(m, Self));
        Receive<WriteAlone>(m => _saver.Tell(m with { Rows = RowsToSave() }, Self));
        Receive<StateSaved>(m => _options.Node.Tell(m, Self));
        Receive<DeviceNews>(OnDeviceNews);
        Receive<FlushRows>(_ => FlushReports());
        Receive<LinksDue>(_ => CheckLinked());
        Receive<Terminated>(_ => CheckStopped());
        Receive<Undeliverable>(m => Log(LogLevel.Debug, m.ToString()));
        Receive<StepDone>(Feed);
        Receive<Complete>(Feed);
        Receive<NeedState>(Feed);
        Receive<CastDue>(_ => OnCastDue());
        ListenToLearning();
        Receive<Cast>(OnFromMember);
        Receive<CastHeard>(OnFromMember);
        Receive<CastAnswers>(OnFromMember);
        Receive<NeedRoster>(OnFromMember);
        Receive<RosterContent>(OnFromMember);
        // Other workers say nothing else here: what they may not say is dropped before the protocol sees it.
        Receive<IMessage>(m => Log(LogLevel.Warning, $"{m.Descriptor.Name} of another worker is ignored"));
        ReceiveAny(Feed);
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        _saver = Context.ActorOf(Props.Create(() => new SaverActor(Self, _options.Assign.CheckpointRoot, _options.Disk))
            .WithDispatcher("pinned"), "saver");
        _donor = Context.ActorOf(Props.Create(() => new StateDonorActor(_tag)), "donor");
        _device = Context.ActorOf(Props.Create(() => new DeviceActor(new DeviceOptions(
            Self, _saver, _options.Open, _options.Disk, _options.Time, _options.Board, _options.DeviceKind)))
                .WithDispatcher("pinned"), "device");
        foreach (var child in new[] { _saver, _donor, _device }) Context.Watch(child);
        Feed(_options.Assign);
    }

    protected override void PostStop()
    {
        _options.Bulk.Target = null;
        _options.Board.Exchange = null;
        _exchange?.Dispose();
        _peers.DropAll();
        _learned?.Clear(int.MaxValue, takesMore: false);
    }

    private void Feed(object message)
    {
        _protocol.Step(message, _outbox);
        _options.Board.Publish(_protocol, _clock.Now);
        // Nothing below calls the protocol: what comes of it arrives as a message of its own.
        foreach (var output in _outbox.Outputs) Execute(output);
        _outbox.Clear();
    }

    private void Execute(StepOutput output)
    {
        switch (output)
        {
            case TellCoordinator m: SendToCoordinator(m.Message); break;
            case TellMembers m: SendToMembers(m.Message, 0, _protocol.Members.Count); break;
            case TellSome m: SendToMembers(m.Message, m.From, m.End); break;
            case PrepareJob m: _device.Tell(new OpenJob(_options.Job, m.Assign), Self); break;
            case EnterGeneration m: OnEnterGeneration(m); break;
            case AlignState m: OnAlignState(m); break;
            case CancelAlign m: OnCancelAlign(m); break;
            case RunStep or ApplyStep or SaveShard or HashWeights or RunEvaluation: _device.Tell(output, Self); break;
            case AwaitRoom m:
                Timers.StartSingleTimer(RoomTimer, new RoomOverdue(m.Generation, m.Step), _options.Clocks.SaveRoom);
                break;
            case StopExchange m: _exchange!.Stop(m.Generation); break;
            case ServeState m: OnServeState(m); break;
            case DeclineState m: Donate(m.To, m.Generation, m.Step, []); break;
            case DropPeers: OnDropPeers(); break;
            case SayHello: _options.Node.Tell(new GreetAgain(), Self); break;
            case StopWork m: OnStopWork(m); break;
            case Note m: Log(LogLevel.Info, m.Text); break;
            default: throw Invariant.Unhandled(output);
        }
    }

    private void OnJobOpened(JobOpened m)
    {
        (_elements, _samples) = (m.Elements, m.Ready.Samples);
        // Twice what a step can bring: every node of every other share for the own chunks, and the reduced vector.
        var nodes = 2 + (2 * (System.Numerics.BitOperations.Log2((uint)m.Slices) + 1));
        var receiveBytesMax = (64L << 20) + (4L * nodes * m.Elements * sizeof(float));
        OpenLearning(m);
        _exchange = new ExchangeLoop(
            _options.Me, _tag, Self, _states, _learned!, receiveBytesMax, m.Slices, _options.Log, _options.NewEvents);
        _options.Bulk.Target = _exchange;
        _options.Board.Exchange = _exchange;
        Feed(new JobPrepared(m.Ready));
    }

    private void OnEnterGeneration(EnterGeneration m)
    {
        var layout = new ExchangeLayout(_elements, m.Members.Count, _options.Job.Sync.BucketBytes);
        _exchange!.Enter(new ExchangeGeneration(m.Generation, m.Start, m.Shares,
            [.. m.Members.Select(x => new Incarnation(x.Incarnation))], m.Shares.IndexOf(_options.Me), layout));
        // Links to whom is no member any more are closed before the device uses their memory again: frames that wait
        // for them would be sent with the bytes of another step.
        EnterDonors(m);
        _peers.Enter(m.Members);
        _device.Tell(new TakeShare(m, layout, _exchange), Self);
        DonorStep(new DonorEntered(m.Generation, m.Start, m.Members, m.Learners));
        _linkedSaid = false;
        // Steps after the start are done again, and reported again then.
        _rows.RemoveAll(r => r.Step > m.Start.Value);
        _told.ForgetAfter(m.Start.Value);
        Log(LogLevel.Info,
            $"{m.Generation}: {m.Members.Count} members, slices {m.Shares.ShareOf(_options.Me)}, from step {m.Start}");
        CheckLinked();
    }

    // ---- Links ----

    private void OnLinkUp(LinkUp m)
    {
        OnPeerUp(m.Peer);
        CheckLinked();
        AskForState();
    }

    private void CheckLinked()
    {
        _options.Board.Unlinked = [.. _peers.Missing()];
        if (_linkedSaid || _protocol.Status != StepStatus.Aligning || !_peers.AllLinked) return;
        if (_peers.AnyIsSuspect)
        {
            // The other end may have closed it: nothing is begun on it before that is known.
            if (!Timers.IsTimerActive(LinksTimer)) Timers.StartSingleTimer(LinksTimer, new LinksDue(), LinksEvery);
            return;
        }

        _linkedSaid = true;
        _linked = _peers.ByMember();
        _exchange!.Link(_protocol.Generation, _linked);
        Self.Tell(new PeersLinked(_protocol.Generation), Self);
    }

    private void OnPeerUp(Peer peer)
    {
        if (_peers.Up(peer) is not { } process) return;
        CastStep(new CastLinkUp(process));
        LearningLinkUp(process);
    }

    private void OnLinkDown(LinkDown m)
    {
        if (_peers.Down(m.Peer) is not { } process) return;
        if (_peers.Find(process) is null) // else both have dialled, and the other link is there
        {
            CastStep(new CastLinkDown(process));
            LearningLinkDown(process, m.Text);
        }

        if (_peers.MemberIn(process) is not { } member) return;
        LoseFetch(member, m.Text);
        // One that nothing used, beside a whole one, is no loss.
        var wasUsed = _linkedSaid && _linked.Contains(m.Peer);
        if (_peers.Find(process) is not null && !wasUsed) return;
        if (wasUsed) _exchange!.Unlink(_protocol.Generation, m.Peer);
        var evidence = m.Reason switch
        {
            LinkDownReason.Silent => SuspectEvidence.Silent,
            LinkDownReason.Goodbye or LinkDownReason.ClosedHere => SuspectEvidence.Closed,
            _ => SuspectEvidence.Reset,
        };
        Feed(new PeerLost(new WorkerId(member.WorkerId), new Incarnation(member.Incarnation), evidence, m.Text));
    }

    private void OnLinkRefused(LinkRefused m) =>
        Log(LogLevel.Warning, $"{m.Address} refused the link ({m.Reason}): {string.Join("; ", m.Differences)}");

    private void SendToMembers(IMessage message, int from, int end)
    {
        for (var i = from; i < end; i++) _peers.Find(_protocol.Members[i])?.Actor(_tag.Trainer).Tell(message, Self);
    }

    // ---- Reports ----

    private void OnRow(StepRow row)
    {
        if (_rows.Count >= RowsMax) _rows.RemoveAt(0); // hours without a coordinator: its journal has the newest
        _rows.Add(row);
        if (!Timers.IsTimerActive(RowsTimer)) Timers.StartSingleTimer(RowsTimer, FlushRows.Instance, ReportEvery);
    }

    private void FlushReports()
    {
        if (!_coordinatorUp || _leaderAsks || _rows.Count == 0) return;
        if (!_reports)
        {
            if (_rows.Count > RowsPerReport) _rows.RemoveRange(0, _rows.Count - RowsPerReport);
            return;
        }

        for (var at = 0; at < _rows.Count; at += RowsPerReport)
        {
            var report = new StepReport { Generation = _protocol.Generation.Value };
            report.Rows.AddRange(_rows.Skip(at).Take(RowsPerReport));
            _told.Add(report);
            _options.Coordinator().Tell(report, _options.Node);
        }

        _rows.Clear();
    }

    /// <summary>All that are known: which of them are durable somewhere is for the next coordinator to say.</summary>
    private SavedRows RowsToSave()
    {
        var untold = new StepReport { Generation = _protocol.Generation.Value };
        untold.Rows.AddRange(_rows);
        return new SavedRows(_protocol.Members.Count, _samples, [.. _told.After(-1), untold]);
    }

    private void SendToCoordinator(IMessage message)
    {
        FlushReports(); // whoever decides on this message has seen the steps before it
        if (message is Fenced or Aligned or AlignFailed) CastStep(new OwnAnswer(message));
        else _options.Coordinator().Tell(message, _options.Node);
    }

    private void OnProfile(Profile m)
    {
        if (m.LeaderToken < _protocol.Token.Value || m.JobId != _protocol.JobId) return;
        _device.Tell(new TimeOperators(m.On), Self);
        Log(LogLevel.Info, m.On ? "operators are timed" : "operators are timed no more");
    }

    private void OnStepLate(StepLate m)
    {
        if (m.LeaderToken >= _protocol.Token.Value && m.JobId == _protocol.JobId) Log(LogLevel.Warning, m.Text);
    }

    private void OnDeviceNews(DeviceNews m)
    {
        if (m.Message is RecomputeReviewed review) Log(LogLevel.Info, $"step {review.Step}: {review.Text}");
        // Of very many members, only those that tell the rows tell this.
        if (_coordinatorUp && _reports) _options.Coordinator().Tell(m.Message, _options.Node);
    }

    // ---- The end ----

    private void OnStopWork(StopWork m)
    {
        _stopping = m;
        FlushReports();
        _options.Bulk.Target = null;
        _options.Board.Exchange = null;
        _exchange?.Dispose();
        _peers.DropAll();
        foreach (var child in Context.GetChildren()) Context.Stop(child);
    }

    private void CheckStopped()
    {
        if (_stopping is not { } stopping)
        {
            _stopping = new StopWork((int)ExitCode.Failed, "a part of the trainer ended by itself");
            Feed(new DeviceFailed(_stopping.Reason, "", _stopping.ExitCode));
            return;
        }

        if (Context.GetChildren().Count > 0) return;
        Feed(new WorkStopped());
        _options.Node.Tell(new TrainingEnded(stopping.ExitCode, stopping.Reason), Self);
        Context.Stop(Self);
    }

    private void Log(LogLevel level, string text) => _options.Log.Write(level, "trainer", text);

    private sealed class LinksDue;

    private sealed class FlushRows
    {
        public static readonly FlushRows Instance = new();
    }
}
