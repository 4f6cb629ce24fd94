using Convoy.Coordinator.Membership;
using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Jobs;
using Convoy.Shared.Protocol;
using Convoy.Shared.Random;
using Google.Protobuf;

namespace Convoy.Coordinator.Jobs;

// Assign to every worker, Ready from it, and the comparison that lets it train.
internal sealed partial class JobProtocol
{
    private string _reference = ""; // name of the first worker that was ready
    private Ready? _agreed;
    private StepPlan? _plan;

    /// <summary>Samples, steps of an epoch and of the job are known with the first Ready.</summary>
    public long StepsTotal { get; private set; }
    public long StepsPerEpoch => _plan?.StepsPerEpoch ?? 0;
    public StepNumber Until { get; private set; }
    public bool HasTestData => _agreed is { TestSamples: > 0 };
    /// <summary>What computes, as the first worker said it.</summary>
    public string Kernels => _agreed?.Kernels ?? "";

    public string DataSha256 => _agreed is null ? "" : Convert.ToHexStringLower(_agreed.DataSha256.Span);

    private void OnWorkerAdmitted(WorkerAdmitted m)
    {
        var place = PlaceOf(m.Worker);
        if (Find(m.Worker) is not null) _workers.RemoveAt(place);
        var worker = new JobWorker(m.Worker, m.Incarnation, m.Name) { AssignedAt = _now };
        _workers.Insert(place, worker);
        _out.Send(worker, new Assign
        {
            LeaderToken = _description.Token.Value, JobId = _description.JobId,
            JobJson = ByteString.CopyFrom(JobJson.Write(Job)), Graph = ByteString.CopyFrom(_description.Graph),
            GraphSha256 = ByteString.CopyFrom(_description.GraphSha256), CheckpointRoot = _description.CheckpointRoot,
            LastRow = _ledger.Last.Value,
        });
        if (_profiling) SendProfile(worker);
    }

    private void OnReady(JobWorker worker, Ready m)
    {
        if (m.JobId != _description.JobId || worker.Ready is not null)
        {
            _out.Note(
                $"ignored Ready of {worker}: {(worker.Ready is null ? "another job" : "it has answered already")}");
            return;
        }

        worker.Ready = m;
        if (_agreed is null && !Agree(worker, m)) return;
        if (Differences(m) is { } differences)
        {
            var text = $"{worker.Name} and {_reference} do not prepare the same job: {differences}";
            if (Status == JobStatus.Preparing) Fail(worker.Name, text, "", ExitCode.BadData);
            else Dismiss(worker, ExitCode.BadData, text);
            return;
        }

        _out.Note($"{worker} is ready: {m.Samples} samples, prepared in {m.PrepareMs} ms");
        _out.Tell(new WorkerPrepared(worker.Id, worker.Incarnation));
    }

    /// <summary>The first Ready says what the job is in numbers; membership may form generations from now on.</summary>
    private bool Agree(JobWorker worker, Ready m)
    {
        if (m.Samples < 1)
        {
            Fail(worker.Name, "the training data has no sample", "", ExitCode.BadData);
            return false;
        }

        var data = Convert.ToHexStringLower(m.DataSha256.Span);
        if (_description.DataSha256.Length > 0 && _description.DataSha256 != data)
        {
            Fail(worker.Name, $"the data is not what the checkpoint was trained on (SHA-256 {Short(m.DataSha256)}, "
                + $"then {_description.DataSha256[..12]}): resume with the same files", "", ExitCode.BadCheckpoint);
            return false;
        }

        _out.Persist(new JobAgreed(_description.JobId, worker.Name, m.Samples, m.TestSamples, data,
            new Fingerprint(m.InitialFingerprint)));
        AgreeOn(worker.Name, m);
        _out.Tell(new JobStarted(TermsOf(_description, Until)));
        return true;
    }

    private void AgreeOn(string worker, Ready m)
    {
        (_reference, _agreed) = (worker, m);
        _plan = new StepPlan(m.Samples, Job.Batch, Job.Slices);
        StepsTotal = _plan.TotalSteps(Job);
        Until = UntilOf(_description, m.Samples);
    }

    private static StepNumber UntilOf(JobDescription description, long samples)
    {
        var total = new StepPlan(samples, description.Job.Batch, description.Job.Slices).TotalSteps(description.Job);
        return new StepNumber(Math.Min(description.UntilStep ?? total, total));
    }

    private static JobTerms TermsOf(JobDescription description, StepNumber until)
    {
        var job = description.Job;
        return new JobTerms
        {
            JobId = description.JobId, Slices = job.Slices,
            MembersMin = job.Parallel.Data > 0 ? job.Parallel.Data : job.Elastic.Min,
            MembersMax = job.Parallel.Data > 0 ? job.Parallel.Data : job.Elastic.Max,
            MembersExpected = description.WorkersExpected, Until = until, Origin = description.Origin,
            Commit = job.Sync.Commit == "unanimous" ? CommitPlan.Unanimous : CommitPlan.Local,
            Clocks = description.Clocks,
        };
    }

    /// <summary>What does not match the first worker's answer, value by value (R20); null: all equal.</summary>
    private string? Differences(Ready m)
    {
        var agreed = _agreed!;
        var differences = new List<string>();
        if (m.Samples != agreed.Samples) differences.Add($"{m.Samples} samples against {agreed.Samples}");
        if (m.TestSamples != agreed.TestSamples)
            differences.Add($"{m.TestSamples} test samples against {agreed.TestSamples}");
        if (!m.DataSha256.Equals(agreed.DataSha256))
            differences.Add($"data SHA-256 {Short(m.DataSha256)} against {Short(agreed.DataSha256)}");
        if (m.InitialFingerprint != agreed.InitialFingerprint)
        {
            differences.Add(
                $"H_0 {new Fingerprint(m.InitialFingerprint)} against {new Fingerprint(agreed.InitialFingerprint)} "
                + (m.Kernels == agreed.Kernels ? "(seed, graph or slices)"
                    : $"(computed by {m.Kernels} against {agreed.Kernels})"));
        }

        return differences.Count == 0 ? null : string.Join("; ", differences);
    }

    private static string Short(ByteString hash) => hash.Length < 6 ? "none" : Convert.ToHexStringLower(hash.Span[..6]);

    /// <summary>Before the first generation every worker was asked for: one that cannot prepare ends the job.</summary>
    private void OnPrepareFailed(JobWorker worker, PrepareFailed m)
    {
        if (m.JobId != _description.JobId) return;
        var code = Enum.IsDefined((ExitCode)m.ExitCode) && m.ExitCode != 0 ? (ExitCode)m.ExitCode : ExitCode.Failed;
        if (Status == JobStatus.Preparing) Fail(worker.Name, m.Text, "", code);
        else Dismiss(worker, code, m.Text);
    }

    private void Dismiss(JobWorker worker, ExitCode code, string text)
    {
        if (worker.Unfit) return;
        worker.Unfit = true;
        _out.Note($"{worker} cannot take part: {text}", warning: true);
        _out.Tell(new WorkerUnfit(worker.Id, worker.Incarnation, (int)code, text));
    }

    private void OnPrepareTimeout()
    {
        foreach (var worker in _workers)
        {
            if (worker.Ready is not null || worker.Unfit || worker.AssignedAt is not { } at) continue;
            if (_now - at <= _description.Clocks.Prepare) continue;
            Dismiss(worker, ExitCode.Failed,
                $"it did not prepare data and graph within {_description.Clocks.Prepare.TotalSeconds:0} s");
        }
    }
}
