using Convoy.Actors.Simulation;
using Convoy.Cli.Simulation.Checkers;
using Convoy.Coordinator.Api;
using Convoy.Coordinator.Jobs;
using Convoy.Coordinator.Recovery;
using Convoy.Shared;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Ids;
using Convoy.Shared.Storage;
using Convoy.Shared.Time;

namespace Convoy.Cli.Simulation;

/// <summary>
/// One run: a coordinator, workers, a launcher or supervisors that start processes again, a user who submits, and what
/// goes wrong, all in one world. What happens is the plan and the system; who judges it are the checkers.
/// </summary>
internal sealed partial class SimulatedCluster
{
    public const string CoordinatorHost = "c";
    public const string CoordinatorAddress = "c:7400";
    public const string StandbyHost = "d";
    public const string StandbyAddress = "d:7400";
    /// <summary>A slow device takes that many times longer.</summary>
    public const int SlowFactor = 4;

    private readonly Checker[] _common; // those that look at the whole cluster
    private readonly Checker[] _commonListeners; // of these, those that look at messages: there are very many
    private readonly Checker[][] _listeners; // those of each job, and the common ones
    private readonly JobPlaces? _places; // null: there is one job
    private readonly IJournal _journal;
    private readonly List<SimulatedWorker> _workers = [];
    private readonly SeededChoice _choice;
    private readonly SeededChoice _standbyChoice;
    private readonly SeededChoice _commandChoice;
    private SimulatedCoordinator? _coordinator;
    private int _coordinators;
    private ulong _incarnations;

    public SimulatedCluster(SimulationPlan plan, Plants? plants = null, Action<string>? trace = null)
    {
        (Plan, Plants) = (plan, plants ?? Plants.None);
        World = new SimulatedWorld(plan.Seed, trace);
        _choice = World.Choice.Branch(1);
        _standbyChoice = World.Choice.Branch(17);
        _commandChoice = World.Choice.Branch(19);
        Network = new SimulatedNetwork(World) { Quality = plan.Network, Tamper = Plants.Tamper, Finds = Plants.Finds };
        Network.Delivered = OnDelivered;
        Jobs = [.. plan.Jobs.Select((_, i) => new SimulatedJob(this, i))];
        if (Jobs.Count > 1)
        {
            (_places, Walls, Fairness) = (new JobPlaces(Jobs), new WallsChecker(), new FairnessChecker());
            Network.BulkDelivered = Walls.OnBulk;
        }

        _common = [.. Checker.OfAllJobs().Concat(new Checker?[] { Walls, Fairness }.OfType<Checker>())];
        _commonListeners = Array.FindAll(_common, static c => c.Listens);
        _listeners = [.. Jobs.Select(
            j => j.Checkers.Where(static c => c.Listens).Concat(_commonListeners).ToArray())];
        foreach (var checker in _common) checker.Cluster = this;
        Network.Sent = OnSent;
        // The clock of the database is nobody's: leases are judged by it alone.
        var database = new SimulatedProcess(World, "database", "database", 0, TimeSpan.Zero);
        _journal = Plants.Journal(new WatchedJournal(Plants.Store(new MemoryJournal(database.Time)), this), this);
        Disk.CreateFolder(SimulatedCoordinator.Root);
        Disk.Restart(static n => n - 1);
    }

    public SimulationPlan Plan { get; }
    public Plants Plants { get; }
    public SimulatedWorld World { get; }
    public SimulatedNetwork Network { get; }
    public MemoryDisk Disk { get; } = new();
    public ClockTable Clocks { get; } = new();
    public IReadOnlyList<SimulatedJob> Jobs { get; }
    /// <summary>Null: there is one job.</summary>
    public WallsChecker? Walls { get; }
    /// <summary>Null: there is one job.</summary>
    public FairnessChecker? Fairness { get; }

    /// <summary>metrics.jsonl of a job beside the first one.</summary>
    public MetricsMemory RowsAt(string folder)
    {
        if (JobNamed(Path.GetFileName(folder)) is { } job) return job.DurableRows;
        if (!_rowsBeside.TryGetValue(folder, out var rows)) _rowsBeside.Add(folder, rows = new MetricsMemory());
        return rows;
    }

    private readonly Dictionary<string, MetricsMemory> _rowsBeside = []; // of jobs outside the plan; looked up only
    public int WorkersWanted { get; set; }

    /// <summary>Every job is over.</summary>
    public bool IsJobOver { get; private set; }

    /// <summary>The first thing that a checker found wrong; null: nothing.</summary>
    public Violation? Violation { get; private set; }

    /// <summary>The coordinator, while there is one that is not stopped.</summary>
    public SimulatedCoordinator? Speaks =>
        _coordinator is { Process.IsGone: false, Process.IsStopped: false } c ? c : null;

    public IReadOnlyList<SimulatedWorker> Workers => _workers;

    public SimulatedCoordinator? Coordinator => _coordinator;

    public void OnViolation(Violation violation)
    {
        if (Violation is not null) return;
        Violation = violation;
        World.Trace($"VIOLATION {violation}");
    }

    /// <summary>What concerns every job.</summary>
    public void Tell(Action<Checker> what)
    {
        foreach (var job in Jobs) Tell(job.Checkers, what);
        Tell(_common, what);
    }

    /// <summary>What concerns one job; null: none of those that are looked at.</summary>
    public void Tell(SimulatedJob? job, Action<Checker> what)
    {
        if (job is not null) Tell(job.Checkers, what);
        Tell(_common, what);
    }

    private void Tell(IReadOnlyList<Checker> checkers, Action<Checker> what)
    {
        foreach (var checker in checkers)
        {
            try
            {
                what(checker);
            }
            catch (Exception e) when (e is not OutOfMemoryException)
            {
                OnBroken(checker, e);
            }
        }
    }

    private void OnDelivered(SimulatedRemoting from, SimulatedRemoting to, Google.Protobuf.IMessage message)
    {
        var at = 0;
        var job = _places is null ? Jobs[0]
            : _places.OnDelivered(from.Process.Host, to.Process.Host, message, World.Now);
        var listeners = job is null ? _commonListeners : _listeners[job.Index];
        try
        {
            for (; at < listeners.Length; at++) listeners[at].OnDelivered(from, to, message);
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            OnBroken(listeners[at], e);
        }

        if (_places?.TakeMove() is { } move)
            foreach (var checker in move.Job.Checkers) checker.OnCame(move.Host, to.Incarnation);
    }

    private void OnSent(string from, string to, Google.Protobuf.IMessage message)
    {
        _places?.OnSent(from, to, message);
        (_places is null ? Jobs[0] : _places.Of(from))?.Learners.OnSent(from, to, message);
    }

    public SimulatedJob? JobNamed(string name)
    {
        foreach (var job in Jobs)
            if (job.Name == name) return job;
        return null;
    }

    /// <summary>Whose record it is; null: of no job that is looked at.</summary>
    public SimulatedJob? JobOfStream(string stream) => stream.Split('/') switch
    {
        ["membership"] => Jobs[0],
        ["membership", var name] => JobNamed(name),
        ["job", var id] => JobNamed(JobPlaces.NameOf(id)),
        _ => null,
    };

    /// <summary>The job that a worker process trains; null: none, or there is only one.</summary>
    public SimulatedJob? JobAt(string host) => _places?.Of(host);

    /// <summary>The one that it trained a moment ago.</summary>
    public SimulatedJob? JobBefore(string host) => _places?.Before(host, World.Now);

    // A checker that breaks is called from inside the system, whose handlers would take it for theirs.
    private void OnBroken(Checker checker, Exception e) =>
        OnViolation(new Violation(checker.Name, $"the checker broke: {e.GetType().Name}: {e.Message}"));

    public bool IsStopped(string host) => host is CoordinatorHost or StandbyHost
        ? _coordinator?.Process.IsStopped == true
        : Find(host)?.Process.IsStopped == true;

    public bool IsHung(string host) => Find(host)?.IsHung == true;

    /// <summary>Asked for every message: no delegate.</summary>
    private SimulatedWorker? Find(string host)
    {
        foreach (var worker in _workers)
            if (worker.Process.Host == host) return worker;
        return null;
    }

    /// <summary>Of the first job.</summary>
    public IReadOnlyList<long> Rows() => Jobs[0].Rows();

    public string Describe() => Speaks is null ? "there is no coordinator"
        : $"{_workers.Count(w => !w.Process.IsGone)} processes, "
        + string.Join(", ", Jobs.Select(j => j.Status is not { } s ? $"{j.Name} is not here"
            : $"job {s.State} at step {s.Step} of {s.StepsTotal}, membership {s.Membership} g{s.Generation}; "
            + string.Join("; ", s.Reasons)));

    /// <summary>Runs to the end of the job and a little longer, or to the first violation.</summary>
    public void Run()
    {
        Plants.Begin(this);
        StartCoordinator(goesOn: false);
        if (Plan.HasStandby) World.After(null, TimeSpan.FromMilliseconds(_standbyChoice.Below(200)), StandBy);
        for (var i = 1; i <= Plan.Workers; i++)
        {
            var host = $"w{i}";
            World.After(null, TimeSpan.FromMilliseconds(_choice.Below(500)), () => StartWorker(host));
        }

        foreach (var job in Jobs) World.After(null, job.Plan.SubmittedAt, () => job.Submit(resume: false));
        foreach (var fault in Plan.Faults) World.After(null, fault.At, () => Inject(fault));
        World.After(null, TimeSpan.Zero, Look);
        var limit = Instant.Zero + ProgressChecker.Bound(Plan);
        try
        {
            while (Violation is null && !IsJobOver && World.RunNext(limit))
            {
            }

            // Who is let go says goodbye; nothing may break while it does.
            var end = World.Now + TimeSpan.FromSeconds(1);
            while (Violation is null && World.RunNext(end))
            {
            }
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            OnViolation(new Violation("exception",
                $"{e.GetType().Name}: {e.Message} {e.StackTrace?.Split('\n')[0].Trim()}"));
        }

        if (Violation is null) Tell(c => c.OnEnd());
    }

    private void Look()
    {
        Tell(static c => c.OnLook());
        if (!IsJobOver) World.After(null, TimeSpan.FromMilliseconds(250), Look);
    }

    // ---- Processes ----

    public SimulatedProcess NewProcess(string host, ILogSink log) => new(
        World, $"{host}#{++_incarnations}", host, _choice.Below(401) - 200,
        TimeSpan.FromMilliseconds(_choice.Below(600_000) - 300_000), log);

    private void StartWorker(string host)
    {
        if (IsJobOver || _workers.Exists(w => w.Process.Host == host)) return;
        var incarnation = new Incarnation(World.Choice.Next() | 1);
        World.Trace($"{host} starts as {incarnation}");
        _places?.OnProcessStarted(host);
        Tell(c => c.OnProcessStarted(host, incarnation));
        _workers.Add(new SimulatedWorker(this, host, incarnation));
    }

    /// <summary>A worker process is over, by itself or by force.</summary>
    public void OnWorkerEnded(SimulatedWorker worker, int code, string why, bool silently = false,
        TimeSpan? back = null)
    {
        if (!_workers.Remove(worker)) return;
        var host = worker.Process.Host;
        World.Trace($"{host} ends: {why}");
        worker.Process.Kill();
        Network.OnEnded(worker.Process, silently);
        Tell(c => c.OnProcessEnded(host, why));
        if (IsJobOver) return;
        if (Plan.HasLauncher && !silently)
            World.After(null, TimeSpan.FromMilliseconds(5 + _choice.Below(50)),
                () => AliveCoordinator?.ReportExit(host, code));
        // A worker that left on purpose is replaced when the machine is given back.
        var pause = back
            ?? TimeSpan.FromMilliseconds(code is 10 or 11 ? 2_000 + _choice.Below(6_000) : 100 + _choice.Below(1_500));
        World.After(null, pause, () => StartWorker(host));
    }

    private SimulatedCoordinator? AliveCoordinator => _coordinator is { Process.IsGone: false } c ? c : null;

    /// <summary>
    /// One that begins anew has the lock of the folder: whoever held the lease is gone. One that stood by has the
    /// lease already.
    /// </summary>
    private void StartCoordinator(bool goesOn, Lease? lease = null)
    {
        World.Trace("coordinator starts");
        try
        {
            lease ??= _journal.TryAcquire($"coordinator {_coordinators + 1}", Clocks.Lease, static _ => true).Lease!;
            var host = Plan.HasStandby && _coordinators % 2 == 1 ? StandbyHost : CoordinatorHost;
            _coordinator = new SimulatedCoordinator(this, _journal, lease, host, goesOn);
            _coordinators++;
            World.Trace($"coordinator leads as k{_coordinator.Token} on {host}");
            if (goesOn) return;
            foreach (var job in Jobs)
                if (job is { IsSubmitted: true, IsOver: false }) job.SubmitAgain();
        }
        catch (IOException e)
        {
            World.Trace($"the coordinator does not start: {e.Message}");
            World.After(null, TimeSpan.FromSeconds(1), () =>
            {
                // With standbys the lease runs out meanwhile, and whoever gets it next tries again.
                if (!Plan.HasStandby) StartCoordinator(goesOn);
            });
        }
    }

    /// <summary>
    /// A coordinator that stands by looks at the lease. On one machine it sees that its holder is gone; elsewhere the
    /// lease has to expire.
    /// </summary>
    private void StandBy()
    {
        if (IsJobOver) return;
        var isGone = Plan.HasLauncher && _coordinator is { Process.IsGone: true };
        if (_journal.TryAcquire($"standby {_coordinators + 1}", Clocks.Lease, _ => isGone).Lease is { } lease)
            StartCoordinator(goesOn: true, lease);
        World.After(null, LeadershipProtocol.LookEvery, StandBy);
    }

    /// <summary>
    /// A coordinator cannot lead on: its process ends, and a supervisor starts it again unless it was replaced.
    /// </summary>
    public void OnCoordinatorFailed(SimulatedCoordinator coordinator, Exception cause)
    {
        World.Trace($"coordinator k{coordinator.Token} fails: {cause.Message}");
        if (cause is InvariantException) OnViolation(new Violation("invariant", $"coordinator: {cause.Message}"));
        World.After(null, TimeSpan.FromMilliseconds(20), () => EndCoordinator(coordinator));
    }

    /// <summary>It ended one job only; an invariant that broke is a fault of the system all the same.</summary>
    public void OnWallBroke(Exception cause)
    {
        if (cause is InvariantException) OnViolation(new Violation("invariant", $"membership: {cause.Message}"));
    }

    /// <summary>
    /// Nobody leads for so long; then one begins anew in the state folder, and its user says --resume.
    /// </summary>
    public void LoseCoordinatorFor(TimeSpan time)
    {
        var coordinator = _coordinator!;
        coordinator.Process.Kill();
        Network.OnEnded(coordinator.Process, silently: false);
        Tell(static c => c.OnProcessEnded(CoordinatorHost, "killed"));
        World.After(null, time, () => StartCoordinator(goesOn: false));
    }

    private void EndCoordinator(SimulatedCoordinator coordinator)
    {
        if (coordinator.Process.IsGone) return;
        coordinator.Process.Kill();
        Network.OnEnded(coordinator.Process, silently: false);
        Tell(static c => c.OnProcessEnded(CoordinatorHost, "killed"));
        if (coordinator != _coordinator || IsJobOver || Plan.HasStandby) return;
        World.After(null, TimeSpan.FromMilliseconds(200 + _choice.Below(2_000)), () =>
        {
            if (_coordinator != coordinator || IsJobOver) return;
            // Mostly as `convoy coordinator` does; a launcher's begins anew, and its user says --resume.
            StartCoordinator(goesOn: _standbyChoice.Below(4) > 0);
        });
    }

    /// <summary>The run ends with the last of its jobs.</summary>
    public void OnJobEnded() => IsJobOver = Jobs.All(static j => j.IsOver);

    /// <summary>By the name of its wall; one that is not in the plan belongs to a test.</summary>
    public void OnWallOver(string wall, StatusReport report) =>
        (wall.Length == 0 ? Jobs[0] : JobNamed(wall))?.OnOver(report);

    // ---- The disk ----

    public bool DiskIsFull { get; private set; }

    private bool _diskIsSlow;
    /// <summary>A disk crashes at an operation, which may come long after the fault that brought it about.</summary>
    public TimeSpan LastTrouble { get; private set; }

    /// <summary>A moment ago, or still.</summary>
    public bool StorageFailed => _diskIsDown || DiskIsFull
        || TimeSpan.FromMicroseconds(World.Now.Microseconds) < LastTrouble + TimeSpan.FromSeconds(5);

    public bool IsDiskDown => _diskIsDown;

    private bool _diskIsDown;

    public TimeSpan TimeOfWrite() => TimeSpan.FromMilliseconds((_diskIsSlow ? 1_000 : 1) * (1 + World.Choice.Below(8)));

    /// <summary>The storage server crashed in the middle of an operation; it comes back.</summary>
    public void OnDiskStopped()
    {
        if (_diskIsDown) return;
        LastTrouble = TimeSpan.FromMicroseconds(World.Now.Microseconds) + TimeSpan.FromSeconds(2);
        _diskIsDown = true;
        World.Trace("the storage server crashes");
        World.After(null, TimeSpan.FromMilliseconds(50 + _choice.Below(2_000)), RestartDisk);
    }

    private void RestartDisk()
    {
        Disk.Restart(_choice.Below);
        _diskIsDown = false;
        World.Trace("the storage server is back");
        Tell(static c => c.OnDiskRecovered());
    }
}
