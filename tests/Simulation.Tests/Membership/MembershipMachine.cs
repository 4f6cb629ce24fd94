using Convoy.Coordinator.Membership;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;
using Convoy.Simulation.Tests.Scripting;
using Google.Protobuf;

namespace Convoy.Simulation.Tests.Membership;

/// <summary>
/// Drives the real protocol from a script. Living workers beat by themselves while time advances; everything else that
/// a worker says is a command, so that a script shows each message. Fingerprint of state t is t + 256 unless h= says
/// otherwise; a worker's incarnation is 10 x its number plus the count of its restarts.
/// </summary>
internal sealed class MembershipMachine : IScriptMachine
{
    private const int BeatMs = 250;
    private const int TickMs = 50;

    private readonly MembershipOutbox _outbox = new();
    private readonly List<ModelWorker> _workers = [];
    private MembershipProtocol _protocol = new(new LeaderToken(1), new MembershipHistory(), new ClockTable());
    private Instant _now = new(1_000_000);

    private sealed class ModelWorker(int number)
    {
        public int Number { get; } = number;
        public int Restarts { get; set; }
        public bool Alive { get; set; } = true;
        public bool Silent { get; set; }
        public bool InGeneration { get; set; }
        public long Step { get; set; }
        public int KernelMs { get; set; } = 20;
        public int Waits { get; set; }
        public Incarnation Incarnation => new((ulong)((10 * Number) + Restarts));
    }

    public IEnumerable<string> Run(ScriptCommand command)
    {
        switch (command.Verb)
        {
            case "announce": Feed(new JobAnnounced(command.Text("id"))); break;
            case "job": OnJob(command); break;
            case "cluster": OnCluster(command); break;
            case "restart-coordinator": OnRestart(command); break;
            case "take-over": OnTakeOver(command); break;
            case "hello": Each(command, w => OnHello(w, command)); break;
            case "prepared": Each(command, Prepare); break;
            case "kill": Each(command, OnKill); break;
            case "exit": Each(command, w => OnExit(w, command)); break;
            case "silence": Each(command, w => w.Silent = true); break;
            case "left-behind": Each(command, w => w.InGeneration = !command.Words.Contains("heard")); break;
            case "speak": Each(command, w => w.Silent = false); break;
            case "step": Each(command, w => OnStep(w, command)); break;
            case "suspect": Each(command, w => OnSuspect(w, command)); break;
            case "fenced": Each(command, w => OnFenced(w, command)); break;
            case "aligned": Each(command, w => OnAligned(w, command)); break;
            case "align-failed":
                Each(command,
                w => Say(w, new AlignFailed { Generation = command.Number("g", Open()), Text = "no source" })); break;
            case "level": Each(command, w => OnLearns(w, LearnerPhase.Level, command)); break;
            case "loading": Each(command, w => OnLearns(w, LearnerPhase.Loading, command)); break;
            case "too-slow": Each(command, w => OnLearns(w, LearnerPhase.TooSlow, command)); break;
            case "broken": Each(command, w => OnLearns(w, LearnerPhase.Broken, command)); break;
            case "drain": Each(command, w => Say(w, new Drain { GraceMs = 10_000 })); break;
            case "stale": Each(command, w => Say(w, new Stale { TokenSeen = command.Number("token") })); break;
            case "scale": Feed(new ScaleTo(command.NumbersAt(0)[0])); break;
            case "stop": Feed(new StopJob("asked")); break;
            case "checkpoint": OnCheckpoint(command); break;
            case "end": Feed(new JobEnded(0, "finished", NoMore: command.Words.Contains("last"))); break;
            case "advance": Advance(command.TimeAt(0)); break;
            case "skip": _now += command.TimeAt(0); _protocol.Tick(_now, _outbox); break;
            default: throw new FormatException($"no command '{command.Verb}'");
        }

        NoteFence();
        return MembershipTrace.Of(_outbox.Drain()).ToList();
    }

    private void OnJob(ScriptCommand c) => Feed(new JobStarted(new JobTerms
    {
        JobId = c.Text("id", "job-1"), Slices = (int)c.Number("slices", 8), MembersMin = (int)c.Number("min", 1),
        MembersMax = (int)c.Number("max", 8), MembersExpected = (int)c.Number("expected", 0),
        Until = new StepNumber(c.Number("until", 100)),
        Commit = c.Words.Contains("unanimous") ? CommitPlan.Unanimous : CommitPlan.Local,
        Clocks = new ClockTable().With(BeatMs, deadMs: 1_000, (int)c.Number("stall-ms", 0)),
    }));

    /// <summary>Workers 1..n train at state t; how they got there is not traced.</summary>
    private void OnCluster(ScriptCommand c)
    {
        var all = $"1..{c.Number("workers")}";
        OnJob(c);
        foreach (var line in new[] { $"hello {all}", "advance 300ms", $"aligned {all} t=0",
            $"step {all} t={c.Number("t", 0)}" })
            _ = Run(new ScriptCommand(line));
    }

    private void OnRestart(ScriptCommand c)
    {
        var history = new MembershipHistory();
        foreach (var w in _workers) history.Apply(new WorkerRegistered(new WorkerId(w.Number), $"worker-{w.Number}"));
        history.Apply(new FencingStarted(new Generation(c.Number("generation")), FenceKind.Hard, [], ""));
        _protocol = new MembershipProtocol(new LeaderToken(2), history, new ClockTable());
    }

    /// <summary>The journal has generation g of these members from state t, and perhaps a fence after it.</summary>
    private void OnTakeOver(ScriptCommand c)
    {
        var history = new MembershipHistory();
        var members = c.NumbersAt(0).Select(n => new WorkerId(n)).ToList();
        foreach (var w in members) history.Apply(new WorkerRegistered(w, $"worker-{w.Value}"));
        var generation = new Generation(c.Number("g"));
        var cuts = Enumerable.Range(0, members.Count + 1).Select(i => 8 * i / members.Count).ToList();
        history.Apply(new GenerationOpened(generation, "job-1", members, cuts, new StepNumber(c.Number("t")),
            new StepNumber(100), ""));
        if (c.Words.Contains("fencing")) history.Apply(new FencingStarted(generation.Next, FenceKind.Hard, [], ""));
        var terms = c.Words.Contains("over") ? null : new JobTerms
        {
            JobId = "job-1", Slices = 8, MembersMin = (int)c.Number("min", 1), Until = new StepNumber(100),
        };
        _protocol = new MembershipProtocol(new LeaderToken(2), history, new ClockTable(), null, new FoundJob
        {
            JobId = "job-1", Terms = terms, Ended = terms is null ? new JobEnded(0, "finished") : null,
        });
    }

    private void OnHello(ModelWorker w, ScriptCommand c)
    {
        if (c.Has("new")) w.Restarts++;
        (w.Alive, w.Silent) = (true, false);
        Feed(new HelloReceived(new Hello
        {
            WorkerName = $"worker-{w.Number}", Incarnation = w.Incarnation.Value, Host = "host", Pid = 100 + w.Number,
            PeerAddress = $"10.0.0.{w.Number}:7000", StateStep = c.Number("step", -1),
            JobId = c.Has("step") ? "job-1" : "",
            InGeneration = w.InGeneration || c.Has("in"), Generation = c.Number("in", 0),
            GenerationSeen = c.Number("seen", c.Number("in", 0)), Aligned = c.Words.Contains("trains"),
            StateFingerprint = c.Has("step") ? (ulong)c.Number("step") + 256 : 0,
        }));
        if (!c.Words.Contains("unprepared")) Prepare(w);
    }

    private void Prepare(ModelWorker w) => Feed(new WorkerPrepared(new WorkerId(w.Number), w.Incarnation));

    private void OnKill(ModelWorker w)
    {
        w.Alive = false;
        Feed(new LinkLost(w.Incarnation, "connection closed", Final: false));
    }

    private void OnExit(ModelWorker w, ScriptCommand c)
    {
        w.Alive = false;
        Feed(new ProcessExited($"worker-{w.Number}", (int)c.Number("code", 137)));
    }

    private void OnStep(ModelWorker w, ScriptCommand c)
    {
        (w.Step, w.Waits) = (c.Number("t"), (int)c.Number("waits", 0));
        w.KernelMs = (int)c.Number("kernel", w.KernelMs);
        Beat(w);
    }

    private void OnSuspect(ModelWorker w, ScriptCommand c)
    {
        var about = Find((int)c.Number("about"));
        Say(w, new Suspect
        {
            Generation = c.Number("g", Open()), About = about.Number, AboutIncarnation = about.Incarnation.Value,
            Evidence = SuspectEvidence.Reset,
        });
    }

    private void OnFenced(ModelWorker w, ScriptCommand c) => Say(w, new Fenced
    {
        Generation = c.Number("g", _fence), Incarnation = w.Incarnation.Value, Step = c.Number("t"),
        Fingerprint = c.Has("h") ? (ulong)c.Number("h") : (ulong)c.Number("t") + 256,
        HoldsNext = c.Words.Contains("holds"), RetainsCurrent = c.Words.Contains("retains"),
    });

    private void OnLearns(ModelWorker w, LearnerPhase phase, ScriptCommand c) => Say(w, new LearnerReport
    {
        Generation = c.Number("g", Open()), Phase = phase, Step = c.Number("t", -1), Lag = c.Number("lag", 0),
        BytesLeft = c.Number("left", 0), NeededBytesPerSecond = c.Number("needs", 0), Text = c.Text("text", ""),
    });

    private void OnAligned(ModelWorker w, ScriptCommand c)
    {
        w.Step = c.Number("t");
        Say(w, new Aligned
        {
            Generation = c.Number("g", Open()), Step = w.Step,
            Fingerprint = c.Has("h") ? (ulong)c.Number("h") : (ulong)w.Step + 256,
        });
    }

    private void OnCheckpoint(ScriptCommand c) => Feed(new CheckpointKnown(
        new StateOrigin(new StepNumber(c.Number("t")), new Fingerprint((ulong)c.Number("t") + 256),
            $"step-{c.Number("t")}")));

    private void Advance(TimeSpan time)
    {
        var end = _now + time;
        while (_now < end)
        {
            _now += TimeSpan.FromMilliseconds(TickMs);
            if (_now.Microseconds / 1000 % BeatMs == 0)
                foreach (var w in _workers.Where(w => w.Alive && !w.Silent)) Beat(w);
            _protocol.Tick(_now, _outbox);
        }
    }

    private void Beat(ModelWorker w)
    {
        if (_protocol.Workers.All(r => r.Incarnation != w.Incarnation)) return;
        var beat = new Beat
        {
            Incarnation = w.Incarnation.Value, Generation = Open(), Step = w.Step, Phase = "Reduce",
            KernelMsMax = w.KernelMs,
            InGeneration = w.InGeneration, OperationMs = w.Waits > 0 ? 400 : 0,
        };
        if (w.Waits > 0) beat.WaitsOn.Add(w.Waits);
        Say(w, beat);
    }

    private long _fence;

    private long Open() => _protocol.Generation.Value;

    private void Say(ModelWorker w, IMessage message) =>
        Feed(new FromWorker(new WorkerId(w.Number), w.Incarnation, message));

    private void Feed(MembershipInput input)
    {
        _protocol.Step(input, _now, _outbox);
        NoteFence();
    }

    private void NoteFence()
    {
        foreach (var effect in _outbox.Effects)
            if (effect is Persist { Event: FencingStarted f }) _fence = f.Generation.Value;
    }

    private void Each(ScriptCommand command, Action<ModelWorker> action)
    {
        NoteFence();
        foreach (var number in command.NumbersAt(0)) action(Find(number));
    }

    private ModelWorker Find(int number)
    {
        if (_workers.Find(w => w.Number == number) is { } known) return known;
        _workers.Add(new ModelWorker(number));
        return _workers[^1];
    }
}
