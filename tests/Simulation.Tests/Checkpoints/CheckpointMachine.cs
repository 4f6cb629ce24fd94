using Convoy.Coordinator.Checkpoints;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;
using Convoy.Simulation.Tests.Scripting;

namespace Convoy.Simulation.Tests.Checkpoints;

/// <summary>Drives the checkpoint protocol. The fingerprint of state t is t + 256 unless h= says otherwise.</summary>
internal sealed class CheckpointMachine : IScriptMachine
{
    private readonly CheckpointProtocol _protocol = new(new ClockTable(), new StepNumber(-1));
    private readonly List<CheckpointEffect> _effects = [];
    private Instant _now = new(1_000_000);

    public IEnumerable<string> Run(ScriptCommand c)
    {
        _effects.Clear();
        switch (c.Verb)
        {
            case "saved":
                foreach (var w in c.NumbersAt(0)) Feed(new ShardReported(new WorkerId(w), Shard(c, w)));
                break;
            case "failed":
                Feed(new ShardLost(new WorkerId(c.NumbersAt(0)[0]), new ShardFailed
                {
                    Generation = c.Number("g"), Step = c.Number("t"), Text = c.Text("why", "disk full"),
                }));
                break;
            case "published": Feed(new PublishDone(Step(c), Generation(c), $"step-{c.Number("t")}")); break;
            case "publish-failed": Feed(new PublishFailed(Step(c), Generation(c), c.Text("why", "disk full"))); break;
            case "advance":
                _now += c.TimeAt(0);
                _protocol.Tick(_now, _effects);
                break;
            default: throw new FormatException($"no command '{c.Verb}'");
        }

        return _effects.ConvertAll(Text);
    }

    private static ShardSaved Shard(ScriptCommand c, int worker) => new()
    {
        Generation = c.Number("g"), Step = c.Number("t"), Index = worker - 1, Count = (int)c.Number("of"),
        File = $"shard-{worker}", Fingerprint = (ulong)c.Number("h", c.Number("t") + 256),
    };

    private static StepNumber Step(ScriptCommand c) => new(c.Number("t"));

    private static Generation Generation(ScriptCommand c) => new(c.Number("g"));

    private void Feed(CheckpointInput input) => _protocol.Step(input, _now, _effects);

    private static string Text(CheckpointEffect effect) => effect switch
    {
        PublishSave e => $"publish {e.Save}, {e.Save.Shards.Length} shards",
        ClearSave e => $"clear step {e.Step} of {e.Generation}",
        SavePublished e => $"published state {e.Step} as {e.Path}",
        SaveIsOver e => $"step {e.Step} of {e.Generation} is over{(e.Only is { } w ? $", {w} hears" : ", all hear")}",
        SaveFailed e => $"given up: {e.Text}",
        _ => throw new FormatException(effect.ToString()),
    };
}

public sealed class CheckpointScriptTests
{
    public static TheoryData<string> Names() => [.. ScriptRunner.Names("checkpoint")];

    [Theory]
    [MemberData(nameof(Names))]
    public void Script(string name) => ScriptRunner.Check(name, new CheckpointMachine());
}
