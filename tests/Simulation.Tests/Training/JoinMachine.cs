using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Simulation.Tests.Scripting;
using Convoy.Worker.Training;

namespace Convoy.Simulation.Tests.Training;

/// <summary>
/// A joiner (w3) and a member (w1) as pure machines: what the coordinator says is a command, what they ask of each
/// other is delivered at once, and the transfer ends as the script says.
/// </summary>
internal sealed class JoinMachine : IScriptMachine
{
    private readonly List<string> _trace = [];
    private readonly SortedDictionary<int, StepProtocol> _seats = [];
    private readonly StepOutbox _outbox = new();
    private Open _open = new();

    public IEnumerable<string> Run(ScriptCommand c)
    {
        _trace.Clear();
        switch (c.Verb)
        {
            case "prepare": Each(c, OnPrepare); break;
            case "open": OnOpen(c); break;
            case "linked": Each(c, w => Feed(w, new PeersLinked(_seats[w].Generation))); break;
            case "ready":
                Each(c,
                w => Feed(w, new StateReady(_seats[w].Generation, new StepNumber(c.Number("t")), H(c),
                    c.Words.Contains("retains")))); break;
            case "failed": Each(c, w => Feed(w, new StateFailed(_seats[w].Generation, c.Text("why")))); break;
            case "ask":
                Feed((int)c.Number("of"),
                new NeedState { Generation = c.Number("g"), Step = c.Number("t"), From = c.NumbersAt(0)[0] }); break;
            case "fence":
                Each(c,
                w => Feed(w, new Fence { LeaderToken = 1, Generation = c.Number("g"), Kind = FenceKind.Hard })); break;
            case "evict":
                Each(c,
                w => Feed(w, new Evict
                { LeaderToken = 1, Generation = c.Number("g"), Reason = "let go", MayRejoin = true })); break;
            case "stopped": Each(c, w => Feed(w, new ExchangeStopped(_seats[w].Generation))); break;
            case "computed": Each(c, w => Feed(w, new StepComputed(_seats[w].Generation, _seats[w].State.Next))); break;
            default: throw new FormatException($"unknown command {c}");
        }

        return [.. _trace];
    }

    private static Fingerprint H(ScriptCommand c) => new((ulong)c.Number("h", c.Number("t") + 256));

    private void OnPrepare(int worker)
    {
        _seats[worker] = new StepProtocol(new WorkerId(worker), new Incarnation((ulong)worker));
        Feed(worker, new Assign { LeaderToken = 1, JobId = "j" });
        Feed(worker, new JobPrepared(new Ready { JobId = "j", Samples = 100 }));
    }

    /// <summary>Words are worker:action, or worker:action:source.</summary>
    private void OnOpen(ScriptCommand c)
    {
        _open = new Open
        {
            LeaderToken = 1, Generation = c.Number("g"), JobId = "j", StartStep = c.Number("t"), UntilStep = 50,
            StartFingerprint = (ulong)c.Number("t") + 256,
        };
        _open.Cuts.Add(0);
        foreach (var parts in c.Words.Select(w => w.Split(':')))
        {
            var id = int.Parse(parts[0], System.Globalization.CultureInfo.InvariantCulture);
            _open.Members.Add(new Member
            {
                WorkerId = id, Incarnation = (ulong)id, PeerAddress = $"w{id}:7000",
                Action = Enum.Parse<AlignAction>(parts[1], ignoreCase: true),
                Source = parts.Length > 2 ? int.Parse(parts[2], System.Globalization.CultureInfo.InvariantCulture) : 0,
            });
            _open.Cuts.Add(_open.Cuts[^1] + 4);
        }

        foreach (var worker in _seats.Keys) Feed(worker, _open.Clone());
    }

    private void Feed(int worker, object message)
    {
        var seat = _seats[worker];
        var before = seat.Status;
        seat.Step(message, _outbox);
        var outputs = _outbox.Outputs.ToArray();
        _outbox.Clear();
        if (seat.Status != before) _trace.Add($"w{worker} {before} > {seat.Status}");
        foreach (var output in outputs)
            if (Text(output) is { } text) _trace.Add($"w{worker} {text}");
    }

    private static string? Text(StepOutput output) => output switch
    {
        TellCoordinator { Message: Aligned m } => $"> coordinator Aligned g{m.Generation} t={m.Step}",
        TellCoordinator { Message: Fenced m } => $"> coordinator Fenced g{m.Generation} t={m.Step}",
        TellCoordinator { Message: AlignFailed m } => $"> coordinator AlignFailed g{m.Generation}: {m.Text}",
        TellCoordinator m => $"> coordinator {m.Message.Descriptor.Name}",
        EnterGeneration m => $"links to {string.Join(", ", m.Members.Select(x => $"w{x.WorkerId}"))} in {m.Generation}",
        AlignState m =>
            $"device: {m.Action}{(m.Source.Value > 0 ? $" from {m.Source}" : "")} to reach state {m.Target}",
        CancelAlign m => $"gives the transfer of {m.Generation} up",
        ServeState m => $"sends {m.To} the state of step {m.Step}",
        DeclineState m => $"declines: {m.To} asked for step {m.Step}",
        RunStep m => $"device: compute step {m.Step}",
        SayHello => "says Hello again",
        Note m => m.Text,
        _ => null,
    };

    private void Each(ScriptCommand c, Action<int> what)
    {
        foreach (var id in c.NumbersAt(0)) what(id);
    }
}

public sealed class JoinScriptTests
{
    public static TheoryData<string> Scripts() => [.. ScriptRunner.Names("join")];

    [Theory]
    [MemberData(nameof(Scripts))]
    public void Script_leaves_its_trace(string name) => ScriptRunner.Check(name, new JoinMachine());
}
