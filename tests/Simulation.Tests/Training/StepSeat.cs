using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Tensors;
using Convoy.Worker.Collectives;
using Convoy.Worker.Training;

namespace Convoy.Simulation.Tests.Training;

/// <summary>One worker of a <see cref="StepMachine"/>.</summary>
internal sealed class StepSeat
{
    private readonly StepMachine _machine;
    private readonly StepProtocol _step;
    private readonly StepOutbox _outbox = new();
    private readonly ExchangeProtocol _exchange = new(1 << 30);
    private readonly ExchangeOutbox _frames = new();
    private readonly int _members;
    private ExchangeLayout _layout = null!;
    private ReduceTree _tree = null!;

    public StepSeat(StepMachine machine, int id, int members)
    {
        (_machine, Id, _members) = (machine, id, members);
        _step = new StepProtocol(new WorkerId(id), new Incarnation((ulong)id));
        Feed(new Assign { LeaderToken = 1, JobId = "j" });
        Feed(new JobPrepared(new Ready()));
    }

    public int Id { get; }

    public void Open(Open open, ExchangeLayout layout, ShareMap shares, int[] rows)
    {
        (_layout, _tree) = (layout, new ReduceTree(shares, rows));
        Incarnation[] members = [.. open.Members.Select(m => new Incarnation(m.Incarnation))];
        _exchange.Enter(new Generation(open.Generation), new StepNumber(open.StartStep), members, Id - 1, layout,
            ExchangePlan.Of(layout, shares, members), _frames);
        Execute();
        Feed(open);
        Feed(new PeersLinked(_step.Generation));
        Feed(new StateReady(_step.Generation, new StepNumber(open.StartStep), H(open.StartStep), false));
    }

    public void Bucket(int bucket)
    {
        _exchange.BucketReady(_exchange.Step, bucket, _frames);
        Execute();
    }

    public void Computed()
    {
        Feed(new StepComputed(_step.Generation, _step.State.Next));
        _exchange.ScalarsReady(_exchange.Step, _frames);
        Execute();
    }

    public void Applied() => Feed(new StepApplied(_step.Generation, _step.State.Next, H(_step.State.Value + 1)));

    public void Receive(int from, object sent)
    {
        if (sent is not BulkHeader frame) { Feed(sent); return; }
        _exchange.Frame(new Incarnation((ulong)from), frame, 0, _frames);
        Execute();
    }

    public void Feed(object message)
    {
        var before = _step.Status;
        _step.Step(message, _outbox);
        var outputs = _outbox.Outputs.ToArray();
        _outbox.Clear();
        if (_step.Status != before) _machine.Say($"w{Id} {before} > {_step.Status}");
        foreach (var output in outputs) Execute(output);
    }

    private static Fingerprint H(long step) => new(0xF00 + (ulong)step);

    private void Execute(StepOutput output)
    {
        switch (output)
        {
            case RunStep m:
                _machine.Say($"w{Id} device: compute step {m.Step}");
                _exchange.Begin(m.Step, _tree, _frames);
                Execute();
                break;
            case ApplyStep m: _machine.Say($"w{Id} device: apply step {m.Step}"); break;
            case StopExchange m:
                _exchange.Stop(_frames);
                Execute();
                Feed(new ExchangeStopped(m.Generation));
                break;
            case TellCoordinator { Message: Fenced m }:
                _machine.Say($"w{Id} -> coordinator Fenced g{m.Generation} t={m.Step} holds={m.HoldsNext} retains={m.RetainsCurrent}");
                break;
            case TellCoordinator { Message: Aligned m }:
                _machine.Say(
                $"w{Id} -> coordinator Aligned g{m.Generation} t={m.Step}"); break;
            case TellMembers { Message: StepDone m }:
                _machine.Say($"w{Id} -> members StepDone step {m.Step} H={m.Fingerprint:x}");
                for (var to = 1; to <= _members; to++)
                    if (to != Id) _machine.Send(Id, to, m);
                break;
            case TellMembers { Message: Complete m }: Vote(0, _members, m); break;
            case TellSome { Message: Complete m } to: Vote(to.From, to.End, m); break;
            case Note m: _machine.Say($"w{Id} {m.Text}"); break;
            case SaveShard m:
                _machine.Say(
                $"w{Id} device: save shard {m.Index + 1} of {m.Count} of step {m.Step}"); break;
            default: break; // links, layouts and hashes have no part in this trace
        }
    }

    private void Vote(int from, int end, Complete vote)
    {
        var to = Enumerable.Range(from + 1, end - from).Where(id => id != Id).ToList();
        _machine.Say($"w{Id} -> {string.Join(",", to.Select(id => $"w{id}"))} Complete step {vote.Step}"
            + (vote.OfAll ? " of all" : ""));
        foreach (var id in to) _machine.Send(Id, id, vote);
    }

    private void Execute()
    {
        var (notes, actions) = (_frames.Notes.ToArray(), _frames.Actions.ToArray());
        _frames.Clear();
        foreach (var note in notes) _machine.Say($"w{Id} {note}");
        foreach (var action in actions) Execute(action);
    }

    private void Execute(ExchangeAction a)
    {
        switch (a.Kind)
        {
            case ExchangeActionKind.SendPartial:
                Send(BulkKind.Partial, a.Block, _tree.Slots[a.Slot].Node, a.Member + 1,
                    $"node {_tree.Slots[a.Slot].Node}");
                break;
            case ExchangeActionKind.Reduce:
                var sum = string.Join(" + ", _tree.Slots.Select(s => $"{s.Node}"));
                _machine.Say($"w{Id} reduces bucket {_layout.Blocks[a.Block].Bucket} chunk {_layout.Blocks[a.Block].Owner}: {sum}");
                _exchange.Forget(a.Block);
                break;
            case ExchangeActionKind.SendReduced:
                for (var to = 1; to <= _members; to++)
                    if (to != Id) Send(BulkKind.Reduced, a.Block, default, to, "the sum");
                break;
            case ExchangeActionKind.SendScalars:
                for (var to = 1; to <= _members; to++)
                    if (to != Id)
                        _machine.Send(Id, to,
                            new BulkHeader(BulkKind.Scalars, 0, default, _exchange.Generation, _exchange.Step,
                                0, 0, 0, 16, 0, _exchange.Plan.Value));
                _machine.Say($"w{Id} -> members Scalars of step {_exchange.Step}");
                break;
            case ExchangeActionKind.Held:
                _machine.Say($"w{Id} holds all of step {_exchange.Step}");
                Feed(new StepHeld(_exchange.Generation, _exchange.Step));
                break;
            default: break; // Store, TakeScalars, Release: memory only
        }
    }

    private void Send(BulkKind kind, int block, TreeNode node, int to, string what)
    {
        var b = _layout.Blocks[block];
        _machine.Say($"w{Id} -> w{to} {kind} bucket {b.Bucket} chunk {b.Owner}: {what}");
        _machine.Send(Id, to,
            new BulkHeader(kind, 0, node, _exchange.Generation, _exchange.Step, b.Bucket, b.Owner, b.Offset,
            b.Length * sizeof(float), 0, _exchange.Plan.Value));
    }
}
