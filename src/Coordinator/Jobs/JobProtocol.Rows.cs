using Convoy.Coordinator.Api;
using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;

namespace Convoy.Coordinator.Jobs;

// Rows of steps: who may tell them, in which order they are kept, and when one is not waited for any more (S5).
internal sealed partial class JobProtocol
{
    /// <summary>
    /// Rows travel in batches, and those of a member below others come by another way than its Aligned: they may be
    /// behind the word that a state is reached.
    /// </summary>
    private static readonly TimeSpan RowsWait = TimeSpan.FromSeconds(2);

    /// <summary>
    /// Members of a generation that was adopted tell a new leader what the one before was told in vain; one that stands
    /// still for a moment may be the only one that knows a row.
    /// </summary>
    private static readonly TimeSpan GapWait = TimeSpan.FromSeconds(30);

    private (StepNumber UpTo, Instant Until)? _rowsAwaited;
    private long _lostTold;

    /// <summary>Whether a shard is one of this run, from a worker that is with this job.</summary>
    public bool TakesShard(WorkerSaid said, long generation) =>
        Find(said.Worker) is { } worker && worker.Incarnation == said.Incarnation
        && IsOfThisRun(new Generation(generation));

    /// <summary>
    /// False for a generation of an earlier coordinator: its members may still train and save, and what they report is
    /// not of this run, which starts from its own origin.
    /// </summary>
    private bool IsOfThisRun(Generation generation) => _firstGeneration is { } first && generation >= first;

    private void OnStepReport(JobWorker worker, StepReport m)
    {
        if (!IsOfThisRun(new Generation(m.Generation)))
        {
            _out.Note($"ignored StepReport of {worker}: g{m.Generation} is of an earlier run");
            return;
        }

        foreach (var row in m.Rows)
        {
            var due = _ledger.Offer(row, out var contradiction);
            if (contradiction is not null)
            {
                Fail(worker.Name, contradiction, "", ExitCode.JobFailed);
                return;
            }

            foreach (var next in due) Keep(next, m.Generation);
            // A step that is done again after its state was lost has its row already: it is progress all the same.
            if (m.Generation != _generation.Value || row.Step <= State.Value) continue;
            State = new StepNumber(row.Step);
            OnProgress();
        }

        if (_ledger.Gap is { } gap) _rowsAwaited ??= (gap, _now + GapWait);
        TellLost(_ledger.Last);
    }

    private void Keep(StepRow row, long generation)
    {
        var view = ViewOf(row, generation, _members.Count, StepsPerEpoch);
        _speed.Add(row);
        LastRow = view;
        _out.Append(view);
        if (row.Step > State.Value) State = new StepNumber(row.Step);
        OnProgress();
        StartupSeconds ??= (_now - _startedAt + _description.LaunchLead).TotalSeconds;
        var time = TimeSpan.FromMicroseconds(row.TotalUs);
        if (time > _slowestStep) _slowestStep = time;
    }

    private static StepView ViewOf(StepRow row, long generation, int workers, long stepsPerEpoch) => new()
    {
        Step = row.Step, Epoch = stepsPerEpoch == 0 ? 0 : (double)row.Step / stepsPerEpoch, Generation = generation,
        Workers = workers, Loss = row.Weight > 0 ? row.LossSum / row.Weight : 0,
        GradientNorm = row.GradientNorm,
        LearningRate = row.LearningRate, Samples = row.Samples, ComputeUs = row.ComputeUs, SyncUs = row.SyncUs,
        ApplyUs = row.ApplyUs, TotalUs = row.TotalUs, SaveUs = row.SaveUs,
        Fingerprint = new Fingerprint(row.Fingerprint).ToString(),
        Skipped = row.Skipped,
    };

    /// <summary>
    /// All members have this state: whoever knows the rows up to it has told them, or will at once. In a generation
    /// that was adopted they come in their own time.
    /// </summary>
    private void AwaitRows(StepNumber start)
    {
        var until = _now + RowsWait;
        _rowsAwaited = (start, _rowsAwaited is { } awaited && awaited.Until < until ? awaited.Until : until);
    }

    private void OnRowsTimeout()
    {
        if (_rowsAwaited is not { } awaited || (_now < awaited.Until && _ledger.Last < awaited.UpTo)) return;
        _rowsAwaited = null;
        foreach (var row in _ledger.EndGapsUpTo(awaited.UpTo)) Keep(row, _generation.Value);
        TellLost(awaited.UpTo);
    }

    private void TellLost(StepNumber upTo)
    {
        if (_ledger.Lost == _lostTold) return;
        _out.Note($"{_ledger.Lost - _lostTold} steps up to {upTo} have no row: who knew them is gone",
            warning: true);
        _lostTold = _ledger.Lost;
    }
}
