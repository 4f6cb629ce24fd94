using Convoy.Coordinator.Membership;
using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Jobs;
using Convoy.Shared.Protocol;
using Convoy.Shared.Random;
using Convoy.Shared.Time;
using Google.Protobuf;

namespace Convoy.Coordinator.Jobs;

// A job that a leader before this one left: it goes on from what the journal knows of it (L7). Rows and shards that its
// workers told the dead leader in vain are told again, because Assign says which row is the last that is durable (S5).
internal sealed partial class JobProtocol
{
    private bool _recovering; // until membership has adopted the generation, or opened the next

    /// <summary>What membership goes on with.</summary>
    public static FoundJob FoundIn(JobDescription description, JobHistory history) => new()
    {
        JobId = description.JobId,
        Terms = history.Agreed is { } agreed
            ? TermsOf(description, UntilOf(description, agreed.Samples)) : null,
        Scale = history.Scale,
        Stop = history.Stop?.Reason,
        Ended = EndOf(history),
    };

    /// <summary>What its workers are to hear; null: it goes on.</summary>
    public static JobEnded? EndOf(JobHistory history) => history.Over is { } over
        ? new JobEnded((int)(over.Outcome == OutcomeFailed ? ExitCode.JobFailed : ExitCode.Finished),
            over.Text.Length > 0 ? $"{over.Outcome}: {over.Text}" : over.Outcome)
        : null;

    /// <summary>Instead of <see cref="Begin"/>.</summary>
    /// <param name="history">The job's own stream.</param>
    /// <param name="membership">Which generations it had.</param>
    /// <param name="now">The time.</param>
    /// <param name="outbox">Gets what is to be done.</param>
    public void GoOn(JobHistory history, MembershipHistory membership, Instant now, JobOutbox outbox)
    {
        (_now, _out, _startedAt, _progressAt) = (now, outbox, now, now);
        if (_description.Origin.CheckpointPath.Length > 0) Checkpoint = _description.Origin;
        if (Checkpoint is { } saved
            && saved.Step.Value > (history.Checkpoint?.Step.Value ?? history.Submitted!.Start.Value))
            // It was renamed, and its leader died before it said so (CP-4).
            _out.Persist(new CheckpointPublished(_description.JobId, saved.Step, saved.Fingerprint,
                saved.CheckpointPath));
        if (history.Agreed is { } agreed) AgreeAgain(agreed);
        (_stop, _stopAskedAt) = (history.Stop?.Reason, now);
        Become(JobStatus.Preparing);
        var (count, first) = membership.OpenedFor(_description.JobId);
        if (history.Over is { } over)
        {
            (WeightsSha256, Metrics, Outcome) = (over.WeightsSha256, over.Metrics ?? Metrics, over.Outcome);
            State = over.Step;
            Become(over.Outcome == OutcomeFailed ? JobStatus.Failed : JobStatus.Finished);
            return;
        }

        if (count == 0 || membership.Opened is not { } opened) return;
        (_generation, _generationUntil, _firstGeneration) = (opened.Generation, opened.Until, first);
        (_members, Generations, _recovering) = ([.. opened.Members], count, true);
        State = _ledger.Last > opened.Start ? _ledger.Last : opened.Start;
        Become(JobStatus.Running);
        _out.Note($"{_description.Token} goes on with {_description.JobId} in {_generation}, rows up to step {_ledger.Last}");
    }

    /// <summary>
    /// Before the job begins or goes on from a state that was trained while nobody led: the rows that were saved with
    /// it follow the durable ones, so that each step has one (S5). What is missing all the same is said.
    /// </summary>
    /// <param name="durable">Newest step that has its row.</param>
    /// <param name="outbox">Gets the rows.</param>
    public void TakeSavedRows(StepNumber durable, JobOutbox outbox)
    {
        var (start, saved) = (_description.Origin.Step, _description.Rows);
        if (durable >= start) return;
        var rows = new SortedList<long, (StepRow Row, long Generation)>();
        foreach (var report in saved?.Reports ?? [])
            foreach (var row in report.Rows)
                if (row.Step > durable.Value && row.Step <= start.Value)
                    rows.TryAdd(row.Step, (row, report.Generation));
        var perEpoch = saved is { Samples: > 0 } s ? new StepPlan(s.Samples, Job.Batch, Job.Slices).StepsPerEpoch : 0;
        foreach (var (row, generation) in rows.Values)
        {
            LastRow = ViewOf(row, generation, saved!.Workers, perEpoch);
            outbox.Append(LastRow);
        }

        if (rows.Count > 0)
            outbox.Note($"rows of steps {rows.Keys[0]} to {rows.Keys[^1]}, which nobody led, come from the checkpoint");
        var missing = start.Value - durable.Value - rows.Count;
        if (missing > 0)
            outbox.Note($"{missing} of the steps {durable.Value + 1} to {start} have no row", warning: true);
    }

    private void AgreeAgain(JobAgreed agreed) => AgreeOn(agreed.Worker, new Ready
    {
        JobId = agreed.JobId, Samples = agreed.Samples, TestSamples = agreed.TestSamples,
        DataSha256 = ByteString.CopyFrom(Convert.FromHexString(agreed.DataSha256)),
        InitialFingerprint = agreed.InitialFingerprint.Value,
    });
}
