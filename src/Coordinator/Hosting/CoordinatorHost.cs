using System.Buffers.Binary;
using System.Security.Cryptography;
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
using Convoy.Shared.Threading;
using Convoy.Shared.Time;

namespace Convoy.Coordinator.Hosting;

/// <summary>
/// A coordinator in this process: one port for workers and HTTP, one state folder. After a restart on the same folder
/// it knows the workers' numbers and goes on with higher generations; a submitted job resumes from the newest
/// checkpoint. One that stands by takes over when the leader is gone, and the job goes on as if nothing had happened
/// (docs/protocols/takeover.md).
/// </summary>
public sealed class CoordinatorHost : IAsyncDisposable
{
    private const string JournalFile = "journal.db";
    private const string CheckpointsFolder = "checkpoints";
    private const string Source = "coordinator";
    private const int HandOverLooksMax = 25; // 5 s
    private const int RehearseEvery = 10; // looks: 2 s
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
    private readonly LeadershipProtocol _leadership;
    private readonly MonotonicClock _clock;
    private readonly StandbyWatch _standbys;
    private readonly CancellationTokenSource _standbyEnds = new();
    private ActorSystem? _system;
    private HttpApi? _api;
    private readonly OrderedLock _endLock = new("the end of a coordinator", LockRank.Storage);
    private StateLock? _lock;
    private bool _closed;
    private string _leader = "";
    private UserException? _locked;
    private Task? _standsBy;
    private Task? _takesLock;
    private ControlJournal? _journal;
    private IActorRef _membership = ActorRefs.Nobody;
    private IActorRef _job = ActorRefs.Nobody;
    private Remoting? _remoting;

    private CoordinatorHost(CoordinatorOptions options)
    {
        (_options, _boards) = (options, new JobBoards(_board, _metrics));
        _leadership = new LeadershipProtocol(options.Clocks);
        _standbys = new StandbyWatch(options.Clocks);
        _clock = new MonotonicClock(options.Time);
    }

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
        catch (Exception e)
        {
            await host.StopAsync();
            // It may have stood still for a moment, with the lease just taken, or the disk is full.
            if (e is UserException || Explained(e) is not UserException explained) throw;
            throw explained;
        }
    }

    private async Task StartAsync()
    {
        if (_options.Clocks.Check() is { } broken) throw new UserException(ExitCode.Usage, $"clocks: {broken}");
        var state = Path.GetFullPath(_options.StateDirectory);
        if (!_options.Standby) TakeLock(StateLock.Take(state));
        var journal = SqliteJournal.Open(Path.Combine(state, JournalFile));
        _files.Push(journal.Dispose);
        _files.Push(_metrics.Dispose);

        _system = ActorSystem.Create("coordinator",
            new ActorSystemOptions { Time = _options.Time, LogSink = _options.Log });
        _shutdown = CoordinatedShutdown.Get(_system);
        _shutdown.AddTask(CoordinatedShutdown.PhaseCloseFiles, "journal", CloseFiles);
        var port = new SharedPort();
        _api = new HttpApi(_boards, _options.Log, _options.Time);
        var http = await HttpServer.StartAsync(port, _api.AnswerAsync);
        _shutdown.AddTask(CoordinatedShutdown.PhaseCloseLanes, "http", async () => await http.DisposeAsync());
        var remoting = await Remoting.StartAsync(_system, RemotingOptionsOf(port));
        _remoting = remoting;
        _shutdown.AddTask(CoordinatedShutdown.PhaseCloseLanes, "links", async () => await remoting.DisposeAsync());
        Address = Endpoints.OnThisMachine(remoting.ListensOn);
        Advertised = remoting.Address;
        PlanTheEnd(state);

        if (!_options.Standby) await LeadAtOnceAsync(journal, state);
        else if (!TryLead(journal, state)) _standsBy = StandByAsync(journal, state);
    }

    /// <summary>
    /// The lock of the folder is ours, so whoever held the lease on this machine is gone; one elsewhere has to let it
    /// expire.
    /// </summary>
    private async Task LeadAtOnceAsync(SqliteJournal journal, string state)
    {
        using var pace = new PeriodicTimer(LeadershipProtocol.LookEvery, _options.Time);
        var started = _options.Time.GetTimestamp();
        while (!TryLead(journal, state))
        {
            if (_options.Time.GetElapsedTime(started) > _options.Clocks.Lease)
                throw _locked ?? new UserException(ExitCode.Cluster,
                    $"{_leader} leads this cluster: stop it first, or stand by with --standby");
            await pace.WaitForNextTickAsync();
        }
    }

    /// <summary>Waits for the lease. A failing journal ends the wait: this one could not lead either.</summary>
    private async Task StandByAsync(SqliteJournal journal, string state)
    {
        try
        {
            var file = EndpointOf(state);
            file.Write(state, standby: true);
            EndpointFile.RemoveGoneStandbys(state);
            _options.Log.Write(LogLevel.Info, Source, $"stands by on {Advertised}, state in {state}: {_leader} leads");
            using var pace = new PeriodicTimer(LeadershipProtocol.LookEvery, _options.Time);
            var isRehearsed = false;
            for (var looks = 1; !TryLead(journal, state); looks++)
            {
                file.BeatStandby(state, _options.Time.GetUtcNow());
                if (!isRehearsed && looks % RehearseEvery == 0) isRehearsed = Rehearse(journal);
                await pace.WaitForNextTickAsync(_standbyEnds.Token);
            }

            file.RemoveStandby(state);
        }
        catch (OperationCanceledException)
        {
            // It ends without ever having led.
        }
        catch (Exception e)
        {
            _options.Log.Write(LogLevel.Error, Source, $"cannot stand by any more: {e.Message}", e);
            OnFailed(e);
        }
    }

    /// <summary>
    /// Folds what the leader has written and throws it away: what compiles while nobody waits for it does not compile
    /// in a take-over. False: there was no job yet.
    /// </summary>
    private static bool Rehearse(SqliteJournal journal)
    {
        var read = new ControlJournal(journal, new Lease("", default));
        read.FoldMembership();
        return LeftJobs.Of(read.FoldJobs()).First is not null;
    }

    /// <summary>False: another coordinator leads.</summary>
    private bool TryLead(SqliteJournal file, string state)
    {
        var askedAt = _clock.Now;
        if (!_leadership.IsAcquireDue(askedAt)) return false;
        var answer = file.TryAcquire(LeaseHolder.Name, _options.Clocks.Lease, LeaseHolder.IsGone);
        _leadership.OnAcquireAnswered(answer.Lease, askedAt);
        if (answer.Lease is { } lease)
        {
            Lead(new ControlJournal(file, lease), state);
            return true;
        }

        if (_leader != answer.Holder)
        {
            _leader = answer.Holder;
            ShowStandby(state);
        }

        if (answer.Locked is { } locked) Unlock(answer, locked, state);
        else _locked = null;
        return false;
    }

    /// <summary>
    /// The journal stays locked for ever when its leader was stopped in the middle of an append, or one that stands by
    /// while it took the lease.
    /// </summary>
    private void Unlock(LeaseAnswer answer, UserException locked, string state)
    {
        var hadIt = _options.Time.GetUtcNow() + answer.ExpiresIn - _options.Clocks.Lease;
        var ended = LeaseHolder.TryEnd(answer.Holder, hadIt) ? answer.Holder
            : EndpointFile.Standbys(state).FirstOrDefault(s => s.TryEndWriter())?.Address;
        if (ended is not null)
            _options.Log.Write(LogLevel.Warning, Source,
                $"{ended} answers no more and keeps the journal locked: its process is ended");
        else if (_locked is null) _options.Log.Write(LogLevel.Warning, Source, locked.Message);
        _locked = locked;
    }

    private void ShowStandby(string state)
    {
        var at = EndpointFile.TryRead(state)?.Address is { Length: > 0 } address ? $" at {address}" : "";
        _board.PutJob(new StatusReport { State = StatusReport.StandbyState });
        _board.PutMembership(new StatusReport
        {
            Membership = StatusReport.StandbyState, Reasons = [$"{_leader}{at} leads"],
        });
    }

    private void Lead(ControlJournal journal, string state)
    {
        _journal = journal;
        _files.Push(journal.HandOver);
        var store = new CheckpointStore(Path.Combine(state, CheckpointsFolder), RealDisk.Instance, _options.Log);
        _board.PutJob(new StatusReport());
        _board.PutMembership(new StatusReport());
        (_membership, _job) = CoordinatorActors.Start(_system!, new CoordinatorParts
        {
            Options = _options, Journal = journal, Store = store, Board = _board, Metrics = _metrics,
            StateFolder = state, Leadership = _leadership, GoesOn = !_options.SingleJob, JobOver = OnJobOver,
            Boards = _boards, StoreAt = StoreAt,
            WorkersWanted = n => WorkersWanted?.Invoke(n), Failed = OnFailed,
            Outlast = silence => _remoting?.Outlast(silence), Coordinators = () => CoordinatorsOf(state),
        });
        _submission = new JobSubmission(_options, journal, store, store.Root)
        { Boards = _boards, StoreAt = StoreAt };
        var desk = _options.Security?.Authority is { Exists: true } authority
            ? new AdmissionDesk(journal, authority, _options.Time, _options.Log) : null;
        _api!.Lead(_submission, _job, new AdmissionApi(desk));
        _remoting!.AcceptedOwner = _membership;
        _remoting.Register("coordinator", _membership);
        _remoting.NotYet = null;
        EndpointFile.RemoveGoneStandbys(state);
        EndpointOf(state).Write(state);
        _options.Log.Write(LogLevel.Info, Source, $"{journal.Token} leads on {Advertised}, state in {state}");
        if (_options.Standby) _takesLock = TakeLockAsync(state);
    }

    private string CoordinatorsOf(string state)
    {
        var standbys = StandbysOf(state).Select(e => e.Advertised.Length > 0 ? e.Advertised : e.Address).ToList();
        return standbys.Count == 0 ? "" : string.Join(',', standbys.Prepend(Advertised));
    }

    private List<EndpointFile> StandbysOf(string state)
    {
        var others = EndpointFile.StandbyBeats(state).Where(s => !s.File.IsOwn).ToList();
        return [.. _standbys.Alive(others, _clock.Now)];
    }

    private CheckpointStore StoreAt(string root) => new(root, RealDisk.Instance, _options.Log);

    /// <summary>A stopped leader keeps the folder's lock; whoever leads now has it when that one is gone.</summary>
    private async Task TakeLockAsync(string state)
    {
        using var pace = new PeriodicTimer(LeadershipProtocol.LookEvery, _options.Time);
        try
        {
            while (true)
            {
                if (StateLock.TryTake(state) is { } taken)
                {
                    TakeLock(taken);
                    return;
                }

                await pace.WaitForNextTickAsync(_standbyEnds.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // It ends before the other one.
        }
    }

    private void TakeLock(StateLock taken)
    {
        using (_endLock.Enter())
        {
            if (_lock is null && !_closed) _lock = taken;
            else taken.Dispose();
        }
    }

    private EndpointFile EndpointOf(string state) => new()
    {
        Address = Address, Pid = Environment.ProcessId, Started = _options.Time.GetUtcNow(),
        Tls = _options.Security is not null, Host = Environment.MachineName, Advertised = Advertised,
    };

    private RemotingOptions RemotingOptionsOf(SharedPort port) => new()
    {
        NodeName = "coordinator",
        Incarnation = new Incarnation(BinaryPrimitives.ReadUInt64LittleEndian(RandomNumberGenerator.GetBytes(8))),
        Listen = _options.Listen, Advertise = _options.Advertise, BuildId = BuildId.Current, Time = _options.Time,
        Clocks = _options.Clocks,
        NotYet = "it stands by: another coordinator leads", Foreign = port.TryTake,
        Security = _options.Security?.ForLinks(port),
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

    private void OnFailed(Exception e) => _failed.TrySetResult(Explained(e));

    private static Exception Explained(Exception e) => e switch
    {
        LeaseLostException =>
            new UserException(ExitCode.Cluster, $"{e.Message}; start it again with --standby and it stands by"),
        IOException => new UserException(ExitCode.Storage, e.Message), // the file of the rows, which says what to do
        _ => e,
    };

    private void PlanTheEnd(string state)
    {
        // A last step, its save and its publication are bounded by these; beyond them the last checkpoint has to do.
        _shutdown!.SetDeadline(CoordinatedShutdown.PhaseSave,
            _options.Clocks.SoftFence + _options.Clocks.AlignWithState + _options.Clocks.Save);
        _shutdown.AddTask(CoordinatedShutdown.PhaseStopTakingWork, "submissions", () =>
        {
            _submission?.Close();
            return Task.CompletedTask;
        });
        _shutdown.AddTask(CoordinatedShutdown.PhaseSave, "job", SaveAsync);
        _shutdown.AddTask(CoordinatedShutdown.PhaseCloseLanes, "address", () =>
        {
            EndpointFile.Remove(state, Environment.ProcessId);
            return Task.CompletedTask;
        });
    }

    /// <summary>The job that runs stops at a step, with a checkpoint of it.</summary>
    private async Task SaveAsync()
    {
        if (_leadership.Status != LeadershipStatus.Leading || Status is not { Job: not null, Outcome: null })
            return;
        _jobEnds = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        try
        {
            await _job.Ask<object>(new TakeStop("the coordinator ends") { All = true }, AskTimeout);
        }
        catch (UserException)
        {
            return; // the job has ended meanwhile
        }

        await _jobEnds.Task.WaitAsync(_shutdown!.AtOnce);
    }

    private Task CloseFiles()
    {
        while (_files.TryPop(out var close)) close();
        using (_endLock.Enter())
        {
            _closed = true;
            _lock?.Dispose(); // last: whoever gets it finds everything else let go
        }

        return Task.CompletedTask;
    }

    private void EndStandby() => _standbyEnds.Cancel();

    /// <summary>
    /// Who would lead on if this coordinator ended: its jobs are handed over then, not saved. Null: nobody, or this one
    /// does not lead.
    /// </summary>
    public EndpointFile? Heir => _leadership.Status == LeadershipStatus.Leading && !_options.SingleJob
        ? StandbysOf(Path.GetFullPath(_options.StateDirectory)).FirstOrDefault() : null;

    /// <summary>
    /// Ends in good order: takes no more jobs, hands those that run to <see cref="Heir"/> or saves them, says goodbye.
    /// Completes when nothing is left; every phase has its deadline.
    /// </summary>
    public Task ShutDownAsync(string reason)
    {
        if (Heir is { } heir)
        {
            LetGo();
            return _end = StopAsync($"{reason}: hands over to the standby at {heir.Address}");
        }

        EndStandby();
        return _end = _shutdown?.Run(reason) ?? CloseFiles();
    }

    /// <summary>
    /// Before anything is closed: the standby leads while this process ends, and links that close here are no losses
    /// to anybody. Rows that are not in their file yet are told again.
    /// </summary>
    private void LetGo()
    {
        try
        {
            _metrics.Flush();
            _journal?.HandOver();
        }
        catch (Exception e) when (e is UserException or IOException)
        {
            _options.Log.Write(LogLevel.Error, Source, $"the lease has to expire: {e.Message}", e);
        }
    }

    /// <summary>After a hand-over: another coordinator leads on this folder within the time that a look at the lease
    /// takes.</summary>
    /// <returns>False: nobody does, and the jobs wait for one.</returns>
    public static async Task<bool> IsLedByAnotherAsync(string stateDirectory, TimeProvider time)
    {
        using var pace = new PeriodicTimer(LeadershipProtocol.LookEvery, time);
        for (var looks = 0; looks < HandOverLooksMax; looks++)
        {
            if (EndpointFile.TryRead(stateDirectory) is { } leader && leader.Pid != Environment.ProcessId) return true;
            await pace.WaitForNextTickAsync();
        }

        return false;
    }

    /// <summary>
    /// Ends without saving, also when <see cref="ShutDownAsync"/> is under way. Workers see their coordinator go.
    /// </summary>
    public Task StopAsync(string reason = "stopped")
    {
        EndStandby();
        return _shutdown?.RunAtOnce(reason) ?? CloseFiles();
    }

    public async ValueTask DisposeAsync() => await (_end ?? StopAsync());
}
