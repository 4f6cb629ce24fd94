using Convoy.Actors;
using Convoy.Actors.Remoting;
using Convoy.Coordinator.Api;
using Convoy.Coordinator.Jobs;
using Convoy.Coordinator.Membership;
using Convoy.Coordinator.Recovery;
using Convoy.Coordinator.Security;
using Convoy.Shared;
using Convoy.Shared.Checkpoints;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Ids;
using Convoy.Shared.Storage;

namespace Convoy.Coordinator.Hosting;

/// <summary>
/// A coordinator in this process: one port for workers and HTTP, one state folder. After a restart on the same folder
/// it knows the workers' numbers and goes on with higher generations; a submitted job resumes from the newest
/// checkpoint.
/// </summary>
public sealed class CoordinatorHost : IAsyncDisposable
{
    private const string JournalFile = "journal.db";
    private const string CheckpointsFolder = "checkpoints";
    private static readonly TimeSpan LeaseLife = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan AskTimeout = TimeSpan.FromSeconds(5);

    private readonly CoordinatorOptions _options;
    private readonly TaskCompletionSource<StatusReport> _jobOver =
        new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<Exception> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly StatusBoard _board = new();
    private readonly MetricsFile _metrics = new();
    private readonly JobBoards _boards;
    private readonly Stack<Action> _files = new(); // closed last first
    private CoordinatedShutdown? _shutdown;
    private volatile TaskCompletionSource? _jobEnds;
    private JobSubmission? _submission;
    private Task? _end;
    private IActorRef _membership = ActorRefs.Nobody;
    private IActorRef _job = ActorRefs.Nobody;
    private Remoting? _remoting;

    private CoordinatorHost(CoordinatorOptions options) =>
        (_options, _boards) = (options, new JobBoards(_board, _metrics));

    /// <summary>host:port where this machine's workers join and HTTP is answered.</summary>
    public string Address { get; private set; } = "";

    /// <summary>Where other machines find it: host:port, or several with commas, best first.</summary>
    public string Advertised { get; private set; } = "";

    /// <summary>How many workers a launcher should keep running; raised on an actor's thread.</summary>
    public event Action<int>? WorkersWanted;

    public StatusReport Status => _boards.Read(null);

    /// <summary>Completes when the first job is over.</summary>
    public Task<StatusReport> WhenJobOver => _jobOver.Task;

    /// <summary>
    /// Completes when this coordinator cannot lead on: its journal or an invariant broke, or another one leads.
    /// </summary>
    public Task<Exception> WhenFailed => _failed.Task;

    /// <exception cref="UserException">The folder is in use, the address is taken, or the journal cannot be
    /// read.</exception>
    public static async Task<CoordinatorHost> StartAsync(CoordinatorOptions options)
    {
        var host = new CoordinatorHost(options);
        try
        {
            await host.StartAsync();
            return host;
        }
        catch
        {
            await host.StopAsync();
            throw;
        }
    }

    private async Task StartAsync()
    {
        if (_options.Clocks.Check() is { } broken) throw new UserException(ExitCode.Usage, $"clocks: {broken}");
        var state = Path.GetFullPath(_options.StateDirectory);
        _files.Push(StateLock.Take(state).Dispose);

        var journal = OpenJournal(state);
        var store = new CheckpointStore(Path.Combine(state, CheckpointsFolder), RealDisk.Instance, _options.Log);

        var system = ActorSystem.Create("coordinator",
            new ActorSystemOptions { Time = _options.Time, LogSink = _options.Log });
        _shutdown = CoordinatedShutdown.Get(system);
        _shutdown.AddTask(CoordinatedShutdown.PhaseCloseFiles, "journal", CloseFiles);
        StartActors(system, journal, store, state);

        var port = new SharedPort();
        _submission = new JobSubmission(_options, journal, store, store.Root) { Boards = _boards, StoreAt = StoreAt };
        var desk = _options.Security?.Authority is { Exists: true } authority
            ? new AdmissionDesk(journal, authority, _options.Time, _options.Log) : null;
        var api = new HttpApi(_boards, _submission, _job, _options.Log, _options.Time)
        { Admission = new AdmissionApi(desk) };
        var http = await HttpServer.StartAsync(port, api.AnswerAsync);
        _shutdown.AddTask(CoordinatedShutdown.PhaseCloseLanes, "http", async () => await http.DisposeAsync());

        var remoting = await Remoting.StartAsync(system, RemotingOptionsOf(journal, port), _membership);
        _remoting = remoting;
        _shutdown.AddTask(CoordinatedShutdown.PhaseCloseLanes, "links", async () => await remoting.DisposeAsync());
        remoting.Register("coordinator", _membership);
        Address = Endpoints.OnThisMachine(remoting.ListensOn);
        Advertised = remoting.Address;

        new EndpointFile
        {
            Address = Address, Pid = Environment.ProcessId, Started = _options.Time.GetUtcNow(),
            Tls = _options.Security is not null,
        }.Write(state);
        PlanTheEnd(state);
        _options.Log.Write(LogLevel.Info, "coordinator", $"{journal.Token} leads on {Advertised}, state in {state}");
    }

    private ControlJournal OpenJournal(string state)
    {
        var file = SqliteJournal.Open(Path.Combine(state, JournalFile));
        _files.Push(file.Dispose);
        // The lock of the folder is ours, so whoever held the lease on this machine is gone.
        var answer = file.TryAcquire($"{Environment.MachineName} pid {Environment.ProcessId}", LeaseLife, _ => true);
        if (answer.Lease is not { } lease)
        {
            throw new UserException(ExitCode.Cluster,
                $"{answer.Holder} leads this cluster for another {answer.ExpiresIn.TotalSeconds:0.0} s: stop it first");
        }

        var journal = new ControlJournal(file, lease);
        _files.Push(journal.Release);
        return journal;
    }

    private void StartActors(ActorSystem system, ControlJournal journal, CheckpointStore store, string state)
    {
        _files.Push(_metrics.Dispose);
        (_membership, _job) = CoordinatorActors.Start(system, new CoordinatorParts
        {
            Options = _options, Journal = journal, Store = store, Board = _board, Metrics = _metrics,
            StateFolder = state,
            LeaseLife = LeaseLife, JobOver = OnJobOver,
            Boards = _boards, StoreAt = StoreAt,
            WorkersWanted = n => WorkersWanted?.Invoke(n), Failed = e => _failed.TrySetResult(e),
            Outlast = silence => _remoting?.Outlast(silence),
        });
    }

    private CheckpointStore StoreAt(string root) => new(root, RealDisk.Instance, _options.Log);

    private RemotingOptions RemotingOptionsOf(ControlJournal journal, SharedPort port) => new()
    {
        // The token is new at every start, so it tells this process apart from the ones before it.
        NodeName = "coordinator",
        Incarnation = new Incarnation(((ulong)journal.Token.Value << 32) | (uint)Environment.ProcessId),
        Listen = _options.Listen, Advertise = _options.Advertise, BuildId = BuildId.Current, Time = _options.Time,
        Clocks = _options.Clocks,
        Foreign = port.TryTake, Security = _options.Security?.ForLinks(port),
    };

    /// <summary>The launcher saw a worker's process end.</summary>
    public void ReportProcessExit(string workerName, int exitCode, string lastLines)
    {
        // The job first: it knows the cause before it hears of the loss (R3).
        _job.Tell(new ProcessEnded(workerName, exitCode, lastLines), ActorRefs.NoSender);
        _membership.Tell(new ProcessExited(workerName, exitCode), ActorRefs.NoSender);
    }

    private void OnJobOver(StatusReport report)
    {
        _jobOver.TrySetResult(report);
        _jobEnds?.TrySetResult();
    }

    private void PlanTheEnd(string state)
    {
        // A last step, its save and its publication are bounded by these; beyond them the last checkpoint has to do.
        _shutdown!.SetDeadline(CoordinatedShutdown.PhaseSave,
            _options.Clocks.SoftFence + _options.Clocks.AlignWithState + _options.Clocks.Save);
        _shutdown.AddTask(CoordinatedShutdown.PhaseStopTakingWork, "submissions", () =>
        {
            _submission!.Close();
            return Task.CompletedTask;
        });
        _shutdown.AddTask(CoordinatedShutdown.PhaseSave, "job", SaveAsync);
        _shutdown.AddTask(CoordinatedShutdown.PhaseCloseLanes, "address", () =>
        {
            EndpointFile.Remove(state);
            return Task.CompletedTask;
        });
    }

    /// <summary>The job that runs stops at a step, with a checkpoint of it.</summary>
    private async Task SaveAsync()
    {
        _jobEnds = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        // The answer comes before the end of the job; a refusal says that none runs.
        var stop = new TakeStop("the coordinator ends") { All = true };
        if (await _job.Ask<object>(stop, AskTimeout) is not Accepted) return;
        await _jobEnds.Task.WaitAsync(_shutdown!.AtOnce);
    }

    private Task CloseFiles()
    {
        while (_files.TryPop(out var close)) close();
        return Task.CompletedTask;
    }

    /// <summary>
    /// Ends in good order: takes no more jobs, saves the one that runs, says goodbye. Completes when nothing is left;
    /// every phase has its deadline.
    /// </summary>
    public Task ShutDownAsync(string reason) => _end = _shutdown?.Run(reason) ?? CloseFiles();

    /// <summary>
    /// Ends without saving, also when <see cref="ShutDownAsync"/> is under way. Workers see their coordinator go.
    /// </summary>
    public Task StopAsync(string reason = "stopped") => _shutdown?.RunAtOnce(reason) ?? CloseFiles();

    public async ValueTask DisposeAsync() => await (_end ?? StopAsync());
}
