using Convoy.Coordinator.Api;
using Convoy.Coordinator.Membership;
using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;

namespace Convoy.Coordinator.Jobs;

// The last state: reached by all members, published, evaluated; or stopped; or failed.
internal sealed partial class JobProtocol
{
    public const string OutcomeFinished = "finished";
    public const string OutcomeStopped = "stopped";
    public const string OutcomeFailed = "failed";

    private string? _stop;
    private Instant _stopAskedAt;
    private StepNumber _endStep;
    private Instant? _endSince;
    private Instant? _evaluateSince;
    private WorkerId? _evaluator;

    public string? Outcome { get; private set; }
    public string? WeightsSha256 { get; private set; }
    public IReadOnlyDictionary<string, double> Metrics { get; private set; } =
        new SortedDictionary<string, double>(StringComparer.Ordinal);

    private void OnStopAsked(StopAsked m)
    {
        if (_stop is not null || Status is JobStatus.Evaluating)
        {
            // The same effect; but its number is answered again, by any leader (L6).
            if (m.Command.Length > 0) _out.Persist(new StopTaken(_description.JobId, m.Reason, m.Command));
            return;
        }

        (_stop, _stopAskedAt) = (m.Reason, _now);
        _out.Persist(new StopTaken(_description.JobId, m.Reason, m.Command));
        _out.Note($"stop: {m.Reason}");
        // Membership does not know the job before the first worker is ready.
        if (_agreed is null) End(OutcomeStopped, JobStatus.Finished, m.Reason);
        else _out.Tell(new StopJob(m.Reason));
    }

    private void OnScaleAsked(ScaleAsked m)
    {
        _out.Persist(new ScaleTaken(_description.JobId, m.Workers, m.Command));
        _out.Tell(new ScaleTo(m.Workers));
    }

    private void OnNothingToSave(NothingToSave m) => End(OutcomeStopped, JobStatus.Finished, m.Reason);

    private void OnReachedEnd(JobWorker worker, ReachedEnd m)
    {
        if (m.Generation != _generation.Value || m.Step != _generationUntil.Value)
        {
            _out.Note($"ignored ReachedEnd of {worker}: g{m.Generation} step {m.Step}, {_generation} ends at {_generationUntil}");
            return;
        }

        worker.End = m;
        State = new StepNumber(m.Step);
        _progressAt = _now;
        // A generation that only saves for a worker that leaves is no end of the job.
        if (_stop is null && m.Step < Until.Value) return;
        if (Status == JobStatus.Running)
        {
            (_endStep, _endSince) = (new StepNumber(m.Step), _now);
            Become(JobStatus.Ending);
        }

        MaybeEnd();
    }

    private bool IsPublished(StepNumber step) =>
        Checkpoint is { } saved ? saved.Step >= step
        : _description.Origin.CheckpointPath.Length > 0 && _description.Origin.Step >= step;

    /// <summary>JB-2: all members are at the last state, agree on the weights, and it is published.</summary>
    private void MaybeEnd()
    {
        if (Status != JobStatus.Ending || _recovering || !IsPublished(_endStep)) return;
        var members = _members.Select(Find).OfType<JobWorker>().ToList();
        if (members.Count == 0 || members.Exists(w => w.End is null)) return;
        OnRowsTimeout();
        if (_ledger.Last < _endStep && _now - _endSince!.Value < RowsWait) return;
        var first = members[0].End!;
        if (members.Find(w => !w.End!.WeightsSha256.Equals(first.WeightsSha256)) is { } other)
        {
            Fail(other.Name, $"{other.Name} and {members[0].Name} end with different weights: silent corruption",
                "", ExitCode.JobFailed);
            return;
        }

        WeightsSha256 = Convert.ToHexStringLower(first.WeightsSha256.Span);
        if (_stop is not null && _endStep < Until) End(OutcomeStopped, JobStatus.Finished, _stop);
        else if (HasTestData)
        {
            Become(JobStatus.Evaluating);
            _evaluateSince = _now;
            SendEvaluate();
        }
        else
        {
            End(OutcomeFinished, JobStatus.Finished, "");
        }
    }

    private void SendEvaluate()
    {
        if (_members.Select(Find).OfType<JobWorker>().FirstOrDefault() is not { } worker) return;
        _evaluator = worker.Id;
        _out.Send(worker, new Evaluate
        {
            LeaderToken = _description.Token.Value, Generation = _generation.Value, Step = _endStep.Value,
        });
    }

    private void OnEvaluated(JobWorker worker, Evaluated m)
    {
        if (Status != JobStatus.Evaluating || worker.Id != _evaluator || m.Step != _endStep.Value)
        {
            _out.Note($"ignored Evaluated of {worker}: it was not asked for state {m.Step}");
            return;
        }

        if (m.Error.Length > 0) _out.Note($"the evaluation failed on {worker}: {m.Error}", warning: true);
        var metrics = new SortedDictionary<string, double>(StringComparer.Ordinal);
        foreach (var name in m.Metrics.Keys.Order(StringComparer.Ordinal)) metrics.Add(name, m.Metrics[name]);
        Metrics = metrics;
        End(OutcomeFinished, JobStatus.Finished, "");
    }

    private void OnEndTimeout()
    {
        var clocks = _description.Clocks;
        if (Status == JobStatus.Ending)
        {
            MaybeEnd();
            if (Status == JobStatus.Ending && _now - _endSince!.Value > clocks.Save + clocks.AlignWithState)
                Fail("",
                    $"the checkpoint of the last step {_endStep} was not published within {(_now - _endSince.Value).TotalSeconds:0} s", "", ExitCode.JobFailed);
        }
        else if (Status == JobStatus.Evaluating && _now - _evaluateSince!.Value > clocks.Evaluate)
        {
            _out.Note($"the evaluation did not end within {clocks.Evaluate.TotalMinutes:0} min; the job ends without its metrics", warning: true);
            End(OutcomeFinished, JobStatus.Finished, "");
        }
        else if (_stop is not null && Status == JobStatus.Running
            && _now - _stopAskedAt > clocks.SoftFence + clocks.Fence + clocks.AlignWithState + clocks.Save)
        {
            _out.Note("the stop did not come to a saved state in time; the last checkpoint stays", warning: true);
            End(OutcomeStopped, JobStatus.Finished, _stop);
        }
    }

    private void Fail(string worker, string text, string detail, ExitCode code)
    {
        if (IsOver) return;
        // A failure that explains nothing by itself does not replace the first one that does.
        if (RootCause is null || code is not (ExitCode.JobFailed or ExitCode.Failed))
            RootCause = new RootCause
            { Worker = worker, Text = text, Detail = detail, ExitCode = (int)code, Secondary = [.. _secondary] };
        else if (RootCause.Text != text) RootCause = RootCause with { Secondary = [.. RootCause.Secondary, text] };
        _out.Note($"the job failed: {text}", warning: true);
        End(OutcomeFailed, JobStatus.Failed, text);
    }

    /// <summary>Durable before anyone is told; then everybody is let go.</summary>
    private void End(string outcome, JobStatus status, string text)
    {
        Become(status);
        Outcome = outcome;
        _out.Persist(new JobOver(_description.JobId, outcome, State, text, WeightsSha256, Metrics));
        var code = status == JobStatus.Failed ? ExitCode.JobFailed : ExitCode.Finished;
        _out.Tell(new JobEnded((int)code, text.Length > 0 ? $"{outcome}: {text}" : outcome, _description.IsOnlyJob));
        _out.End(outcome);
    }
}
