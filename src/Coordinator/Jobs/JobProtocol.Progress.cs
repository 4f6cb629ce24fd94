using Convoy.Coordinator.Api;
using Convoy.Coordinator.Membership;
using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;

namespace Convoy.Coordinator.Jobs;

// Rows of steps, checkpoints, failures, and the line that names whom a late step waits for.
internal sealed partial class JobProtocol
{
    /// <summary>
    /// Failures without one new step between them that a job survives (JB-4); losses of one generation are one.
    /// </summary>
    private const int FailuresWithoutProgressMax = 8;

    /// <summary>
    /// A step this many times slower than the slowest so far is late; ten times: its culprit is let go.
    /// </summary>
    private const int OverdueFactor = 4;
    private const int NamedMax = 8;
    private const int HangFactor = 10;

    /// <summary>The first step also pays for everything that is prepared lazily.</summary>
    private static readonly TimeSpan FirstStepDeadline = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan HangDeadlineMin = TimeSpan.FromSeconds(10);

    private readonly SpeedMeter _speed = new();
    private readonly List<string> _secondary = [];
    private List<WorkerId> _members = [];
    private Generation? _firstGeneration;
    private Generation _generation;
    private StepNumber _generationUntil;
    private StepNumber? _start; // of the generation; null: it was adopted
    private Instant _progressAt;
    private TimeSpan _slowestStep;
    private Instant? _overdueToldAt;
    private bool _stable;
    private int _failuresWithoutProgress;
    private Generation? _failureIn; // the generation whose first loss was counted

    /// <summary>Newest state that is known to be committed.</summary>
    public StepNumber State { get; private set; }
    public StepView? LastRow { get; private set; }
    public double? FinalLoss => LastRow?.Loss;
    public double? SamplesPerSecond => _speed.SamplesPerSecond;
    public double? SyncShare => _speed.SyncShare;
    public double? SaveShare => _speed.SaveShare;
    public double? EtaSeconds => _speed.SecondsPerStep * Math.Max(0, Until.Value - State.Value);
    public int Failures { get; private set; }
    public int ScaleEvents { get; private set; }
    public long Generations { get; private set; }
    public double? StartupSeconds { get; private set; }
    public StateOrigin? Checkpoint { get; private set; }
    public RootCause? RootCause { get; private set; }
    /// <summary>Who holds up a late step, in one line; null: no step is late.</summary>
    public string? Overdue { get; private set; }

    private void OnProgress()
    {
        (_progressAt, _overdueToldAt, Overdue) = (_now, null, null);
        // The job got over what happened before: it is no cause of what may happen next.
        if (_failuresWithoutProgress == 0 && RootCause is null) return;
        (_failuresWithoutProgress, _failureIn) = (0, null);
        RootCause = null;
        _secondary.Clear();
    }

    private void OnGenerationBegan(GenerationBegan m)
    {
        (_generation, _generationUntil, _stable, _recovering) = (m.Generation, m.Until, false, false);
        _firstGeneration ??= m.Generation;
        _start = m.Start;
        _members = [.. m.Shares.Members];
        Generations++;
        if (m.Voluntary) ScaleEvents++;
        foreach (var worker in _workers) worker.End = null;
        State = m.Start;
        _progressAt = _now;
        if (Status == JobStatus.Preparing) Become(JobStatus.Running);
        if (Status == JobStatus.Ending && m.Start < m.Until) Become(JobStatus.Running);
    }

    private void OnGenerationIsStable(GenerationIsStable m)
    {
        (_stable, _progressAt, _recovering) = (true, _now, false);
        if (_start is { } start && _ledger.Last < start) AwaitRows(start);
        if (Status == JobStatus.Evaluating) SendEvaluate();
    }

    private void OnStateSaved(StateSaved m)
    {
        Checkpoint = new StateOrigin(m.Step, m.Fingerprint, m.Path);
        _out.Persist(new CheckpointPublished(_description.JobId, m.Step, m.Fingerprint, m.Path));
        _out.Note($"checkpoint of step {m.Step} is published: {m.Path}");
        _out.Tell(new CheckpointKnown(Checkpoint));
        MaybeEnd();
    }

    private void OnSaveGivenUp(SaveGivenUp m)
    {
        _out.Note(m.Text, warning: true);
        if (Status == JobStatus.Ending && m.Step == _endStep && !IsPublished(_endStep))
            Fail("", $"the final checkpoint failed: {m.Text}", "", ExitCode.JobFailed);
    }

    private void OnSaveSettles(SaveSettles m)
    {
        // Nobody waits for saves of an older generation.
        if (m.Generation != _generation && m.Only is null) return;
        var settled = new SaveSettled
        {
            LeaderToken = _description.Token.Value, Generation = m.Generation.Value, Step = m.Step.Value,
        };
        if (m.Only is { } only)
        {
            if (Find(only) is { } worker) _out.Send(worker, settled);
            return;
        }

        foreach (var member in _members)
            if (Find(member) is { } worker) _out.Send(worker, settled);
    }

    private void OnWorkerLost(WorkerLost m)
    {
        var worker = Find(m.Worker);
        _workers.RemoveAll(w => w.Id == m.Worker);
        if (!m.Charged) return;
        Failures++;
        Blame(m.Name, m.Evidence, "", ExitCode.JobFailed);
        if (m.WasMember) CountMemberFailure();
        else if (Status == JobStatus.Preparing && worker is not null)
            CountFailure(Math.Max(FailuresWithoutProgressMax, _description.WorkersExpected));
    }

    /// <summary>Members that are lost together are one failure: a rack of ten may go without ending the job.</summary>
    private void CountMemberFailure()
    {
        if (_failureIn == _generation) return;
        _failureIn = _generation;
        CountFailure(FailuresWithoutProgressMax);
    }

    private void CountFailure(int most)
    {
        _failuresWithoutProgress++;
        if (_failuresWithoutProgress <= most) return;
        Fail("", $"{_failuresWithoutProgress} failures without one new step between them", "", ExitCode.JobFailed);
    }

    private void OnWorkerFailed(JobWorker worker, WorkerFailed m)
    {
        var code = (ExitCode)m.ExitCode;
        Blame(worker.Name, m.Text, m.Detail, code);
        // Wrong input does not get better by a restart.
        if (code is ExitCode.BadJob or ExitCode.BadData or ExitCode.BadCheckpoint)
            Fail(worker.Name, m.Text, m.Detail, code);
    }

    private void OnProcessEnded(ProcessEnded m)
    {
        if (m.ExitCode is (int)ExitCode.Finished or (int)ExitCode.Drained or (int)ExitCode.DrainedByCheckpoint) return;
        var signal = m.ExitCode > 128 ? $" (signal {m.ExitCode - 128})" : "";
        Blame(m.WorkerName, $"its process ended with code {m.ExitCode}{signal}", m.LastLines, ExitCode.JobFailed);
    }

    /// <summary>
    /// The first failure is the root cause; the process's last lines are added when they come later (R3).
    /// </summary>
    private void Blame(string worker, string text, string detail, ExitCode code)
    {
        if (RootCause is null)
        {
            RootCause = new RootCause { Worker = worker, Text = text, Detail = detail, ExitCode = (int)code };
            _out.Note($"first failure: {worker}: {text}", warning: true);
            return;
        }

        if (RootCause.Worker == worker && RootCause.Detail.Length == 0 && detail.Length > 0)
            RootCause = RootCause with { Detail = detail };
        else if (RootCause.Worker != worker && _secondary.Count < 16) _secondary.Add($"{worker}: {text}");
        RootCause = RootCause with { Secondary = [.. _secondary] };
    }

    /// <summary>
    /// R1: within the deadline one line says which worker, where, which step and operation, and who waits for it: in
    /// the status, here, and in the log of every member.
    /// </summary>
    private void OnStepOverdue()
    {
        if (Status != JobStatus.Running || !_stable || State >= _generationUntil) return;
        // Reports are batched: a beat that shows a newer step is progress too.
        var newest = NewestBeat();
        if (newest > State.Value)
        {
            State = new StepNumber(newest);
            OnProgress();
        }

        var late = _now - _progressAt;
        var bound = _slowestStep == TimeSpan.Zero
            ? FirstStepDeadline : Longest(_description.Clocks.StepOverdue, OverdueFactor * _slowestStep);
        if (late <= bound) return;
        var members = _members.Select(Find).OfType<JobWorker>().ToList();
        var culprits = Culprits(members);
        if (_overdueToldAt is null || _now - _overdueToldAt.Value >= TimeSpan.FromSeconds(5))
        {
            _overdueToldAt = _now;
            Overdue = $"step {State.Value + 1} is late by {late.TotalSeconds:0.0} s: {Describe(culprits, members)}";
            _out.Note(Overdue, warning: true);
            foreach (var member in members)
                _out.Send(member, new StepLate
                {
                    LeaderToken = _description.Token.Value, JobId = _description.JobId, Text = Overdue,
                });
        }

        if (late <= Longest(HangDeadlineMin, HangFactor * _slowestStep) + bound || culprits.Count == members.Count
            && members.Count > 1) return;
        // Who waits for room for a save waits for this coordinator or the disk, and not for ever (CP-5).
        culprits.RemoveAll(w => w.LastBeat.AwaitsRoom);
        if (culprits.Count == 0) return;
        foreach (var worker in culprits)
            _out.Tell(new WorkerHangs(worker.Id, worker.Incarnation,
                $"it hangs in {worker.LastBeat.Phase} {worker.LastBeat.Operation}".TrimEnd()));
        _progressAt = _now;
    }

    /// <summary>Members and workers are both sorted: they are walked side by side.</summary>
    private long NewestBeat()
    {
        var (newest, at) = (0L, 0);
        foreach (var member in _members)
        {
            while (at < _workers.Count && _workers[at].Id.CompareTo(member) < 0) at++;
            if (at == _workers.Count) break;
            if (_workers[at].Id == member && _workers[at].LastBeat is var beat && beat.Generation == _generation.Value
                && beat.Step > newest) newest = beat.Step;
        }

        return newest;
    }

    private static TimeSpan Longest(TimeSpan a, TimeSpan b) => a > b ? a : b;

    /// <summary>
    /// Members that others wait for and that wait for nobody; all of them when the beats do not tell.
    /// </summary>
    private static List<JobWorker> Culprits(List<JobWorker> members)
    {
        var awaited = members.FindAll(w =>
            w.LastBeat.WaitsOn.Count == 0 && members.Exists(o => o.LastBeat.WaitsOn.Contains(w.Id.Value)));
        return awaited.Count > 0 ? awaited : members.FindAll(w => w.LastBeat.WaitsOn.Count == 0) is { Count: > 0 } idle
            ? idle : members;
    }

    private static string Describe(List<JobWorker> culprits, List<JobWorker> members) =>
        Listed("; ", culprits.ConvertAll(w =>
        {
            var waiting = members.Where(o => o.LastBeat.WaitsOn.Contains(w.Id.Value)).Select(o => o.Name).ToList();
            var by = waiting.Count == 0 ? "" : $", {Listed(", ", waiting)} wait for it";
            return $"{w} is at step {w.LastBeat.Step + 1} in {w.LastBeat.Phase} {w.LastBeat.Operation}".TrimEnd()
                + $" for {w.LastBeat.OperationMs} ms{by}";
        }));

    /// <summary>The line stays one that can be read with a thousand members.</summary>
    private static string Listed(string separator, List<string> items) =>
        items.Count <= NamedMax ? string.Join(separator, items)
            : $"{string.Join(separator, items.Take(NamedMax))}{separator}{items.Count - NamedMax} more";
}
