using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Tensors;
using Convoy.Simulation.Tests.Scripting;
using Convoy.Worker.Collectives;
using Convoy.Worker.Training;

namespace Convoy.Simulation.Tests.Training;

/// <summary>
/// Workers as pure machines: StepProtocol and ExchangeProtocol of each, a network that delivers when the script says
/// so, and devices whose results the script reports. Nobody computes; the trace shows who sends what and when a step is
/// held.
/// </summary>
internal sealed class StepMachine : IScriptMachine
{
    private readonly List<StepSeat> _seats = [];
    private readonly List<string> _trace = [];
    private readonly List<(int From, int To, object Sent)> _wire = [];
    private ShareMap _shares = null!;
    private ExchangeLayout _layout = null!;
    private int[] _rows = [];

    public IEnumerable<string> Run(ScriptCommand command)
    {
        _trace.Clear();
        switch (command.Verb)
        {
            case "cluster": OnCluster(command); break;
            case "open": OnOpen(command); break;
            case "bucket": Each(command, s => s.Bucket((int)command.Number("b"))); break;
            case "computed": Each(command, s => s.Computed()); break;
            case "applied": Each(command, s => s.Applied()); break;
            case "fence": OnFence(command); break;
            case "deliver": OnDeliver(command); break;
            default: throw new FormatException($"unknown command {command}");
        }

        return [.. _trace];
    }

    public void Say(string line) => _trace.Add(line);

    public void Send(int from, int to, object sent) => _wire.Add((from, to, sent));

    private void OnCluster(ScriptCommand c)
    {
        var workers = (int)c.Number("workers");
        var slices = (int)c.Number("slices");
        _shares = new ShareMap(slices, [.. Enumerable.Range(1, workers).Select(i => new WorkerId(i))],
            [.. Enumerable.Range(0, workers + 1).Select(i => slices * i / workers)]);
        _layout = new ExchangeLayout(c.Number("elements"), workers, (int)c.Number("bucket") * sizeof(float),
            directBytesMax: 0);
        _rows = Enumerable.Repeat(1, slices).ToArray();
        for (var i = 1; i <= workers; i++) _seats.Add(new StepSeat(this, i, workers));
    }

    private void OnOpen(ScriptCommand c)
    {
        var open = new Open
        {
            LeaderToken = 1, Generation = c.Number("g"), JobId = "j", StartStep = c.Number("t"),
            UntilStep = c.Number("until"), Commit = c.Words.Contains("unanimous") ? CommitRule.Unanimous : CommitRule.Local,
            VoteFanOut = (int)c.Number("tree", 0),
        };
        foreach (var seat in _seats)
            open.Members.Add(new Member
            { WorkerId = seat.Id, Incarnation = (ulong)seat.Id, Action = AlignAction.Keep });
        open.Cuts.AddRange(_shares.Cuts);
        foreach (var seat in _seats) seat.Open(open, _layout, _shares, _rows);
    }

    private void OnFence(ScriptCommand c) => Each(c, s => s.Feed(new Fence
    {
        LeaderToken = 1, Generation = c.Number("g"), Kind = c.Has("stop") ? FenceKind.Soft : FenceKind.Hard,
        StopAt = c.Number("stop", 0),
    }));

    private void OnDeliver(ScriptCommand c)
    {
        for (var i = 0; i < _wire.Count;)
        {
            var (from, to, sent) = _wire[i];
            var wanted = (!c.Has("from") || c.Number("from") == from) && (!c.Has("to") || c.Number("to") == to)
                && (!c.Has("kind") || c.Text("kind") == KindOf(sent)) && (!c.Has("t") || c.Number("t") == StepOf(sent));
            if (!wanted) { i++; continue; }
            // A copy stays under way: the network may deliver it again, much later.
            if (c.Words.Contains("copied")) i++;
            else _wire.RemoveAt(i);
            _seats[to - 1].Receive(from, sent);
        }
    }

    private static string KindOf(object sent) => sent is BulkHeader frame ? frame.Kind.ToString() : sent.GetType().Name;

    private static long StepOf(object sent) => sent switch
    {
        Complete m => m.Step,
        StepDone m => m.Step,
        BulkHeader m => m.Step.Value,
        _ => throw new FormatException($"{sent.GetType().Name} has no step"),
    };

    private void Each(ScriptCommand c, Action<StepSeat> what)
    {
        foreach (var id in c.NumbersAt(0)) what(_seats[id - 1]);
    }
}
