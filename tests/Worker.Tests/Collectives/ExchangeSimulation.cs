using Convoy.Kernels;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Tensors;
using Convoy.Worker.Collectives;

namespace Convoy.Worker.Tests.Collectives;

/// <summary>Several exchange protocols and a network that reorders frames of different links by a seed.</summary>
internal sealed class ExchangeSimulation
{
    private readonly ulong[] _state;
    private readonly List<(int From, int To, BulkHeader Header, float[] Payload)> _wire = [];
    private ulong _random;

    public ExchangeSimulation(int members, int slices, long elements, int bucketBytes, ulong seed, int[]? rows = null,
        int blockElementsMax = 4096, int directBytesMax = 0)
    {
        _random = seed;
        Members = members;
        Rows = rows ?? Enumerable.Repeat(1, slices).ToArray();
        Shares = new ShareMap(slices, [.. Enumerable.Range(1, members).Select(i => new WorkerId(i))],
            [.. Enumerable.Range(0, members + 1).Select(i => slices * i / members)]);
        Layout = new ExchangeLayout(elements, members, bucketBytes, blockElementsMax, directBytesMax);
        Tree = new ReduceTree(Shares, Rows);
        Nodes = [.. Enumerable.Range(0, members).Select(_ => new ExchangeMember(1 << 30))];
        _state = new ulong[members];
        for (var i = 0; i < members; i++) Nodes[i].Enter(this, i);
    }

    public int Members { get; }

    public int[] Rows { get; }

    public ShareMap Shares { get; }

    public ExchangeLayout Layout { get; }

    public ReduceTree Tree { get; }

    public ExchangePlan Plan =>
        ExchangePlan.Of(Layout, Shares, [.. Enumerable.Range(0, Members).Select(IncarnationOf)]);

    public ExchangeMember[] Nodes { get; }

    public long FramesSent { get; private set; }

    public long[] BytesSent { get; } = new long[16];

    public static Incarnation IncarnationOf(int member) => new(1000UL + (ulong)member);

    /// <summary>Leaf gradients of step t: any floats that make the order of additions visible.</summary>
    public static float Leaf(int slice, long element, long step) =>
        (float)Math.Sin((slice * 7919) + (element * 0.37) + (step * 101)) * (1 << (slice % 11));

    public static float[] NodeValue(TreeNode node, int[] rows, long elements, long step)
    {
        if (node.Level == 0)
        {
            var leaf = new float[elements];
            for (var e = 0; e < elements; e++) leaf[e] = Leaf(node.Index, e, step);
            return node.Index < rows.Length && rows[node.Index] > 0 ? leaf : [];
        }

        var left = NodeValue(node.Left, rows, elements, step);
        var right = NodeValue(node.Right, rows, elements, step);
        if (left.Length == 0 || right.Length == 0) return left.Length == 0 ? right : left;
        AxpyTree.Add<float>(left, right);
        return left;
    }

    public void Post(int from, int to, BulkHeader header, float[] payload)
    {
        FramesSent++;
        BytesSent[from] += payload.Length * sizeof(float);
        _wire.Add((from, to, header, payload));
    }

    /// <summary>Delivers everything; order between links is random, order on one link is kept.</summary>
    public void DeliverAll()
    {
        while (_wire.Count > 0) DeliverOne();
    }

    public bool DeliverOne()
    {
        if (_wire.Count == 0) return false;
        var pick = _wire[(int)(Next() % (ulong)_wire.Count)];
        var first = _wire.FindIndex(f => f.From == pick.From && f.To == pick.To);
        var frame = _wire[first];
        _wire.RemoveAt(first);
        Nodes[frame.To].Receive(IncarnationOf(frame.From), frame.Header, frame.Payload);
        return true;
    }

    /// <summary>Runs a step: members take turns by the seed, buckets become ready in order.</summary>
    public void RunStep(long step)
    {
        foreach (var node in Nodes) node.Begin(step);
        var work = Nodes.SelectMany(n => Enumerable.Repeat(n, Layout.Buckets + 1)).ToList();
        while (work.Count > 0)
        {
            if (Next() % 3 == 0 && DeliverOne()) continue;
            var at = (int)(Next() % (ulong)work.Count);
            work[at].Advance();
            work.RemoveAt(at);
        }

        DeliverAll();
    }

    public ulong Next()
    {
        _random = (_random * 6364136223846793005UL) + 1442695040888963407UL;
        return _random >> 33;
    }
}

/// <summary>The loop around one protocol, with arrays for buffers.</summary>
internal sealed class ExchangeMember(long earlyBytesMax)
{
    private readonly Dictionary<int, float[]> _payloads = [];
    private readonly ExchangeOutbox _outbox = new();
    private ExchangeSimulation _net = null!;
    private float[][] _own = [];
    private int _handles;
    private int _nextBucket;

    public ExchangeProtocol Protocol { get; } = new(earlyBytesMax);

    public int Me { get; private set; }

    public float[] Reduced { get; private set; } = [];

    public List<string> Notes { get; } = [];

    public (int Member, string Difference)? Mismatch { get; private set; }

    public int HeldCount { get; private set; }

    public int OpenHandles => _payloads.Count;

    public void Enter(ExchangeSimulation net, int me, long generation = 1, long start = 0)
    {
        (_net, Me) = (net, me);
        var members = Enumerable.Range(0, net.Members).Select(ExchangeSimulation.IncarnationOf).ToArray();
        Protocol.Enter(new Generation(generation), new StepNumber(start), members, me, net.Layout,
            net.Plan, _outbox);
        Execute();
    }

    public void Begin(long step)
    {
        Reduced = new float[_net.Layout.Elements];
        var (from, end) = (_net.Tree.FirstSlotOf[Me], _net.Tree.FirstSlotOf[Me + 1]);
        _own = new float[_net.Tree.Slots.Length][];
        for (var s = from; s < end; s++)
            _own[s] = ExchangeSimulation.NodeValue(_net.Tree.Slots[s].Node, _net.Rows, _net.Layout.Elements, step);
        _nextBucket = 0;
        Protocol.Begin(new StepNumber(step), _net.Tree, _outbox);
        Execute();
    }

    /// <summary>The next bucket of backward; after the last one the scalars.</summary>
    public void Advance()
    {
        if (_nextBucket < _net.Layout.Buckets) Protocol.BucketReady(Protocol.Step, _nextBucket++, _outbox);
        else Protocol.ScalarsReady(Protocol.Step, _outbox);
        Execute();
    }

    public void Receive(Incarnation from, BulkHeader header, float[] payload)
    {
        var handle = _handles++;
        _payloads[handle] = payload;
        Protocol.Frame(from, header, handle, _outbox);
        Execute();
    }

    public void Stop()
    {
        Protocol.Stop(_outbox);
        Execute();
    }

    private void Execute()
    {
        Notes.AddRange(_outbox.Notes);
        Mismatch ??= _outbox.Mismatch;
        var actions = _outbox.Actions.ToArray();
        _outbox.Clear();
        foreach (var a in actions) Execute(a);
    }

    private void Execute(ExchangeAction a)
    {
        switch (a.Kind)
        {
            case ExchangeActionKind.SendPartial:
                Send(BulkKind.Partial, a.Member, a.Block, _net.Tree.Slots[a.Slot].Node, _own[a.Slot]);
                break;
            case ExchangeActionKind.Reduce: Reduce(a.Block); break;
            case ExchangeActionKind.SendReduced:
                for (var m = 0; m < _net.Members; m++)
                    if (m != Me) Send(BulkKind.Reduced, m, a.Block, default, Reduced);
                break;
            case ExchangeActionKind.Store:
                _payloads[a.Handle].CopyTo(Reduced, _net.Layout.Blocks[a.Block].Offset);
                _payloads.Remove(a.Handle);
                break;
            case ExchangeActionKind.SendScalars:
                var header = Header(BulkKind.Scalars, default, default, 0);
                for (var m = 0; m < _net.Members; m++)
                    if (m != Me) _net.Post(Me, m, header, []);
                break;
            case ExchangeActionKind.TakeScalars or ExchangeActionKind.Release: _payloads.Remove(a.Handle); break;
            case ExchangeActionKind.Held: HeldCount++; break;
            default: Assert.Fail(a.ToString()); break;
        }
    }

    private void Reduce(int block)
    {
        var (_, _, offset, length) = _net.Layout.Blocks[block];
        var parts = new float[_net.Tree.Slots.Length][];
        for (var s = 0; s < parts.Length; s++)
        {
            var handle = Protocol.HandleOf(block, s);
            parts[s] = handle < 0 ? _own[s].AsSpan((int)offset, length).ToArray() : (float[])_payloads[handle].Clone();
            if (handle >= 0) _payloads.Remove(handle);
        }

        foreach (var (into, from) in _net.Tree.Adds) AxpyTree.Add<float>(parts[into], parts[from]);
        parts[_net.Tree.Root].CopyTo(Reduced, offset);
        Protocol.Forget(block);
    }

    private void Send(BulkKind kind, int to, int block, TreeNode node, float[] from)
    {
        var b = _net.Layout.Blocks[block];
        var payload = from.AsSpan((int)b.Offset, b.Length).ToArray();
        _net.Post(Me, to, Header(kind, node, b, b.Length * sizeof(float)), payload);
    }

    private BulkHeader Header(BulkKind kind, TreeNode node, ExchangeBlock b, int bytes) =>
        new(kind, 0, node, Protocol.Generation, Protocol.Step, b.Bucket, b.Owner, b.Offset, bytes, 0,
            Protocol.Plan.Value);
}
