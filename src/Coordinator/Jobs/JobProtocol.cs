using Convoy.Coordinator.Api;
using Convoy.Coordinator.Membership;
using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Jobs;
using Convoy.Shared.Protocol;
using Convoy.Shared.Random;
using Convoy.Shared.Time;
using Google.Protobuf;

namespace Convoy.Coordinator.Jobs;

// One job from its submission to its end: workers prepare it, membership lets them train, rows of steps and checkpoints
// come in, and at the end the final state is published and evaluated. Who is a member is no matter of this class.
//
// S5  A step has exactly one row, in order; rows of different members must agree.
// JB-1  Training starts only with workers whose samples, data hash and H_0 are equal (R16, R20).
// JB-2  The job is over only when its last state is a published checkpoint; the outcome is journaled before anyone is
// told. JB-3  The first failure is the root cause; what follows from it is secondary (R3).
// JB-4  Failures and scale events are counted apart; only failures without progress can end a job (R25).
internal enum JobStatus
{
    Submitted,    // known; nobody has been given it yet
    Preparing,    // workers open data and compile the graph
    Running,      // a generation was opened: members train
    Ending,       // a member has reached the last state: it is saved and published
    Evaluating,   // the final state runs the test set on one member
    Finished,     // over: trained, or stopped with a checkpoint
    Failed,       // over: the root cause was named
}

internal sealed partial class JobProtocol
{
    public static readonly (JobStatus From, JobStatus To, string On)[] Transitions =
    [
        (JobStatus.Submitted, JobStatus.Preparing, "Begin"),
        (JobStatus.Preparing, JobStatus.Running, "first generation"),
        (JobStatus.Preparing, JobStatus.Finished, "stop before anything was trained"),
        (JobStatus.Preparing, JobStatus.Failed, "PrepareFailed, or workers that do not prepare the same job"),
        (JobStatus.Running, JobStatus.Ending, "first ReachedEnd of the run's last state"),
        (JobStatus.Running, JobStatus.Finished, "stop, and no worker has state to save"),
        (JobStatus.Running, JobStatus.Failed, "failures without progress, a user's error, or contradicting states"),
        (JobStatus.Ending, JobStatus.Running, "a generation that starts before the last state"),
        (JobStatus.Ending, JobStatus.Evaluating, "the final checkpoint is published and there is test data"),
        (JobStatus.Ending, JobStatus.Finished, "the final checkpoint is published"),
        (JobStatus.Ending, JobStatus.Failed, "the final checkpoint fails, or failures without progress"),
        (JobStatus.Evaluating, JobStatus.Finished, "Evaluated, or its deadline"),
        (JobStatus.Evaluating, JobStatus.Failed, "failures without progress"),
    ];

    private readonly JobDescription _description;
    private readonly List<JobWorker> _workers = [];
    private readonly StepLedger _ledger;
    private Instant _now;
    private Instant _startedAt;
    private JobOutbox _out = new();

    public JobProtocol(JobDescription description)
    {
        _description = description;
        _ledger = new StepLedger(description.LastRow);
        State = description.Origin.Step;
    }

    public JobStatus Status { get; private set; } = JobStatus.Submitted;

    public bool IsOver => Status is JobStatus.Finished or JobStatus.Failed;

    private JobSpec Job => _description.Job;

    /// <summary>The job is taken: every worker that is there gets it.</summary>
    public void Begin(IReadOnlyList<WorkerAdmitted> workers, Instant now, JobOutbox outbox)
    {
        (_now, _out, _startedAt, _progressAt) = (now, outbox, now, now);
        _out.Persist(new JobSubmitted(
            _description.JobId, System.Text.Encoding.UTF8.GetString(JobJson.Write(Job)),
            Convert.ToHexStringLower(_description.GraphSha256), _description.Origin.Step,
            _description.UntilStep is { } until ? new StepNumber(until) : null, _description.Graph,
            _description.Origin, _description.DataSha256, _description.WorkersExpected, _description.Command,
            _description.Beside));
        Become(JobStatus.Preparing);
        _out.Tell(new JobAnnounced(_description.JobId));
        foreach (var worker in workers) OnWorkerAdmitted(worker);
    }

    public void Step(JobInput input, Instant now, JobOutbox outbox)
    {
        (_now, _out) = (now, outbox);
        if (IsOver) return;
        switch (input)
        {
            case MembershipSaid { News: WorkerAdmitted m }: OnWorkerAdmitted(m); break;
            case MembershipSaid { News: WorkerLost m }: OnWorkerLost(m); break;
            case MembershipSaid { News: GenerationBegan m }: OnGenerationBegan(m); break;
            case MembershipSaid { News: GenerationIsStable m }: OnGenerationIsStable(m); break;
            case MembershipSaid { News: NothingToSave m }: OnNothingToSave(m); break;
            case MembershipSaid { News: JobIsHopeless m }: Fail("", m.Reason, "", ExitCode.JobFailed); break;
            case MembershipSaid { News: LeadershipLost }:
                Fail("", "another coordinator leads this cluster",
                "", ExitCode.Cluster); break;
            case MembershipSaid: break;   // reasons and wishes for workers are no matter of the job
            case WorkerSaid m: OnWorkerSaid(m); break;
            case ProcessEnded m: OnProcessEnded(m); break;
            case StateSaved m: OnStateSaved(m); break;
            case SaveGivenUp m: OnSaveGivenUp(m); break;
            case SaveSettles m: OnSaveSettles(m); break;
            case StopAsked m: OnStopAsked(m); break;
            case ScaleAsked m: OnScaleAsked(m); break;
            case ProfileAsked m: OnProfileAsked(m); break;
            default: throw Invariant.Unhandled(input);
        }
    }

    public void Tick(Instant now, JobOutbox outbox)
    {
        (_now, _out) = (now, outbox);
        if (IsOver) return;
        OnPrepareTimeout();
        OnRowsTimeout();
        OnStepOverdue();
        OnEndTimeout();
    }

    private void OnWorkerSaid(WorkerSaid said)
    {
        if (Find(said.Worker) is not { } worker || worker.Incarnation != said.Incarnation)
        {
            _out.Note($"ignored {said.Message.Descriptor.Name} of {said.Worker}: it is not with this job");
            return;
        }

        switch (said.Message)
        {
            case Ready m: OnReady(worker, m); break;
            case PrepareFailed m: OnPrepareFailed(worker, m); break;
            case Beat m: worker.LastBeat = m; break;
            case StepReport m: OnStepReport(worker, m); break;
            case ReachedEnd m: OnReachedEnd(worker, m); break;
            case Evaluated m: OnEvaluated(worker, m); break;
            case WorkerFailed m: OnWorkerFailed(worker, m); break;
            case Profiled m: OnProfiled(worker, m); break;
            case RecomputeReviewed m: _out.Note($"{worker.Name}, step {m.Step}: {m.Text}"); break;
            default: throw Invariant.Unhandled(said.Message);
        }
    }

    private void Become(JobStatus next)
    {
        Invariant.Check(TransitionTable.Allows(Transitions, Status, next), $"JB-2 no way from {Status} to {next}");
        _out.Note($"job {Status} > {next}");
        Status = next;
    }

    /// <summary>Workers are sorted by id.</summary>
    private JobWorker? Find(WorkerId id) => PlaceOf(id) is var at && at < _workers.Count && _workers[at].Id == id
        ? _workers[at] : null;

    /// <summary>Where a worker is, or would be.</summary>
    private int PlaceOf(WorkerId id)
    {
        var (from, end) = (0, _workers.Count);
        while (from < end)
        {
            var middle = (from + end) / 2;
            if (_workers[middle].Id.CompareTo(id) < 0) from = middle + 1;
            else end = middle;
        }

        return from;
    }
}
