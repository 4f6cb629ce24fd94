using Convoy.Coordinator.Jobs;
using Convoy.Coordinator.Membership;
using Convoy.Shared.Ids;
using Convoy.Shared.Jobs;
using Convoy.Shared.Protocol;
using Convoy.Shared.Tensors;
using Convoy.Shared.Time;
using Convoy.Simulation.Tests.Scripting;
using Google.Protobuf;

namespace Convoy.Simulation.Tests.Jobs;

/// <summary>
/// Drives one job: 96 samples in steps of 24, workers w1, w2 ... of incarnation 1, 2 ...; H_t is t + 256 unless h= says
/// otherwise.
/// </summary>
internal sealed class JobMachine : IScriptMachine
{
    private readonly JobOutbox _outbox = new();
    private JobProtocol _protocol = null!;
    private Instant _now = new(1_000_000);
    private long _generation;

    public IEnumerable<string> Run(ScriptCommand c)
    {
        switch (c.Verb)
        {
            case "submit": Submit(c); break;
            case "admit": Each(c, w => Said(new WorkerAdmitted(w, Inc(w), w.ToString()))); break;
            case "ready": Each(c, w => Heard(w, Ready(c))); break;
            case "prepare-failed":
                Each(c,
                w => Heard(w, new PrepareFailed
                { JobId = "job-1", Text = c.Text("why"), ExitCode = (int)c.Number("code") })); break;
            case "generation": OnGeneration(c); break;
            case "report": Each(c, w => Heard(w, Report(c))); break;
            case "lost":
                Each(c,
                w => Said(new WorkerLost(w, w.ToString(), c.Text("why", "killed"),
                    true, !c.Words.Contains("drained")))); break;
            case "exited": Each(c, w => Feed(new ProcessEnded(w.ToString(), (int)c.Number("code", 137), ""))); break;
            case "reached":
                Each(c,
                w => Heard(w, new ReachedEnd
                {
                    Generation = _generation, Step = c.Number("t"),
                    WeightsSha256 = ByteString.CopyFrom((byte)c.Number("weights", 1))
                })); break;
            case "saved":
                Feed(new StateSaved(new StepNumber(c.Number("t")),
                new Fingerprint((ulong)c.Number("t") + 256), $"step-{c.Number("t")}")); break;
            case "save-failed": Feed(new SaveGivenUp(new StepNumber(c.Number("t")), c.Text("why", "disk-full"))); break;
            case "evaluated":
                Each(c,
                w => Heard(w, new Evaluated
                { Generation = _generation, Step = c.Number("t"), Metrics = { ["test_loss"] = 0.5 } })); break;
            case "stop": Feed(new StopAsked("asked")); break;
            case "advance":
                _now += c.TimeAt(0);
                _protocol.Tick(_now, _outbox);
                break;
            default: throw new FormatException($"no command '{c.Verb}'");
        }

        return [.. _outbox.Drain().Select(Text).OfType<string>()];
    }

    private void Submit(ScriptCommand c)
    {
        _protocol = new JobProtocol(new JobDescription
        {
            JobId = "job-1", Graph = [1], GraphSha256 = new byte[32], CheckpointRoot = "/state", WorkersExpected = 2,
            Job = new JobSpec
            { Batch = 24, Slices = 4, Steps = c.Number("steps", 8), Data = new DataSpec { Path = ["/data"] } },
        });
        _protocol.Begin([], _now, _outbox);
    }

    private static Incarnation Inc(WorkerId worker) => new((ulong)worker.Value);

    private static Ready Ready(ScriptCommand c) => new()
    {
        JobId = "job-1", Samples = c.Number("samples", 96), TestSamples = c.Number("test", 0),
        DataSha256 = ByteString.CopyFrom(new byte[32]), InitialFingerprint = (ulong)c.Number("h", 256), PrepareMs = 5,
    };

    private void OnGeneration(ScriptCommand c)
    {
        var members = c.NumbersAt(0);
        _generation = c.Number("g");
        var shares = new ShareMap(4, [.. members.Select(m => new WorkerId(m))],
            [.. Enumerable.Range(0, members.Count + 1).Select(i => 4 * i / members.Count)]);
        Said(new GenerationBegan(new Generation(_generation), shares, new StepNumber(c.Number("t")),
            new StepNumber(c.Number("until", 8)), c.Words.Contains("voluntary")));
        Said(new GenerationIsStable(new Generation(_generation), shares.Members));
    }

    private StepReport Report(ScriptCommand c)
    {
        var report = new StepReport { Generation = c.Number("g", _generation) };
        foreach (var t in c.Numbers("t"))
            report.Rows.Add(new StepRow
            {
                Step = t, LossSum = 24, Weight = 24, Samples = 24,
                Fingerprint = (ulong)c.Number("h", t + 256), TotalUs = 100_000
            });
        return report;
    }

    private static void Each(ScriptCommand c, Action<WorkerId> act)
    {
        foreach (var worker in c.NumbersAt(0)) act(new WorkerId(worker));
    }

    private void Heard(WorkerId worker, IMessage message) => Feed(new WorkerSaid(worker, Inc(worker), message));

    private void Said(MembershipNews news) => Feed(new MembershipSaid(news));

    private void Feed(JobInput input) => _protocol.Step(input, _now, _outbox);

    private static string? Text(JobEffect effect) => effect switch
    {
        PersistJob { Event: JobSubmitted e } => $"journal job {e.JobId} is submitted, from state {e.Start}",
        PersistJob { Event: CheckpointPublished e } => $"journal checkpoint of step {e.Step}: {e.Path}",
        PersistJob { Event: JobOver e } => $"journal job {e.Outcome} at step {e.Step}",
        TellWorker e => $"> {e.Worker} {e.Message.Descriptor.Name}",
        TellMembership { Input: JobStarted e } =>
            $"membership: job starts, until {e.Terms.Until}, {e.Terms.MembersExpected} expected",
        TellMembership { Input: JobEnded e } => $"membership: job ended with {e.ExitCode}: {e.Reason}",
        TellMembership { Input: WorkerPrepared e } => $"membership: {e.Worker} is prepared",
        TellMembership { Input: WorkerHangs e } => $"membership: {e.Worker} hangs: {e.Text}",
        TellMembership { Input: WorkerUnfit e } => $"membership: {e.Worker} is unfit: {e.Reason}",
        TellMembership e => $"membership: {e.Input.GetType().Name}",
        AppendRow e => $"row {e.Row.Step} by {e.Row.Workers} workers in g{e.Row.Generation}",
        JobNote e => e.Text,
        JobIsOver e => $"over: {e.Outcome}",
        _ => null,
    };
}

public sealed class JobScriptTests
{
    public static TheoryData<string> Names() => [.. ScriptRunner.Names("job")];

    [Theory]
    [MemberData(nameof(Names))]
    public void Script(string name) => ScriptRunner.Check(name, new JobMachine());
}
