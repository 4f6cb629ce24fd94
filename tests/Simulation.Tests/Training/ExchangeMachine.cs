using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Tensors;
using Convoy.Simulation.Tests.Scripting;
using Convoy.Worker.Collectives;

namespace Convoy.Simulation.Tests.Training;

/// <summary>
/// One worker's exchange among three members with two slices each: the script says what its device finishes and which
/// frames come, and the trace shows what it sends, adds, keeps and refuses. Handles are the numbers of the frames.
/// </summary>
internal sealed class ExchangeMachine : IScriptMachine
{
    private const int Members = 3;
    private static readonly ShareMap Shares = new(6, [new(1), new(2), new(3)], [0, 2, 4, 6]);
    private static readonly ExchangeLayout Layout =
        new(Members * 4_096, Members, Members * 4_096 * sizeof(float), directBytesMax: 0);

    private static readonly ExchangePlan Plan = ExchangePlan.Of(Layout, Shares, [new(1), new(2), new(3)]);

    private readonly ExchangeProtocol _exchange = new(earlyBytesMax: 40_000);
    private readonly ExchangeOutbox _outbox = new();
    private readonly ReduceTree _tree = new(Shares, [1, 1, 1, 1, 1, 1]);
    private int _frames;

    public IEnumerable<string> Run(ScriptCommand c)
    {
        switch (c.Verb)
        {
            case "enter":
                _exchange.Enter(new Generation(c.Number("g")), new StepNumber(c.Number("t")), [new(1), new(2), new(3)],
                    0, Layout, Plan, _outbox);
                break;
            case "begin": _exchange.Begin(new StepNumber(c.Number("t")), _tree, _outbox); break;
            case "bucket": _exchange.BucketReady(_exchange.Step, 0, _outbox); break;
            case "scalars": _exchange.ScalarsReady(_exchange.Step, _outbox); break;
            case "partial": OnFrame(c, BulkKind.Partial, (int)c.Number("chunk", 0)); break;
            case "reduced": OnFrame(c, BulkKind.Reduced, (int)c.Number("chunk", c.Number("from") - 1)); break;
            case "scalars-from": OnFrame(c, BulkKind.Scalars, 0); break;
            case "stop": _exchange.Stop(_outbox); break;
            default: throw new FormatException($"unknown command {c}");
        }

        var trace = _outbox.Actions.Select(Text).Concat(_outbox.Notes).Append($"status {_exchange.Status}").ToList();
        _outbox.Clear();
        return trace;
    }

    private void OnFrame(ScriptCommand c, BulkKind kind, int chunk)
    {
        var from = (int)c.Number("from");
        var (block, _) = Layout.BlocksOf(0, chunk);
        var offset = kind == BulkKind.Scalars ? 0 : Layout.Blocks[block].Offset;
        var node = kind == BulkKind.Partial ? _tree.Slots[_tree.FirstSlotOf[from - 1]].Node : default;
        var header = new BulkHeader(kind, 0, node, new Generation(c.Number("g", _exchange.Generation.Value)),
            new StepNumber(c.Number("t", _exchange.Step.Value)), 0, kind == BulkKind.Scalars ? 0 : chunk, offset,
            kind == BulkKind.Scalars ? 16 : 4_096 * sizeof(float), 0, Plan.Value ^ (ulong)c.Number("plan", 0));
        _exchange.Frame(new Incarnation((ulong)from), header, ++_frames, _outbox);
    }

    private string Text(ExchangeAction a) => a.Kind switch
    {
        ExchangeActionKind.SendPartial =>
            $"> w{a.Member + 1} Partial node {_tree.Slots[a.Slot].Node} of chunk {Layout.Blocks[a.Block].Owner}",
        ExchangeActionKind.SendReduced => $"> members Reduced chunk {Layout.Blocks[a.Block].Owner}",
        ExchangeActionKind.SendScalars => "> members Scalars",
        ExchangeActionKind.Reduce =>
            $"adds chunk {Layout.Blocks[a.Block].Owner}: {string.Join(" + ", _tree.Slots.Select(s => s.Node))}",
        ExchangeActionKind.Store => $"stores frame {a.Handle}: chunk {Layout.Blocks[a.Block].Owner} is final",
        ExchangeActionKind.TakeScalars => $"takes frame {a.Handle}: scalars of w{a.Member + 1}",
        ExchangeActionKind.Release => $"gives frame {a.Handle} back",
        _ => "holds the step",
    };
}

public sealed class ExchangeScriptTests
{
    public static TheoryData<string> Scripts() => [.. ScriptRunner.Names("exchange")];

    [Theory]
    [MemberData(nameof(Scripts))]
    public void Script_leaves_its_trace(string name) => ScriptRunner.Check(name, new ExchangeMachine());
}
