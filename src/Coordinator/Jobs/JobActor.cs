using Convoy.Actors;
using Convoy.Coordinator.Api;
using Convoy.Coordinator.Checkpoints;
using Convoy.Coordinator.Hosting;
using Convoy.Coordinator.Membership;
using Convoy.Coordinator.Recovery;
using Convoy.Shared;
using Convoy.Shared.Checkpoints;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;

namespace Convoy.Coordinator.Jobs;

/// <summary>Asked: train this. Answered with <see cref="SubmitReply"/> or a failure.</summary>
internal sealed record TakeJob(JobDescription Description, Manifest Draft)
{
    /// <summary>Of a job beside the first one: its own checkpoints and metrics; null: the state folder.</summary>
    public string? Folder { get; init; }
}

/// <summary>Asked: answered with <see cref="Accepted"/> or a failure.</summary>
internal sealed record TakeStop(string Reason, string Command = "")
{
    /// <summary>Name or id; null: the only one.</summary>
    public string? Job { get; init; }

    /// <summary>Every job that runs.</summary>
    public bool All { get; init; }

    public static string AnswerOf(string job) => $"{job} saves at the next step and ends";
}

internal sealed record TakeScale(int Workers, string Command = "")
{
    public string? Job { get; init; }

    public static string AnswerOf(string job, int workers) => $"{job} goes to {workers} workers";
}

internal sealed record TakeProfile(bool On)
{
    public string? Job { get; init; }
}

/// <summary>The two actors need each other; the job is made first.</summary>
internal sealed record MembershipIs(IActorRef Membership);

internal sealed record JobShell(
    ControlJournal Journal, MonotonicClock Clock, TimeProvider Time, StatusBoard Board, ILogSink Log,
    MetricsFile Metrics,
    CheckpointStore Store, string StateDirectory, Action<StatusReport> Over)
{
    /// <summary>The right to act.</summary>
    public required LeaderLease Lease { get; init; }
    /// <summary>It is lost, or the journal cannot be used: this coordinator leads no more.</summary>
    public required Action<Exception> Deposed { get; init; }
    /// <summary>The job that a leader before this one left; null: begin anew.</summary>
    public TakenOver? Found { get; init; }
    public MembershipHistory History { get; init; } = new();
}

/// <summary>
/// Shell of <see cref="JobProtocol"/>, one job at a time. It is a wall: whatever breaks in here fails its job, never
/// membership (protocols 1.6).
/// </summary>
internal sealed class JobActor : ReceiveActor, IWithTimers
{
    private const string Source = "job";
    private static readonly TimeSpan TickInterval = TimeSpan.FromMilliseconds(200);

    private readonly JobShell _shell;
    private readonly JobOutbox _outbox = new();
    private readonly List<WorkerAdmitted> _admitted = [];
    private readonly HashSet<WorkerId> _isAdmitted = []; // looked up only: thousands come, few of them again
    private const int CommandsMax = 1_000;
    private const string BrokenText =
        "this coordinator cannot write its journal and leads no more: ask again when another one does";
    private readonly Queue<string> _commands = new();
    private IActorRef _membership = ActorRefs.Nobody;
    private IActorRef? _checkpoints;
    private JobDescription? _description;
    private JobProtocol? _protocol;
    private Manifest? _draft;
    private bool _hasBegun; // it has the file of its rows: until then what breaks is the answer to who submits it

    private sealed record Tick;

    public JobActor(JobShell shell)
    {
        _shell = shell;
        Receive<MembershipIs>(OnMembershipIs);
        Receive<TakeJob>(OnTakeJob);
        Receive<TakeStop>(OnTakeStop);
        Receive<TakeScale>(OnTakeScale);
        Receive<TakeProfile>(OnTakeProfile);
        Receive<MembershipSaid>(OnMembershipSaid);
        Receive<WorkerSaid>(OnWorkerSaid);
        Receive<JobInput>(Feed);
        Receive<Tick>(_ => OnTick());
        Receive<Undeliverable>(m => _shell.Log.Write(LogLevel.Debug, Source, m.ToString()));
    }

    public ITimerScheduler Timers { get; set; } = null!;

    protected override void PreStart()
    {
        Timers.StartPeriodicTimer("tick", new Tick(), TickInterval);
        foreach (var (command, _) in _shell.Journal.FoldCommands()) Remember(command);
        if (_shell.Found is { } found) GoOn(found);
    }

    /// <summary>Takes over what a dead leader left (docs/protocols/takeover.md).</summary>
    private void GoOn(TakenOver found)
    {
        (_description, _draft, _hasBegun) = (found.Description, found.Draft, true);
        _protocol = new JobProtocol(found.Description);
        StartCheckpoints(found.Description);
        Guard(() =>
        {
            if (found.History.Over is null) _protocol.TakeSavedRows(_shell.Metrics.Last, _outbox);
            _protocol.GoOn(found.History, _shell.History, _shell.Clock.Now, _outbox);
            _checkpoints!.Tell(new SaveTemplate(_draft with
            {
                DataSha256 = _protocol.DataSha256,
                DeviceKind = _protocol.Kernels,
            }));
            Execute();
        });
    }

    /// <summary>One that follows a broken one knows nobody yet: who is there says Hello to it.</summary>
    private void OnMembershipIs(MembershipIs m)
    {
        _membership = m.Membership;
        _admitted.Clear();
        _isAdmitted.Clear();
    }

    private void Remember(string command)
    {
        if (command.Length == 0) return;
        _commands.Enqueue(command);
        if (_commands.Count > CommandsMax) _commands.Dequeue();
    }

    private bool IsKnown(string command) => command.Length > 0 && _commands.Contains(command);

    private void OnTakeJob(TakeJob m)
    {
        if (_protocol is { IsOver: false })
        {
            Refuse(ExitCode.Cluster,
                $"job {_description!.JobId} is {_protocol.Status.ToString().ToLowerInvariant()} here: stop it first, or use another coordinator");
            return;
        }

        (_description, _draft, _hasBegun) = (m.Description, m.Draft, false);
        _protocol = new JobProtocol(m.Description);
        StartCheckpoints(m.Description);
        Guard(() =>
        {
            _shell.Metrics.Begin(_shell.StateDirectory, m.Description.LastRow);
            _hasBegun = true;
            _protocol.TakeSavedRows(_shell.Metrics.Last, _outbox);
            _protocol.Begin(_admitted, _shell.Clock.Now, _outbox);
            Execute();
        });
        if (_protocol is null)
        {
            // What broke in here is the answer: whoever submits need not wait for the end of its patience.
            var cause = _shell.Board.Read().RootCause;
            Refuse(cause is null ? ExitCode.Storage : (ExitCode)cause.ExitCode, cause?.Text ?? BrokenText);
            return;
        }

        // Status must show the job to whoever has this answer.
        Sender.Tell(new SubmitReply { JobId = m.Description.JobId, StartStep = m.Description.Origin.Step.Value });
    }

    private void StartCheckpoints(JobDescription description)
    {
        if (_checkpoints is not null) Context.Stop(_checkpoints);
        var origin = description.Origin;
        var published = origin.CheckpointPath.Length > 0 ? origin.Step : new StepNumber(-1);
        var protocol = new CheckpointProtocol(description.Clocks, published);
        var shell = new CheckpointShell(_shell.Store, description.Job.Checkpoint.Keep, _shell.Clock,
            _shell.Time, _shell.Log)
        { Lease = _shell.Lease };
        var self = Self;
        _checkpoints = Context.ActorOf(Props.Create(() => new CheckpointActor(protocol, shell, self))
            .WithDispatcher(Dispatchers.Pinned));
    }

    private void OnTakeStop(TakeStop m)
    {
        if (_protocol is null or { IsOver: true })
        {
            Refuse(ExitCode.Cluster,
            "no job runs here: there is nothing to stop"); return;
        }

        // Promised only when it is durable (L6): whoever leads next keeps it.
        if (!IsKnown(m.Command))
        {
            Remember(m.Command);
            Feed(new StopAsked(m.Reason, m.Command));
            if (IsBroken()) return;
        }

        Sender.Tell(new Accepted { Text = TakeStop.AnswerOf(_description!.JobId) });
    }

    private void OnTakeScale(TakeScale m)
    {
        if (_protocol is null or { IsOver: true })
        {
            Refuse(ExitCode.Cluster,
            "no job runs here: there is nothing to scale"); return;
        }
        var job = _description!.Job;
        if (m.Workers < job.Elastic.Min || m.Workers > Math.Min(job.Elastic.Max, job.Slices))
        {
            Refuse(ExitCode.Usage, $"{m.Workers} workers: this job allows elastic.min {job.Elastic.Min} to "
                + $"{Math.Min(job.Elastic.Max, job.Slices)} (elastic.max {job.Elastic.Max}, slices {job.Slices})");
            return;
        }

        if (!IsKnown(m.Command))
        {
            Remember(m.Command);
            Feed(new ScaleAsked(m.Workers, m.Command));
            if (IsBroken()) return;
        }

        Sender.Tell(new Accepted { Text = TakeScale.AnswerOf(_description.JobId, m.Workers) });
    }

    /// <summary>Nothing is promised that could not be written.</summary>
    private bool IsBroken()
    {
        if (_protocol is not null) return false;
        Refuse(ExitCode.Storage, BrokenText);
        return true;
    }

    private void OnTakeProfile(TakeProfile m)
    {
        if (_protocol is null or { IsOver: true })
        {
            Refuse(ExitCode.Cluster, "no job runs here: there is nothing to profile");
            return;
        }

        Feed(new ProfileAsked(m.On));
        Sender.Tell(new Accepted
        {
            Text = m.On ? $"the workers of {_description!.JobId} time their operators: 'convoy status' shows them"
                : $"the workers of {_description!.JobId} time nothing any more",
        });
    }

    private void Refuse(ExitCode code, string text) => Sender.Tell(new Status.Failure(new UserException(code, text)));

    private void OnMembershipSaid(MembershipSaid m)
    {
        if (m.News is WorkerAdmitted admitted)
        {
            Forget(admitted.Worker);
            _admitted.Add(admitted);
            _isAdmitted.Add(admitted.Worker);
        }
        else if (m.News is WorkerLost lost)
        {
            Forget(lost.Worker);
        }
        else if (m.News is GenerationBegan && _draft is not null && _protocol is not null)
        {
            _checkpoints?.Tell(new SaveTemplate(_draft with
            {
                DataSha256 = _protocol.DataSha256,
                DeviceKind = _protocol.Kernels,
            }));
        }

        Feed(m);
    }

    private void Forget(WorkerId worker)
    {
        if (_isAdmitted.Remove(worker)) _admitted.RemoveAll(w => w.Worker == worker);
    }

    private void OnWorkerSaid(WorkerSaid m)
    {
        switch (m.Message)
        {
            case ShardSaved saved when _protocol?.TakesShard(m, saved.Generation) == true:
                // Before the checkpoint exists the rows up to it do: whoever resumes from it asks for no earlier ones.
                Guard(_shell.Metrics.Flush);
                if (_protocol is not null) _checkpoints?.Tell(new ShardReported(m.Worker, saved));
                break;
            case ShardFailed failed when _protocol?.TakesShard(m, failed.Generation) == true:
                _checkpoints?.Tell(new ShardLost(m.Worker, failed));
                break;
            case ShardSaved or ShardFailed:
                Note(new JobNote(
                    $"ignored a shard of {m.Worker}: it is of an earlier run or of another job", Warning: false));
                break;
            default:
                Feed(m);
                break;
        }
    }

    private void Feed(JobInput input)
    {
        if (_protocol is not { IsOver: false }) return;
        Guard(() =>
        {
            _protocol.Step(input, _shell.Clock.Now, _outbox);
            // A beat is looked at in the next tick: four a second of each worker show nothing by themselves.
            if (!_outbox.IsEmpty || input is not WorkerSaid { Message: Beat }) Execute();
        });
    }

    private void OnTick()
    {
        if (_protocol is not { IsOver: false }) return;
        Guard(() =>
        {
            _shell.Metrics.Flush();
            _protocol.Tick(_shell.Clock.Now, _outbox);
            Execute();
        });
    }

    private void Execute()
    {
        foreach (var effect in _outbox.Drain())
        {
            switch (effect)
            {
                case PersistJob e:
                    // Rows before what the journal says of them: who could report them again may leave then (S5).
                    _shell.Metrics.Flush();
                    _shell.Journal.Append(_description!.JobId, e.Event);
                    break;
                case TellWorker e: _membership.Tell(new SendToWorker(e.Worker, e.Incarnation, e.Message)); break;
                case TellMembership e: _membership.Tell(e.Input); break;
                case AppendRow e: _shell.Metrics.Append(e.Row); break;
                case JobNote e: Note(e); break;
                case JobIsOver: OnOver(); break;
                default: throw Invariant.Unhandled(effect);
            }
        }

        PutStatus();
    }

    private void OnOver()
    {
        _shell.Metrics.Flush();
        _shell.Metrics.End(_protocol!.State);
        PutStatus();
        _shell.Over(_shell.Board.Read());
    }

    private void Note(JobNote note)
    {
        _shell.Log.Write(note.Warning ? LogLevel.Warning : LogLevel.Info, Source, note.Text);
        if (!note.Text.StartsWith("ignored", StringComparison.Ordinal)) _shell.Board.AddEvent(note.Text);
    }

    private void Guard(Action handle)
    {
        try
        {
            _shell.Lease.MustHold();
            handle();
        }
        catch (LeaseLostException e)
        {
            // The job is well, with another leader: nobody is told anything any more (4.2 row 10).
            _outbox.Drain();
            _protocol = null;
            _shell.Deposed(e);
        }
        catch (Exception e) when (e is UserException { Code: ExitCode.Storage } || (e is IOException && _hasBegun))
        {
            // The journal or the rows. No job can be led on; what they hold is well, and whoever leads next goes on.
            _shell.Log.Write(LogLevel.Error, Source, e.Message);
            _outbox.Drain();
            _protocol = null;
            _shell.Deposed(e);
        }
        catch (Exception e)
        {
            _shell.Log.Write(LogLevel.Error, Source, $"the job ends by an error in the coordinator: {e.Message}", e);
            _outbox.Drain();
            // The workers of a launcher share its disk: they are not started again.
            var code = e is IOException ? ExitCode.Storage : ExitCode.JobFailed;
            _membership.Tell(new JobEnded((int)code, e.Message));
            var report = Report() with
            {
                State = "failed",
                Outcome = JobProtocol.OutcomeFailed,
                RootCause = new RootCause
                {
                    Text = e.Message, Detail = e.ToString(),
                    ExitCode = (int)(e is IOException ? ExitCode.Storage : ExitCode.Failed),
                },
            };
            _protocol = null;
            _shell.Board.PutJob(report);
            _shell.Over(_shell.Board.Read());
        }
    }

    private void PutStatus() => _shell.Board.PutJob(Report());

    private StatusReport Report()
    {
        if (_protocol is not { } p || _description is not { } d) return new StatusReport();
        return new StatusReport
        {
            Job = d.Job.Job, JobId = d.JobId, State = p.Status.ToString().ToLowerInvariant(),
            Generations = p.Generations,
            Step = p.State.Value, StepsTotal = p.StepsTotal, UntilStep = p.Until.Value, StepsPerEpoch = p.StepsPerEpoch,
            Epoch = p.StepsPerEpoch == 0 ? 0 : (double)p.State.Value / p.StepsPerEpoch, Loss = p.LastRow?.Loss,
            LearningRate = p.LastRow?.LearningRate, SamplesPerSecond = p.SamplesPerSecond, SyncShare = p.SyncShare,
            SaveShare = p.SaveShare,
            EtaSeconds = p.EtaSeconds, Failures = p.Failures, ScaleEvents = p.ScaleEvents,
            Checkpoint = Saved(p, d), Outcome = p.Outcome,
            RootCause = p.Status == JobStatus.Failed || p.Outcome is null ? p.RootCause : null, Metrics = p.Metrics,
            FinalLoss = p.IsOver ? p.FinalLoss : null, WeightsSha256 = p.WeightsSha256,
            StartupSeconds = p.StartupSeconds,
            Reasons = Waits(p), Profile = p.Profile,
        };
    }

    private static CheckpointView? Saved(JobProtocol p, JobDescription d)
    {
        var saved = p.Checkpoint ?? (d.Origin.CheckpointPath.Length > 0 ? d.Origin : null);
        return saved is null ? null : new CheckpointView { Step = saved.Step.Value, Path = saved.CheckpointPath };
    }

    private string[] Waits(JobProtocol p) =>
        p.Status == JobStatus.Preparing && _admitted.Count == 0
            ? ["no worker is with this job: start some with 'convoy worker --join'"]
        : p.Overdue is { } late ? [late] : [];
}
