using Convoy.Shared.Protocol;
using Convoy.Shared.Time;
using Convoy.Simulation.Tests.Scripting;
using Convoy.Worker.Node;

namespace Convoy.Simulation.Tests.Worker;

/// <summary>Drives the node of one worker process. Beats are counted, everything else is shown.</summary>
internal sealed class NodeMachine : IScriptMachine
{
    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(50);

    private readonly List<NodeOutput> _outputs = [];
    private readonly NodeProtocol _protocol = new(
        "c:7400", TimeSpan.FromMilliseconds(250), TimeSpan.FromSeconds(10), TimeSpan.FromMinutes(10),
        TimeSpan.FromSeconds(60), new Instant(1_000_000));
    private Instant _now = new(1_000_000);
    private bool _hasTrainer;

    public IEnumerable<string> Run(ScriptCommand c)
    {
        switch (c.Verb)
        {
            case "up": Feed(new CoordinatorUp()); break;
            case "down": Feed(new CoordinatorDown(c.Text("why", "connection-reset"))); break;
            case "unfit": Feed(new CoordinatorUnfit([c.Text("why")])); break;
            case "welcome": Feed(new Welcome { WorkerId = (int)c.Number("id", 1), LeaderToken = c.Number("k") }); break;
            case "refuse": Feed(new Refuse { Reason = c.Text("why") }); break;
            case "release":
                Feed(new Release
                {
                    LeaderToken = c.Number("k"), ExitCode = (int)c.Number("code"),
                    Reason = c.Text("why", "finished")
                });
                break;
            case "trainer": _hasTrainer = c.Words[0] == "on"; break;
            case "sigterm": Feed(new DrainAsked()); break;
            case "evicted": Feed(new GreetAgain()); break;
            case "ended": Feed(new TrainingEnded((int)c.Number("code"), c.Text("why", "released"))); break;
            case "saved": Feed(new StateSaved(c.Text("what"))); break;
            case "advance": Advance(c.TimeAt(0)); break;
            default: throw new FormatException($"no command '{c.Verb}'");
        }

        var trace = _outputs.Where(o => o is not SendBeat).Select(Text).ToList();
        // A process that waits says so every few seconds: two lines show it.
        var waits = trace.Where(t => t.Contains("dialling on", StringComparison.Ordinal)).Skip(2).ToList();
        if (waits.Count > 0) trace = [.. trace.Except(waits), $"says the like {waits.Count} times"];
        var beats = _outputs.Count(o => o is SendBeat);
        if (beats > 0) trace.Add($"> {beats} beats");
        trace.Add($"status {_protocol.Status}");
        _outputs.Clear();
        return trace;
    }

    private void Feed(object message) => _protocol.Step(message, _hasTrainer, _now, _outputs);

    private void Advance(TimeSpan by)
    {
        for (var end = _now + by; _now < end;)
        {
            _now += Tick;
            _protocol.Tick(_now, _outputs);
        }
    }

    private static string Text(NodeOutput output) => output switch
    {
        SendHello => "> Hello",
        SendDrain o => $"> Drain within {o.Grace.TotalSeconds:0.#} s",
        Admitted o => $"admitted as {o.Me} by {o.Token}",
        ReleaseTrainer => "the trainer ends its work",
        SaveState => "the trainer saves what it has",
        Say o => $"says: {o.Line}",
        ExitProcess o => $"exit {o.Code}: {o.Line}",
        _ => throw new FormatException(output.ToString()),
    };
}

public sealed class NodeScriptTests
{
    public static TheoryData<string> Names() => [.. ScriptRunner.Names("node")];

    [Theory]
    [MemberData(nameof(Names))]
    public void Script(string name) => ScriptRunner.Check(name, new NodeMachine());
}
