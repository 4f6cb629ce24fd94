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
/// A coordinator in this process: one port for workers and HTTP, one state folder. After a restart on the same folder it
/// knows the workers' numbers and goes on with higher generations; a submitted job resumes from the newest checkpoint.
/// </summary>
public sealed class CoordinatorHost : IAsyncDisposable
{
    private const string JournalFile = "journal.db";
    private const string CheckpointsFolder = "checkpoints";
    private static readonly TimeSpan LeaseLife = TimeSpan.FromSeconds(3);

    private readonly CoordinatorOptions _options;
    private readonly TaskCompletionSource<StatusReport> _jobOver = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource<Exception> _failed = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly StatusBoard _board = new();
    private readonly MetricsFile _metrics = new();
    private readonly Stack<Func<ValueTask>> _undo = new();
    private IActorRef _membership = ActorRefs.Nobody;
    private IActorRef _job = ActorRefs.Nobody;
    private bool _stopped;

    private CoordinatorHost(CoordinatorOptions options) => _options = options;

    /// <summary>host:port where workers join and HTTP is answered.</summary>
    public string Address { get; private set; } = "";

    /// <summary>How many workers a launcher should keep running; raised on an actor's thread.</summary>
    public event Action<int>? WorkersWanted;

    public StatusReport Status => _board.Read();

    /// <summary>Completes when the first job is over.</summary>
    public Task<StatusReport> WhenJobOver => _jobOver.Task;

    /// <summary>Completes when this coordinator cannot lead on: its journal or an invariant broke, or another one leads.</summary>
    public Task<Exception> WhenFailed => _failed.Task;

    /// <exception cref="UserException">The folder is in use, the address is taken, or the journal cannot be read.</exception>
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
        var held = StateLock.Take(state);
        Undo(held.Dispose);

        var journal = OpenJournal(state);
        var store = new CheckpointStore(Path.Combine(state, CheckpointsFolder), RealDisk.Instance, _options.Log);

        var system = ActorSystem.Create("coordinator", new ActorSystemOptions { Time = _options.Time, LogSink = _options.Log });
        Undo(async () => await system.Terminate());
        StartActors(system, journal, store, state);

        var port = new SharedPort();
        var submission = new JobSubmission(_options, journal, store, store.Root);
        var desk = _options.Security?.Authority is { Exists: true } authority
            ? new AdmissionDesk(journal, authority, _options.Time, _options.Log) : null;
        var api = new HttpApi(_board, _metrics, submission, _job, _options.Log, _options.Time) { Admission = new AdmissionApi(desk) };
        var http = await HttpServer.StartAsync(port, api.AnswerAsync);
        Undo(http.DisposeAsync);

        var remoting = await Remoting.StartAsync(system, RemotingOptionsOf(journal, port), _membership);
        Undo(remoting.DisposeAsync);
        remoting.Register("coordinator", _membership);
        Address = remoting.Address;

        new EndpointFile
        {
            Address = Address, Pid = Environment.ProcessId, Started = _options.Time.GetUtcNow(),
            Tls = _options.Security is not null,
        }.Write(state);
        Undo(() => EndpointFile.Remove(state));
        _options.Log.Write(LogLevel.Info, "coordinator", $"{journal.Token} leads on {Address}, state in {state}");
    }

    private ControlJournal OpenJournal(string state)
    {
        var file = SqliteJournal.Open(Path.Combine(state, JournalFile));
        Undo(file.Dispose);
        // The lock of the folder is ours, so whoever held the lease on this machine is gone.
        var answer = file.TryAcquire($"{Environment.MachineName} pid {Environment.ProcessId}", LeaseLife, _ => true);
        if (answer.Lease is not { } lease)
        {
            throw new UserException(ExitCode.Cluster,
                $"{answer.Holder} leads this cluster for another {answer.ExpiresIn.TotalSeconds:0.0} s: stop it first");
        }

        var journal = new ControlJournal(file, lease);
        Undo(journal.Release);
        return journal;
    }

    private void StartActors(ActorSystem system, ControlJournal journal, CheckpointStore store, string state)
    {
        Undo(_metrics.Dispose);
        (_membership, _job) = CoordinatorActors.Start(system, new CoordinatorParts
        {
            Options = _options, Journal = journal, Store = store, Board = _board, Metrics = _metrics, StateFolder = state,
            LeaseLife = LeaseLife, JobOver = report => _jobOver.TrySetResult(report),
            WorkersWanted = n => WorkersWanted?.Invoke(n), Failed = e => _failed.TrySetResult(e),
        });
    }

    private RemotingOptions RemotingOptionsOf(ControlJournal journal, SharedPort port) => new()
    {
        // The token is new at every start, so it tells this process apart from the ones before it.
        NodeName = "coordinator", Incarnation = new Incarnation(((ulong)journal.Token.Value << 32) | (uint)Environment.ProcessId),
        Listen = _options.Listen, BuildId = BuildId.Current, Time = _options.Time, Clocks = _options.Clocks,
        Foreign = port.TryTake, Security = _options.Security?.ForLinks(port),
    };

    /// <summary>The launcher saw a worker's process end.</summary>
    public void ReportProcessExit(string workerName, int exitCode, string lastLines)
    {
        // The job first: it knows the cause before it hears of the loss (R3).
        _job.Tell(new ProcessEnded(workerName, exitCode, lastLines), ActorRefs.NoSender);
        _membership.Tell(new ProcessExited(workerName, exitCode), ActorRefs.NoSender);
    }

    /// <summary>Ends everything that was started, last first. Workers see their coordinator go.</summary>
    public async Task StopAsync()
    {
        if (_stopped) return;
        _stopped = true;
        while (_undo.TryPop(out var undo)) await undo();
    }

    public async ValueTask DisposeAsync() => await StopAsync();

    private void Undo(Action undo) => _undo.Push(() =>
    {
        undo();
        return ValueTask.CompletedTask;
    });

    private void Undo(Func<ValueTask> undo) => _undo.Push(undo);
}
