using Convoy.Actors.Remoting;
using Convoy.Actors.Remoting.Frames;
using Convoy.Shared.Protocol;
using Convoy.Shared.Tensors;

namespace Convoy.Actors.Tests.Remoting;

/// <summary>
/// Connections that end at any byte, inside handshakes, messages, headers and payloads, on both lanes and on both roads
/// (PAR-08, R16, R24; scenarios 11 to 13 and 19): what a link promises must hold for every history.
/// </summary>
public sealed class CutLinkTests
{
    private const int Rounds = 12;
    private const int MessagesOfRound = 40;
    private const int FramesOfRound = 6;
    private const int Cuts = 14;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);

    public static TheoryData<int, bool> Histories()
    {
        var histories = new TheoryData<int, bool>();
        for (var seed = 1; seed <= 8; seed++)
        {
            histories.Add(seed, false);
            histories.Add(seed, true);
        }

        return histories;
    }

    [Theory]
    [MemberData(nameof(Histories))]
    public async Task Any_history_of_cuts_delivers_at_most_once_in_order_and_accounts_for_everything(int seed,
        bool sharedMemory)
    {
        var random = new Sequence(seed);
        using var folder = new TempFolder();
        await using var a = await Node.StartAsync("a",
            o => o with { SharedMemory = sharedMemory, SharedMemoryFolder = folder.Path });
        await using var b = await Node.StartAsync("b",
            o => o with { SharedMemory = sharedMemory, SharedMemoryFolder = folder.Path });
        var pool = new Pool();
        b.Remoting.Bulk = pool;
        var connections = 0;
        await using var wire = new Wire(b.Remoting.Address)
        {
            // Over shared memory only bells go through the wire: there connections live for fewer bytes.
            BytesOfNext = () => ++connections > Cuts
                ? null : random.Below(connections % 3 == 0 ? 400 : sharedMemory ? 3_000 : 60_000),
        };
        var (there, here) = (new Arrivals(), new Arrivals());
        b.Remoting.Register("there", b.Kit.Sys.ActorOf(Props.Create(() => new Recorder(there))));
        a.Remoting.Register("here", a.Kit.Sys.ActorOf(Props.Create(() => new Recorder(here))));
        var teller = a.Kit.Sys.ActorOf(Props.Create(() => new Recorder(here)));
        var peer = a.Remoting.Connect(wire.Address, a.Links.Ref);
        var target = peer.Actor("there");
        a.Links.ExpectMsg<LinkUp>();
        var sends = new Sends();
        var (told, taken) = (0, 0);
        for (var round = 0; round < Rounds; round++)
        {
            for (var i = 0; i < MessagesOfRound; i++) target.Tell(Node.Step(++told), teller);
            for (var i = 0; i < FramesOfRound; i++)
                if (peer.TrySendBulk(BulkSink.Header(taken + 1), Payload(taken + 1, random.Below(30_000)), sends))
                    taken++;
            // Everything told so far has arrived or has come back; everything taken has been given back.
            var (messages, frames) = (told, taken);
            Assert.True(
                SpinWait.SpinUntil(() => there.Count + here.Returned >= messages && sends.Count >= frames, Limit),
                $"seed {seed} round {round}: told {told}, arrived {there.Count}, returned {here.Returned}, taken {taken}, done {sends.Count}, {peer.State}");
            Assert.True(SpinWait.SpinUntil(() => peer.State == LinkState.Up, Limit),
                $"seed {seed} round {round}: {peer.State}");
        }

        var downs = 0;
        while (a.Links.HasMessages) downs += a.Links.ExpectMsg<object>() is LinkDown ? 1 : 0;
        there.AssertAscending(seed);
        Assert.Equal(sends.Count, taken);
        if (downs == 0) Assert.Equal((told, 0), (there.Count, here.Returned)); // a session that lives loses nothing
        peer.Close();
        Assert.True(SpinWait.SpinUntil(() => pool.IsBalanced, Limit), $"seed {seed}: {pool}");
        pool.AssertAscending(seed);
    }

    [Fact] // R28
    public async Task A_frame_for_a_lost_worker_comes_back_and_its_receiver_keeps_no_memory()
    {
        await using var a = await Node.StartAsync("a",
            o => o with { SharedMemory = false, UnixSockets = false, Clocks = new() });
        await using var b = await Node.StartAsync("b",
            o => o with { SharedMemory = false, UnixSockets = false, Clocks = new() });
        var pool = new Pool();
        b.Remoting.Bulk = pool;
        var lane = 0;
        // Inside the first frame the machine is gone: nobody answers at its address any more.
        await using var wire = new Wire(b.Remoting.Address)
        { BytesOfNext = () => ++lane == 2 ? 1_000_000 : null, EndsWithFirstCut = true };
        var peer = a.Remoting.Connect(wire.Address, a.Links.Ref);
        a.Links.ExpectMsg<LinkUp>();
        b.Links.ExpectMsg<LinkUp>();
        var sends = new Sends();
        var taken = 0;
        while (taken < 8 && peer.TrySendBulk(BulkSink.Header(taken + 1), Payload(taken + 1, 7 << 20), sends)) taken++;
        Assert.IsType<LinkDown>(a.Links.ExpectMsg<object>());
        Assert.True(SpinWait.SpinUntil(() => sends.Count == taken && pool.IsBalanced, Limit),
            $"{taken} taken, {sends.Count} given back, {pool}");
        Assert.True(sends.NotSent > 0);
        Assert.False(peer.TrySendBulk(BulkSink.Header(99), new byte[10], sends));
        var refused = a.Kit.Sys.DeadLetterCount;
        peer.Actor("inbox").Tell(Node.Step(1), a.Inbox.Ref);
        peer.Actor("inbox").Tell(Node.Step(2)); // nobody to tell: counted only
        var undeliverable = a.Inbox.ExpectMsg<Undeliverable>();
        Assert.Equal(
            (UndeliverableReason.LinkDown, "StepDone", DeliveryHop.Link),
            (undeliverable.Reason, undeliverable.MessageType, undeliverable.Hop));
        Assert.Equal(refused + 2, a.Kit.Sys.DeadLetterCount);
        Assert.Equal(taken, sends.Count);
    }

    // The road is taken away at this end, by another thread, while a payload is read: what was lent for it comes back.
    [Theory] // R24
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_lane_that_is_closed_here_inside_a_payload_gives_its_memory_back(bool sharedMemory)
    {
        using var folder = new TempFolder();
        await using var a = await Node.StartAsync("a",
            o => o with { SharedMemory = sharedMemory, SharedMemoryFolder = folder.Path });
        await using var b = await Node.StartAsync("b",
            o => o with { SharedMemory = sharedMemory, SharedMemoryFolder = folder.Path });
        var closed = 0;
        var pool = new Pool
        {
            OnRent = link => { if (Interlocked.Exchange(ref closed, 1) == 0) ((Link)link).Quiet(Lane.Bulk); },
        };
        b.Remoting.Bulk = pool;
        var (peer, _) = a.Join(b);
        Assert.True(peer.TrySendBulk(BulkSink.Header(1), Payload(1, 3 << 20), new Sends()));
        Assert.True(SpinWait.SpinUntil(() => pool.ToString() == "1 lent, 1 back, 1 damaged", Limit), $"{pool}");
    }

    private static byte[] Payload(int step, int bytes)
    {
        var payload = new byte[bytes + 1];
        for (var i = 0; i < payload.Length; i++) payload[i] = (byte)(step * 7 + i);
        return payload;
    }

    private sealed class Sequence(int seed)
    {
        private readonly Lock _lock = new();
        private ulong _state = (ulong)seed;

        public int Below(int bound)
        {
            lock (_lock)
            {
                _state = _state * 6364136223846793005 + 1442695040888963407;
                return (int)((_state >> 33) % (ulong)bound);
            }
        }
    }

    /// <summary>Written by one actor or I/O thread at a time, read by the test.</summary>
    private class Arrivals
    {
        private readonly Lock _lock = new();
        private readonly List<long> _steps = [];
        private int _returned;

        public int Count
        {
            get
            {
                lock (_lock) return _steps.Count;
            }
        }

        public int Returned => Volatile.Read(ref _returned);

        public void Add(long step)
        {
            lock (_lock) _steps.Add(step);
        }

        public void Return() => Interlocked.Increment(ref _returned);

        public void AssertAscending(int seed)
        {
            lock (_lock)
                for (var i = 1; i < _steps.Count; i++)
                    Assert.True(_steps[i] > _steps[i - 1], $"seed {seed}: {_steps[i]} came after {_steps[i - 1]}");
        }
    }

    private sealed class Recorder : ReceiveActor
    {
        public Recorder(Arrivals arrivals)
        {
            Receive<StepDone>(m => arrivals.Add(m.Step));
            Receive<Undeliverable>(_ => arrivals.Return());
        }
    }

    private sealed class Sends : IBulkCompletion
    {
        private int _count;
        private int _notSent;

        public int Count => Volatile.Read(ref _count);
        public int NotSent => Volatile.Read(ref _notSent);

        public void Completed(in BulkHeader header, bool sent)
        {
            if (!sent) Interlocked.Increment(ref _notSent);
            Interlocked.Increment(ref _count);
        }
    }

    /// <summary>Memory of a receiver that counts: what was lent must come back, received or not, once.</summary>
    private sealed class Pool : Arrivals, IBulkReceiver
    {
        private int _lent;
        private int _back;
        private int _damaged;

        /// <summary>Happens once the memory is lent.</summary>
        public Action<Peer>? OnRent { get; init; }

        public bool IsBalanced => Volatile.Read(ref _lent) == Volatile.Read(ref _back);

        public Memory<byte> Rent(Peer from, in BulkHeader header)
        {
            Interlocked.Increment(ref _lent);
            OnRent?.Invoke(from);
            return new byte[header.PayloadBytes];
        }

        public void Received(Peer from, in BulkHeader header, Memory<byte> payload)
        {
            Assert.Equal((byte)(header.Step.Value * 7), payload.Span[0]);
            Add(header.Step.Value);
            Interlocked.Increment(ref _back);
        }

        public void Damaged(Peer from, in BulkHeader header, string why) => Interlocked.Increment(ref _damaged);

        public void Return(Memory<byte> rented) => Interlocked.Increment(ref _back);

        public override string ToString() => $"{_lent} lent, {_back} back, {_damaged} damaged";
    }
}
