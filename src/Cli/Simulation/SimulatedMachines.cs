using Convoy.Actors;
using Convoy.Actors.Remoting;
using Convoy.Actors.Simulation;
using Convoy.Cli.Simulation.Checkers;
using Convoy.Coordinator.Hosting;
using Convoy.Coordinator.Jobs;
using Convoy.Coordinator.Recovery;
using Convoy.Coordinator.Api;
using Convoy.Shared;
using Convoy.Shared.Checkpoints;
using Convoy.Shared.Ids;
using Convoy.Shared.Storage;
using Convoy.Shared.Time;
using Convoy.Worker.Hosting;
using Convoy.Worker.Learning;
using Convoy.Worker.Node;
using Convoy.Worker.Training;

namespace Convoy.Cli.Simulation;

/// <summary>A worker process: the real node and everything below it, on a simulated machine.</summary>
internal sealed class SimulatedWorker
{
    // One step waits in memory, so that the disk is used; a large model's steps fill it.
    private const long SpilledBytesMax = 1 << 20;

    private readonly SimulatedCluster _cluster;
    private readonly IActorRef _node;

    public SimulatedWorker(SimulatedCluster cluster, string host, Incarnation incarnation)
    {
        (_cluster, Incarnation) = (cluster, incarnation);
        var log = new SimulatedLog(cluster, host);
        Process = cluster.NewProcess(host, log);
        Process.TurnTime = TimeOf;
        var bulk = new BulkRouter();
        var clocks = cluster.Plants.Clocks(cluster.Clocks);
        var options = new WorkerOptions
        {
            Join = cluster.Plan.HasStandby
                ? $"{SimulatedCluster.CoordinatorAddress},{SimulatedCluster.StandbyAddress}"
                : SimulatedCluster.CoordinatorAddress,
            Name = host, Listen = host + ":7000",
            TimeProvider = Process.Time,
            Clocks = clocks, Say = line => cluster.World.Trace($"{host} says: {line}"),
        };
        OpenModel open = (spec, _) => cluster.JobNamed(spec.Job) is not { } job
            ? throw new UserException(ExitCode.BadJob, $"{spec.Job} is no job of this run")
            : cluster.Plants.Model(new SimulatedModel(host, incarnation.Value, job.Plan.Elements, job), host, cluster);
        _node = Process.System.ActorOf(Props.Create(() => new NodeActor(new NodeOptions
        {
            Worker = options, Incarnation = incarnation, Open = open, Bulk = bulk, Say = options.Say!,
            Recent = new RecentLines(), Log = log, Clocks = clocks, Exit = OnExit,
            Machine = new MachineFacts
            {
                Host = host, Pid = 1, Cores = 2, DeviceKind = "simulated", MemoryBytes = 1L << 30,
                WorkingSet = () => 1L << 28,
            },
            Disk = cluster.Plants.Disk(new SimulatedDisk(cluster.Disk, cluster, host)), NewEvents = NewEvents,
            FeedRoom = new FeedRoom(0, 1, SpilledBytesMax), FeedFolder = $"/scratch/{host}",
        })), "node");
        var remoting = new SimulatedRemoting(
            cluster.Network, Process, host + ":7000", incarnation, cluster.Clocks, _node, cluster.Plants.Bulk(bulk));
        Remoting = remoting;
        _node.Tell(new StartNode(remoting), ActorRefs.NoSender);
        cluster.World.After(Process, TimeSpan.Zero, static () => { });
    }

    public SimulatedProcess Process { get; }
    public SimulatedRemoting Remoting { get; }
    public Incarnation Incarnation { get; }

    /// <summary>A slow device takes this many times longer; 1 is its own pace.</summary>
    public int Slowness { get; set; } = 1;

    /// <summary>Until then its device does nothing; what it has to do waits.</summary>
    public Shared.Time.Instant HungUntil { get; set; }

    public bool IsHung => _cluster.World.Now < HungUntil;

    /// <summary>SIGTERM.</summary>
    public void Terminate() => _node.Tell(new DrainAsked(), ActorRefs.NoSender);

    private TimeSpan TimeOf(string actor, object message) =>
        TimeOf(message) + (IsHung && actor == "device" ? HungUntil - _cluster.World.Now : TimeSpan.Zero);

    private TimeSpan TimeOf(object message) => message switch
    {
        RunStep => _cluster.Plan.StepTime * (Slowness * (0.9 + (_cluster.World.Choice.Below(200) / 1_000.0))),
        OpenJob => TimeSpan.FromMilliseconds(20 + _cluster.World.Choice.Below(200)),
        ApplyStep or Align or TakeState => TimeSpan.FromMicroseconds(200 + _cluster.World.Choice.Below(3_000)),
        WriteShard => _cluster.TimeOfWrite(),
        _ => TimeSpan.Zero,
    };

    private void OnExit(int code, string line)
    {
        _cluster.World.Trace($"{Process.Host} exits with {code}: {line}");
        foreach (var peer in Remoting.Peers.ToArray()) peer.Close();
        _cluster.World.After(Process, TimeSpan.FromMilliseconds(50),
            () => _cluster.OnWorkerEnded(this, code, $"exit {code}"));
    }

    private IEventQueue NewEvents(string name, Action<Exception> onFailure) =>
        new SimulatedEventQueue(Process, onFailure);
}

/// <summary>
/// The exchange's queue on one thread: who posts runs, as in production; what its poster must not run waits a little
/// for a thread of its own, or for the next poster that may.
/// </summary>
internal sealed class SimulatedEventQueue(SimulatedProcess process, Action<Exception> onFailure) : IEventQueue
{
    private readonly Queue<Action> _waiting = new();
    private bool _running;
    private bool _closed;

    public void Post(Action action, bool here)
    {
        if (_closed) return;
        _waiting.Enqueue(action);
        if (_running) return;
        if (here) Run();
        else process.World.After(process, TimeSpan.FromMicroseconds(process.World.Choice.Below(300)), Run);
    }

    private void Run()
    {
        if (_running) return;
        _running = true;
        try
        {
            while (!_closed && _waiting.TryDequeue(out var action)) action();
        }
        catch (Exception cause)
        {
            Dispose();
            onFailure(cause);
        }
        finally
        {
            _running = false;
        }
    }

    public void Dispose()
    {
        _closed = true;
        _waiting.Clear();
    }
}

/// <summary>A coordinator process: the real actors and the real submission, without HTTP and folder lock.</summary>
internal sealed class SimulatedCoordinator
{
    public const string Root = "/state/checkpoints";

    private readonly SimulatedCluster _cluster;
    private readonly JobSubmission _submission;
    private readonly JobSubmission _beside;
    private readonly IActorRef _membership;
    private readonly IActorRef _job;

    /// <param name="cluster">Where it runs.</param>
    /// <param name="journal">Of the cluster.</param>
    /// <param name="lease">That it got.</param>
    /// <param name="host">Its machine.</param>
    /// <param name="goesOn">It stood by, and goes on with the job that it finds.</param>
    public SimulatedCoordinator(SimulatedCluster cluster, IJournal journal, Lease lease, string host, bool goesOn)
    {
        (_cluster, GoesOn) = (cluster, goesOn);
        var log = new SimulatedLog(cluster, host);
        Process = cluster.NewProcess(host, log);
        var control = new ControlJournal(journal, lease);
        Token = lease.Token.Value;
        var leadership = new LeadershipProtocol(cluster.Clocks);
        leadership.OnAcquireAnswered(lease, new MonotonicClock(Process.Time).Now);
        var options = new CoordinatorOptions
        {
            StateDirectory = "/state", Time = Process.Time,
            WorkersExpected = cluster.Jobs.Count > 1 ? 0 : cluster.Plan.Workers,
            Clocks = cluster.Clocks, Log = log,
            Casts = cluster.Plan.Casts,
        };
        var store = StoreAt(Root);
        Process.TurnTime = (_, message) => message is Coordinator.Checkpoints.CheckpointInput
            ? cluster.TimeOfWrite() : TimeSpan.Zero;
        Metrics = new MetricsFile(cluster.Jobs[0].DurableRows);
        Boards = new JobBoards(Board, Metrics);
        CheckpointStore StoreAt(string root) =>
            new(root, cluster.Plants.Disk(new SimulatedDisk(cluster.Disk, cluster, host)), log);
        (_membership, _job) = CoordinatorActors.Start(Process.System, new CoordinatorParts
        {
            Options = options, Journal = control, Store = store, Board = Board, Metrics = Metrics,
            StateFolder = "/state", Leadership = leadership, GoesOn = goesOn,
            JobOver = static _ => { }, WallOver = cluster.OnWallOver, WorkersWanted = n => cluster.WorkersWanted = n,
            Boards = Boards, NewJob = cluster.Plants.JobActor,
            NewMetrics = folder => new MetricsFile(cluster.RowsAt(folder)),
            StoreAt = StoreAt, WallBroke = cluster.OnWallBroke,
            Coordinators = () => cluster.Plan.HasStandby
                ? $"{SimulatedCluster.CoordinatorAddress},{SimulatedCluster.StandbyAddress}" : "",
            Failed = e => cluster.OnCoordinatorFailed(this, e), Outlast = silence => Remoting?.Outlast(silence),
        });
        _submission = new JobSubmission(options, control, store, Root);
        _beside = new JobSubmission(options, control, store, Root)
        { Boards = Boards, StoreAt = StoreAt, FolderExists = static _ => true };
        Remoting = new SimulatedRemoting(cluster.Network, Process, host + ":7400",
            new Incarnation((ulong)Token << 32), cluster.Clocks, _membership, null);
        Remoting.Register("coordinator", _membership);
        cluster.World.After(Process, TimeSpan.Zero, static () => { });
    }

    /// <summary>It took over a running job.</summary>
    public bool GoesOn { get; }
    public SimulatedProcess Process { get; }
    public SimulatedRemoting Remoting { get; }
    public long Token { get; }
    public StatusBoard Board { get; } = new();
    public MetricsFile Metrics { get; }
    public JobBoards Boards { get; }

    public void Submit(SimulatedJob job, bool resume)
    {
        var take = (job.IsFirst ? _submission : _beside).Prepare(new SubmitRequest
        { Job = job.Plan.Spec, Graph = [1, 2, 3], Resume = resume });
        if (job.IsFirst) _job.Tell(take, ActorRefs.NoSender); // no wall has to be made for it, which could fail
        else Ask(take, static () => { }, job.OnRefused);
    }

    /// <summary>One more job, while the cluster's own runs.</summary>
    public void SubmitBeside(Shared.Jobs.JobSpec job) =>
        _job.Tell(_beside.Prepare(new SubmitRequest { Job = job, Graph = [1, 2, 3] }), ActorRefs.NoSender);

    /// <summary>A client's request; a command may be asked again with its number.</summary>
    public void Ask(object request, Action accepted, Action<Exception> refused)
    {
        var job = _job;
        Process.System.ActorOf(Props.Create(() => new Client(job, request, accepted, refused)));
    }

    /// <summary>One request of a client, and its answer.</summary>
    private sealed class Client : ReceiveActor
    {
        private readonly Action _ask;

        public Client(IActorRef job, object command, Action accepted, Action<Exception> refused)
        {
            _ask = () => job.Tell(command, Self);
            ReceiveAny(answer =>
            {
                if (answer is Status.Failure failure) refused(failure.Cause);
                else accepted();
                Context.Stop(Self);
            });
        }

        protected override void PreStart() => _ask();
    }

    public void ReportExit(string worker, int code)
    {
        _job.Tell(new ProcessEnded(worker, code, ""), ActorRefs.NoSender);
        _membership.Tell(new Coordinator.Membership.ProcessExited(worker, code), ActorRefs.NoSender);
    }
}
