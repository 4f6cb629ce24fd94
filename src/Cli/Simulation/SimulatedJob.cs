using Convoy.Cli.Simulation.Checkers;
using Convoy.Coordinator.Api;
using Convoy.Coordinator.Hosting;
using Convoy.Coordinator.Jobs;
using Convoy.Shared;

namespace Convoy.Cli.Simulation;

/// <summary>
/// One job of the cluster: its user, what compute tells of it, and the checkers that judge it as if it were alone.
/// </summary>
internal sealed class SimulatedJob : IComputeWitness
{
    private const int SubmissionsMax = 5;
    private readonly SimulatedCluster _cluster;
    private readonly Checker[] _checkers;

    public SimulatedJob(SimulatedCluster cluster, int index)
    {
        (_cluster, Index, Plan) = (cluster, index, cluster.Plan.Jobs[index]);
        _checkers = Checker.OfOneJob();
        foreach (var checker in _checkers) (checker.Cluster, checker.Job) = (cluster, this);
        (Samples, Replicas) = (_checkers.OfType<SamplesChecker>().First(), _checkers.OfType<ReplicasChecker>().First());
        Learners = _checkers.OfType<LearnersChecker>().First();
    }

    public int Index { get; }
    public JobPlan Plan { get; }
    public IReadOnlyList<Checker> Checkers => _checkers;
    public SamplesChecker Samples { get; }
    public ReplicasChecker Replicas { get; }
    public LearnersChecker Learners { get; }
    public string Name => Plan.Spec.Job;

    /// <summary>It is the cluster's own, whose files lie where those of a single job do.</summary>
    public bool IsFirst => Index == 0;

    /// <summary>Where its checkpoints are.</summary>
    public string Root => IsFirst ? SimulatedCoordinator.Root : JobSubmission.CheckpointsOf(Folder);

    private string Folder => JobSubmission.FolderOf("/state", Name);

    /// <summary>metrics.jsonl: it outlives coordinators.</summary>
    public MetricsMemory DurableRows { get; } = new();

    public bool IsSubmitted { get; private set; }
    public bool IsOver { get; private set; }

    /// <summary>A user has asked for its end.</summary>
    public bool MayBeStopped { get; set; }

    /// <summary>Samples of different jobs are different ones.</summary>
    public long FirstSample => Index * 1_000_000L;

    /// <summary>What the coordinator shows of it; null while there is none, or it is stopped.</summary>
    public StatusReport? Status => _cluster.Speaks is not { } c ? null
        : IsFirst ? c.Board.Read() : c.Boards.Beside(Name);

    public IReadOnlyList<long> Rows() =>
        _cluster.Coordinator is not { } c ? []
            : [.. (IsFirst ? c.Metrics : c.Boards.Metrics(Name)).Read(0).Rows.Select(r => r.Step)];

    // ---- Its user ----

    private int _submissions;

    public void Submit(bool resume)
    {
        if (_cluster.IsJobOver || IsOver) return;
        if (_cluster.Speaks is not { } coordinator || (!IsFirst && !IsTheirTurn(coordinator, resume)))
        {
            After(TimeSpan.FromSeconds(1), resume);
            return;
        }

        // A coordinator that goes on with it came between, or its user was quicker than this.
        if (IsOver || (!IsFirst && resume && coordinator.Boards.LiveId(Name) is not null)) return;
        try
        {
            _cluster.World.Trace($"the user submits {Name}{(resume ? " with --resume" : "")}");
            coordinator.Submit(this, resume && IsSubmitted);
            (IsSubmitted, _submissions) = (true, _submissions + 1);
        }
        catch (Exception e) when (e is IOException || (e is UserException && _cluster.IsDiskDown))
        {
            _cluster.World.Trace($"the submission failed: {e.Message}");
            After(TimeSpan.FromSeconds(1), resume);
        }
        catch (UserException e)
        {
            _cluster.OnViolation(new Violation("submission", e.Message));
        }
    }

    /// <summary>
    /// One that comes when no other runs would be the first of its folder: it comes beside it, or never.
    /// </summary>
    private bool IsTheirTurn(SimulatedCoordinator coordinator, bool resume)
    {
        if (resume || coordinator.Boards.FirstIsBusy) return true;
        if (_cluster.Jobs[0].IsOver) End();
        return IsOver;
    }

    /// <summary>It was well, and could not be taken: there is no folder for it while the storage is down.</summary>
    public void OnRefused(Exception cause)
    {
        _cluster.World.Trace($"{Name} is refused: {cause.Message}");
        if (_cluster.StorageFailed) After(TimeSpan.FromSeconds(1), resume: true);
        else _cluster.OnViolation(new Violation("submission", cause.Message));
    }

    private void After(TimeSpan time, bool resume) => _cluster.World.After(null, time, () => Submit(resume));

    public void SubmitAgain() => After(TimeSpan.FromMilliseconds(300), resume: true);

    public void OnOver(StatusReport report)
    {
        _cluster.World.Trace($"{Name} over: {report.Outcome} {report.RootCause?.Text}");
        _cluster.Tell(this, c => c.OnJobOver(report));
        // In the middle of faults a job may give up; its user tries again, a few times.
        // It gave up nothing, or what it tried is tried again when there is a disk.
        if (report.Outcome == "stopped" || _cluster.StorageFailed) _submissions--;
        if (report.Outcome == "finished" || _submissions >= SubmissionsMax) End();
        else SubmitAgain();
    }

    private void End()
    {
        IsOver = true;
        _cluster.OnJobEnded();
    }

    // ---- What compute tells ----

    public void OnRun(string host, long step, int firstSlice, IReadOnlyList<int> rowsPerSlice,
        IReadOnlyList<long> samples)
    {
        _cluster.Walls?.OnRun(this, host);
        _cluster.Tell(this, c => c.OnRun(host, step, firstSlice, rowsPerSlice, samples));
    }

    public void OnApplied(string host, ulong incarnation, long step, ReadOnlySpan<float> weights,
        ReadOnlySpan<float> momentum)
    {
        if (_cluster.World.Traces) _cluster.World.Trace($"{host} applied step {step}");
        foreach (var checker in _checkers) checker.OnApplied(host, incarnation, step, weights, momentum);
        _cluster.Fairness?.OnApplied(this);
    }
}
