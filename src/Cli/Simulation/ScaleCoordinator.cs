using Convoy.Actors;
using Convoy.Actors.Simulation;
using Convoy.Coordinator.Api;
using Convoy.Coordinator.Hosting;
using Convoy.Coordinator.Jobs;
using Convoy.Coordinator.Recovery;
using Convoy.Shared;
using Convoy.Shared.Casting;
using Convoy.Shared.Checkpoints;
using Convoy.Shared.Ids;
using Convoy.Shared.Jobs;
using Convoy.Shared.Storage;
using Convoy.Shared.Time;

namespace Convoy.Cli.Simulation;

/// <summary>The real coordinator of one job, for a given number of workers, and nothing around it.</summary>
internal sealed class ScaleCoordinator
{
    private readonly JobSubmission _submission;
    private readonly IActorRef _job;
    private readonly int _slices;

    public ScaleCoordinator(SimulatedWorld world, int workers, TimeProvider meter, CastShape casts)
    {
        var clocks = new ClockTable();
        Process = new SimulatedProcess(world, "c", "c", 0, TimeSpan.Zero) { Meter = meter };
        var journal = new MemoryJournal(Process.Time);
        var lease = journal.TryAcquire("c", clocks.Lease).Lease!;
        var control = new ControlJournal(journal, lease);
        var leadership = new LeadershipProtocol(clocks);
        leadership.OnAcquireAnswered(lease, new MonotonicClock(Process.Time).Now);
        var disk = new MemoryDisk();
        disk.CreateFolder(SimulatedCoordinator.Root);
        var options = new CoordinatorOptions
        {
            StateDirectory = "/state", WorkersExpected = Math.Min(workers, Limits.SlicesMax), Time = Process.Time,
            Clocks = clocks, Casts = casts,
        };
        var store = new CheckpointStore(SimulatedCoordinator.Root, disk);
        var metrics = new MetricsFile(new MetricsMemory());
        (Membership, _job) = CoordinatorActors.Start(Process.System, new CoordinatorParts
        {
            Options = options, Journal = control, Store = store, Board = Board,
            Metrics = metrics, Boards = new JobBoards(Board, metrics),
            StoreAt = root => new CheckpointStore(root, disk),
            NewMetrics = static _ => new MetricsFile(new MetricsMemory()),
            StateFolder = "/state", Leadership = leadership, JobOver = static _ => { },
            WorkersWanted = static _ => { },
            Failed = e => throw new UserException(ExitCode.Failed, $"the coordinator fails: {e.Message}"),
        });
        _submission = new JobSubmission(options, control, store, SimulatedCoordinator.Root);
        _slices = Math.Min(Limits.SlicesMax, (int)System.Numerics.BitOperations.RoundUpToPowerOf2((uint)workers));
    }

    public SimulatedProcess Process { get; }
    public IActorRef Membership { get; }
    public StatusBoard Board { get; } = new();

    /// <summary>What a change led to; the same messages at the same times lead to the same.</summary>
    public (string Membership, long Generation, long Step, int Members) Outcome
    {
        get
        {
            var status = Board.Read();
            return (status.Membership, status.Generation, status.Step,
                status.Workers.Count(w => w.Slices.Length > 0));
        }
    }

    /// <summary>The job begins, and timers with it: at this moment, whatever comes first from the world.</summary>
    public void Submit()
    {
        _job.Tell(_submission.Prepare(new SubmitRequest
        {
            Graph = [1],
            Job = new JobSpec
            {
                Model = new ModelSpec { Layers = [4, 2] },
                Data = new DataSpec { Path = ["/simulated"] }, Batch = _slices,
                Slices = _slices, Steps = 1_000_000, Elastic = new ElasticSpec { Min = 1, Max = _slices },
                Checkpoint = new CheckpointSpec { Every = 0 },
            },
        }), ActorRefs.NoSender);
        Process.World.RunReady();
    }
}
