using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Tensors;

namespace Convoy.Worker.Collectives;

// The direct reduce-scatter and all-gather of one worker: when a bucket is ready its partial sums go to the owners of
// its chunks; an owner that has every present node of a block adds them in tree order and sends the sum to all. Pure:
// frames are names and handles here, the loop around it has the bytes. COSTS.md has the price.
// X1  A block is reduced once, from exactly the present nodes of the step, whatever the order of arrival.
// X2  A step is held when every block is final and every member's scalars are here; never before.
// X3  A frame counts for the generation and the step in its header only; any other is kept for later or refused by
// name. X4  What is kept for later is one step of one generation at most, within a bound of bytes (M3).
// X5  After Stop no handle of the generation is used again (M9).
// X6  Of a member with another plan nothing is taken; both are named (R16).
internal enum ExchangeStatus
{
    Closed,  // no generation, or it was stopped
    Between, // in a generation, no step begun or the last one held
    Running, // a step is open
}

internal enum ExchangeActionKind : byte
{
    SendPartial, // block, slot -> its owner, or a member when the block is direct
    Reduce,      // block: add its slots in tree order, the sum is final
    SendReduced, // block -> every other member
    Store,       // block, handle: a reduced block of its owner, final
    SendScalars, // to every other member
    TakeScalars, // member, handle
    Release,     // handle: not needed any more
    Held,
}

internal readonly record struct ExchangeAction(ExchangeActionKind Kind, int Block, int Slot, int Handle, int Member);

internal sealed class ExchangeOutbox
{
    public List<ExchangeAction> Actions { get; } = [];

    public List<string> Notes { get; } = [];

    /// <summary>A member means something else by its frames: which one, and what differs (X6).</summary>
    public (int Member, string Difference)? Mismatch { get; internal set; }

    public void Clear()
    {
        Actions.Clear();
        Notes.Clear();
        Mismatch = null;
    }

    internal void Add(ExchangeActionKind kind, int block = -1, int slot = -1, int handle = -1, int member = -1) =>
        Actions.Add(new(kind, block, slot, handle, member));
}

internal sealed class ExchangeProtocol(long earlyBytesMax)
{
    public static readonly (ExchangeStatus From, ExchangeStatus To, string On)[] Transitions =
    [
        (ExchangeStatus.Closed, ExchangeStatus.Between, "Enter"),
        (ExchangeStatus.Between, ExchangeStatus.Between, "Enter"),
        (ExchangeStatus.Between, ExchangeStatus.Running, "Begin"),
        (ExchangeStatus.Between, ExchangeStatus.Closed, "Stop"),
        (ExchangeStatus.Running, ExchangeStatus.Between, "everything held"),
        (ExchangeStatus.Running, ExchangeStatus.Closed, "Stop"),
    ];

    /// <summary>No frame: it did not come, or was not read.</summary>
    public const int None = -1;
    private const int Own = -2;
    private readonly List<(Incarnation From, BulkHeader Header, int Handle)> _early = [];
    private long _earlyBytes;
    private Incarnation[] _members = [];
    private int _me;
    private int[] _handles = [];     // block x slot: a received partial, Own, or None
    private int[] _missingNodes = []; // per block that this worker owns
    private bool[] _final = [];      // per block
    private bool[] _scalars = [];    // per member
    private int[] _missingFrom = []; // frames still expected, per member
    private int _bucketsLeft;
    private bool[] _bucketReady = [];

    public ExchangeStatus Status { get; private set; } = ExchangeStatus.Closed;

    public Generation Generation { get; private set; }

    /// <summary>The step that is running or was the last one.</summary>
    public StepNumber Step { get; private set; }

    public ExchangeLayout? Layout { get; private set; }

    public ReduceTree? Tree { get; private set; }

    /// <summary>What this worker's frames of the generation mean.</summary>
    public ExchangePlan Plan { get; private set; }

    public long EarlyBytes => _earlyBytes;

    /// <summary>A new generation begins at state <paramref name="start"/>.</summary>
    public void Enter(Generation generation, StepNumber start, Incarnation[] members, int me, ExchangeLayout layout,
        ExchangePlan plan, ExchangeOutbox outbox)
    {
        Invariant.Check(generation > Generation, "X3 generations only grow");
        Invariant.Check(Status != ExchangeStatus.Running,
            "X5 a running step is stopped before a generation is entered");
        (Generation, Step, _members, _me, Layout, Plan) = (generation, start, members, me, layout, plan);
        _final = new bool[layout.Blocks.Length];
        _missingNodes = new int[layout.Blocks.Length];
        _bucketReady = new bool[layout.Buckets];
        _scalars = new bool[members.Length];
        _missingFrom = new int[members.Length];
        Become(ExchangeStatus.Between);
        DropEarly(f => f.Header.Generation < generation, "of an older generation", outbox);
    }

    /// <summary>Step t begins; frames of it that came early are taken now.</summary>
    public void Begin(StepNumber step, ReduceTree tree, ExchangeOutbox outbox)
    {
        Invariant.Check(Status == ExchangeStatus.Between && step == Step.Next, "X3 steps follow each other");
        (Step, Tree) = (step, tree);
        Become(ExchangeStatus.Running);
        Array.Clear(_final);
        Array.Clear(_scalars);
        Array.Clear(_bucketReady);
        _bucketsLeft = Layout!.Buckets;
        if (_handles.Length != Layout.Blocks.Length * tree.Slots.Length)
            _handles = new int[Layout.Blocks.Length * tree.Slots.Length];
        Array.Fill(_handles, None);
        CountExpected(tree);
        TakeEarly(outbox);
    }

    private void CountExpected(ReduceTree tree)
    {
        Array.Fill(_missingFrom, 1); // the scalars
        for (var b = 0; b < Layout!.Blocks.Length; b++)
        {
            var block = Layout.Blocks[b];
            _missingNodes[b] = block.IsAddedBy(_me) ? tree.Slots.Length : 0;
            if (!block.IsAddedBy(_me)) { _missingFrom[block.Owner]++; continue; }
            for (var m = 0; m < _members.Length; m++)
                if (m != _me) _missingFrom[m] += tree.FirstSlotOf[m + 1] - tree.FirstSlotOf[m];
        }
    }

    /// <summary>Backward has finished every gradient of the bucket.</summary>
    public void BucketReady(StepNumber step, int bucket, ExchangeOutbox outbox)
    {
        if (Status != ExchangeStatus.Running || step != Step)
        {
            outbox.Notes.Add($"bucket {bucket} of step {step}: no such step is open ({Status})");
            return;
        }

        Invariant.Check(!_bucketReady[bucket], "X1 a bucket is ready once");
        _bucketReady[bucket] = true;
        _bucketsLeft--;
        // Every member begins with the owner after itself, so that they do not all send to the same one first.
        for (var i = 1; i <= _members.Length; i++) ContributeTo(bucket, (_me + i) % _members.Length, outbox);
        CheckHeld(outbox);
    }

    private void ContributeTo(int bucket, int owner, ExchangeOutbox outbox)
    {
        var (from, end) = Layout!.BlocksOf(bucket, owner);
        for (var b = from; b < end; b++)
        {
            var block = Layout.Blocks[b];
            for (var slot = Tree!.FirstSlotOf[_me]; slot < Tree.FirstSlotOf[_me + 1]; slot++)
            {
                for (var i = 1; i < _members.Length && block.IsDirect; i++)
                    outbox.Add(ExchangeActionKind.SendPartial, b, slot, member: (_me + i) % _members.Length);
                if (block.IsAddedBy(_me)) Contribute(b, slot, Own);
                else outbox.Add(ExchangeActionKind.SendPartial, b, slot, member: owner);
            }

            if (block.IsAddedBy(_me)) CheckReduce(b, outbox);
        }
    }

    /// <summary>Loss sums of the own share are known.</summary>
    public void ScalarsReady(StepNumber step, ExchangeOutbox outbox)
    {
        if (Status != ExchangeStatus.Running || step != Step)
        {
            outbox.Notes.Add($"scalars of step {step}: no such step is open ({Status})");
            return;
        }

        Invariant.Check(!_scalars[_me], "X2 scalars are ready once");
        _scalars[_me] = true;
        _missingFrom[_me]--;
        if (_members.Length > 1) outbox.Add(ExchangeActionKind.SendScalars);
        CheckHeld(outbox);
    }

    /// <summary>
    /// A verified frame is here, or, without a handle, the header of one that was not read. The handle is kept, or
    /// given back by a Release action.
    /// </summary>
    public void Frame(Incarnation from, in BulkHeader header, int handle, ExchangeOutbox outbox)
    {
        if (RefuseFrame(from, header, outbox, out var early) is { } reason)
        {
            outbox.Notes.Add($"{header.Kind} of {header.Generation} step {header.Step} refused: {reason}");
            if (handle != None) outbox.Add(ExchangeActionKind.Release, handle: handle);
        }
        else if (early)
        {
            _early.Add((from, header, handle));
            _earlyBytes += BulkHeader.Size + header.PayloadBytes;
        }
        else
        {
            Take(Array.IndexOf(_members, from), header, handle, outbox);
            CheckHeld(outbox);
        }
    }

    private string? RefuseFrame(Incarnation from, in BulkHeader header, ExchangeOutbox outbox, out bool early)
    {
        early = false;
        if (header.Codec != 0) return $"codec {header.Codec} is unknown";
        if (header.Generation < Generation) return $"this worker is in {Generation} (X3)";
        if (header.Generation == Generation)
        {
            if (Status == ExchangeStatus.Closed) return "the generation is stopped (X5)";
            var member = Array.IndexOf(_members, from);
            if (member < 0) return $"{from} is no member";
            if (Plan.DifferenceFrom(new ExchangePlan(header.Plan)) is { } difference)
            {
                outbox.Mismatch = (member, difference);
                return $"its plan is another one: {difference} (X6)";
            }

            if (header.Step < Step) return $"this worker is at step {Step} (X3)";
            if (header.Step == Step && Status != ExchangeStatus.Running) return "the step is held already (X3)";
            if (header.Step > Step.Next) return $"this worker is at step {Step} (M3)";
            if (header.Step == Step) return null;
        }

        // A faster peer: of the next step, or of a generation that this worker will hear of.
        early = _earlyBytes + header.PayloadBytes <= earlyBytesMax;
        return early ? null : $"{_earlyBytes} bytes wait already, {earlyBytesMax} may (X4)";
    }

    private void Take(int member, in BulkHeader header, int handle, ExchangeOutbox outbox)
    {
        var reason = header.Kind switch
        {
            BulkKind.Partial => TakePartial(member, header, handle, outbox),
            BulkKind.Reduced => TakeReduced(member, header, handle, outbox),
            BulkKind.Scalars => TakeScalars(member, handle, outbox),
            _ => "not a kind of a step",
        };
        if (reason is null) { _missingFrom[member]--; return; }
        outbox.Notes.Add($"{header.Kind} of step {header.Step} from member {member} refused: {reason}");
        outbox.Add(ExchangeActionKind.Release, handle: handle);
    }

    private string? TakePartial(int member, in BulkHeader header, int handle, ExchangeOutbox outbox)
    {
        var block = Layout!.Find(header.Bucket, header.Chunk, header.Offset, header.PayloadBytes);
        if (block < 0) return "no such block";
        if (!Layout.Blocks[block].IsAddedBy(_me) || member == _me) return "the block is not this worker's to reduce";
        var slot = Tree!.SlotOf(member, header.Node);
        if (slot < 0) return $"node {header.Node} is not a present node of the sender";
        if (_handles[(block * Tree.Slots.Length) + slot] != None) return "it is a duplicate (X1)";
        Contribute(block, slot, handle);
        CheckReduce(block, outbox);
        return null;
    }

    private string? TakeReduced(int member, in BulkHeader header, int handle, ExchangeOutbox outbox)
    {
        var block = Layout!.Find(header.Bucket, header.Chunk, header.Offset, header.PayloadBytes);
        if (block < 0) return "no such block";
        if (Layout.Blocks[block].Owner != member || member == _me) return "the sender does not own the block";
        if (_final[block]) return "it is a duplicate (X1)";
        _final[block] = true;
        outbox.Add(ExchangeActionKind.Store, block, handle: handle);
        return null;
    }

    private string? TakeScalars(int member, int handle, ExchangeOutbox outbox)
    {
        if (member == _me) return "own scalars do not travel";
        if (_scalars[member]) return "it is a duplicate (X1)";
        _scalars[member] = true;
        outbox.Add(ExchangeActionKind.TakeScalars, handle: handle, member: member);
        return null;
    }

    private void Contribute(int block, int slot, int handle)
    {
        ref var place = ref _handles[(block * Tree!.Slots.Length) + slot];
        Invariant.Check(place == None, "X1 a node contributes once");
        place = handle;
        _missingNodes[block]--;
    }

    private void CheckReduce(int block, ExchangeOutbox outbox)
    {
        if (_missingNodes[block] > 0 || _final[block]) return;
        _final[block] = true;
        outbox.Add(ExchangeActionKind.Reduce, block);
        if (_members.Length > 1 && !Layout!.Blocks[block].IsDirect) outbox.Add(ExchangeActionKind.SendReduced, block);
    }

    private void CheckHeld(ExchangeOutbox outbox)
    {
        if (Status != ExchangeStatus.Running || _bucketsLeft > 0) return;
        foreach (var missing in _missingFrom)
            if (missing > 0) return;
        foreach (var final in _final)
            if (!final) return; // a block of this worker that nobody completed: its bucket is not ready yet
        Become(ExchangeStatus.Between);
        outbox.Add(ExchangeActionKind.Held);
    }

    /// <summary>The received partial of a slot of a block, or a negative number when it is the own one.</summary>
    public int HandleOf(int block, int slot) => _handles[(block * Tree!.Slots.Length) + slot];

    /// <summary>The loop has added the block: its handles are given back there and forgotten here.</summary>
    public void Forget(int block) => _handles.AsSpan(block * Tree!.Slots.Length, Tree.Slots.Length).Fill(Own);

    /// <summary>Frames still expected from a member in this step; 0 when it is not waited for.</summary>
    public int MissingFrom(int member) => Status == ExchangeStatus.Running ? _missingFrom[member] : 0;

    /// <summary>Ends the generation: everything of it that still waits is given back.</summary>
    public void Stop(ExchangeOutbox outbox)
    {
        if (Status == ExchangeStatus.Closed) return;
        if (Status == ExchangeStatus.Running)
        {
            foreach (ref var handle in _handles.AsSpan())
            {
                if (handle >= 0) outbox.Add(ExchangeActionKind.Release, handle: handle);
                handle = None;
            }
        }

        Become(ExchangeStatus.Closed);
        DropEarly(f => f.Header.Generation <= Generation, "of a stopped generation", outbox);
    }

    private void TakeEarly(ExchangeOutbox outbox)
    {
        var count = _early.Count;
        var kept = 0;
        for (var i = 0; i < count; i++)
        {
            var frame = _early[i];
            if (frame.Header.Generation == Generation && frame.Header.Step <= Step)
            {
                _earlyBytes -= BulkHeader.Size + frame.Header.PayloadBytes;
                Frame(frame.From, frame.Header, frame.Handle, outbox);
            }
            else
            {
                _early[kept++] = frame;
            }
        }

        Invariant.Check(_early.Count == count, "X4 a frame of this step is not put off twice");
        _early.RemoveRange(kept, count - kept);
    }

    private void DropEarly(Predicate<(Incarnation From, BulkHeader Header, int Handle)> which, string why,
        ExchangeOutbox outbox)
    {
        foreach (var frame in _early)
        {
            if (!which(frame)) continue;
            outbox.Notes.Add($"{frame.Header.Kind} of {frame.Header.Generation} dropped: {why}");
            outbox.Add(ExchangeActionKind.Release, handle: frame.Handle);
            _earlyBytes -= BulkHeader.Size + frame.Header.PayloadBytes;
        }

        _early.RemoveAll(which);
    }

    private void Become(ExchangeStatus next)
    {
        Invariant.Check(TransitionTable.Allows(Transitions, Status, next), $"no transition from {Status} to {next}");
        Status = next;
    }
}
