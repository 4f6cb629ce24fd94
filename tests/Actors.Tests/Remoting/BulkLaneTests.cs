using System.Buffers;
using Convoy.Actors.Remoting;
using Convoy.Shared;
using Convoy.Shared.Protocol;

namespace Convoy.Actors.Tests.Remoting;

public sealed class BulkLaneTests
{
    [Theory]
    [InlineData(32, true, "shared memory")]
    [InlineData(32, false, "TCP")] // on threads of their own
    [InlineData(0, false, "TCP")]  // on the pool
    public async Task Frames_of_all_sizes_arrive_whole_and_in_order_and_their_owners_are_told(
        int threadPairs, bool shared, string path) // DIST-07
    {
        using var folder = new TempFolder();
        RemotingOptions Change(RemotingOptions o) =>
            o with
            {
                BulkThreadPairsMax = threadPairs,
                SharedMemory = shared,
                UnixSockets = shared,
                SharedMemoryFolder = folder.Path
            };
        await using var a = await Node.StartAsync("a", Change);
        await using var b = await Node.StartAsync("b", Change);
        var (here, there) = a.Join(b);
        Assert.Contains(a.LogLines, l => l.Contains($"bulk over {path}", StringComparison.Ordinal));
        int[] sizes = [0, 1, 63, 4_096, 16_384, 16_385, 65_536, 65_537, 1 << 20, 3, Limits.BulkPayloadBytesMax, 0, 17];
        var done = new Completion();
        for (var i = 0; i < sizes.Length; i++)
            Assert.True(here.TrySendBulk(BulkSink.Header(i), Pattern(sizes[i], i), done));
        for (var i = 0; i < sizes.Length; i++)
        {
            var frame = b.Bulk.Expect<BulkSink.Frame>();
            Assert.Same(there, frame.From);
            Assert.Equal((i, sizes[i]), ((int)frame.Header.Step.Value, frame.Header.PayloadBytes));
            Assert.Equal(Pattern(sizes[i], i), frame.Payload);
            Assert.True(done.Expect());
        }
    }

    [Fact]
    public async Task Both_directions_share_a_link_also_when_one_end_has_no_thread_to_lend()
    {
        await using var a = await Node.StartAsync("a", o => o with { BulkThreadPairsMax = 0, SharedMemory = false });
        await using var b = await Node.StartAsync("b");
        var (here, there) = a.Join(b);
        for (var i = 0; i < 8; i++)
        {
            Assert.True(here.TrySendBulk(BulkSink.Header(i), Pattern(1 << 20, i)));
            Assert.True(there.TrySendBulk(BulkSink.Header(100 + i), Pattern(1 << 20, i)));
        }

        for (var i = 0; i < 8; i++)
        {
            Assert.Equal(i, b.Bulk.Expect<BulkSink.Frame>().Header.Step.Value);
            Assert.Equal(100 + i, a.Bulk.Expect<BulkSink.Frame>().Header.Step.Value);
        }
    }

    [Fact]
    public async Task A_refused_frame_is_drained_and_the_next_one_arrives()
    {
        await using var a = await Node.StartAsync("a");
        await using var b = await Node.StartAsync("b");
        var (here, _) = a.Join(b);
        b.Bulk.Refuse = true;
        var done = new Completion();
        Assert.True(here.TrySendBulk(BulkSink.Header(1), Pattern(300_000, 1), done));
        Assert.True(done.Expect());
        Assert.True(here.TrySendBulk(BulkSink.Header(2), ReadOnlyMemory<byte>.Empty, done));
        Assert.Equal(2, b.Bulk.Expect<BulkSink.Frame>().Header.Step.Value); // an empty frame rents nothing
        b.Bulk.Refuse = false;
        Assert.True(here.TrySendBulk(BulkSink.Header(3), Pattern(300_000, 3)));
        Assert.Equal(3, b.Bulk.Expect<BulkSink.Frame>().Header.Step.Value);
    }

    [Fact]
    public async Task A_full_queue_says_no_and_takes_again_when_it_has_room()
    {
        await using var a = await Node.StartAsync("a", o => o with { BulkQueueBytesMax = 2 << 20 });
        await using var b = await Node.StartAsync("b");
        var (here, _) = a.Join(b);
        using var open = new ManualResetEventSlim();
        b.Remoting.Bulk = new Gate(open);
        var payload = Pattern(1 << 20, 0);
        var taken = 0;
        while (here.TrySendBulk(BulkSink.Header(taken), payload))
            Assert.True(++taken < 1_000, "the queue has no bound");
        open.Set();
        var room = new Completion();
        while (!here.TrySendBulk(BulkSink.Header(taken), payload, room)) await Task.Yield();
        Assert.True(room.Expect());
    }

    [Fact] // R28: the wait has a bound and a name, and ends with its link
    public async Task A_sender_may_wait_for_room_until_its_deadline_or_the_end_of_the_link()
    {
        await using var a = await Node.StartAsync("a", o => o with { BulkQueueFramesMax = 2 });
        await using var b = await Node.StartAsync("b");
        var (here, _) = a.Join(b);
        using var open = new ManualResetEventSlim();
        b.Remoting.Bulk = new Gate(open);
        var payload = Pattern(2 << 20, 0); // more than a ring
        var taken = -1;
        BulkSend overdue;
        do
        {
            Assert.True(++taken < 1_000, "the queue has no bound");
            overdue = await here.SendBulkAsync(BulkSink.Header(taken), payload,
                new BulkWait("state for w3", TimeSpan.FromMilliseconds(20)));
        }
        while (overdue.IsTaken);

        Assert.Equal((false, $"state for w3 waited 0.02 s for room on the bulk lane to {here}"),
            (overdue.IsTaken, overdue.Why));
        var sent = new Completion();
        var waiting = here.SendBulkAsync(
            BulkSink.Header(taken), payload, new BulkWait("state for w3", TimeSpan.FromSeconds(60)), sent).AsTask();
        open.Set();
        Assert.True((await waiting).IsTaken);
        Assert.True(sent.Expect());
        here.Close();
        var late = await here.SendBulkAsync(BulkSink.Header(taken), payload,
            new BulkWait("state for w3", TimeSpan.FromSeconds(60)));
        Assert.Equal((false, $"state for w3: the link to {here} is Closed"), (late.IsTaken, late.Why));
    }

    [Fact]
    public async Task A_payload_that_changes_under_way_is_reported_as_damaged_and_its_memory_returned()
    {
        // Shared memory takes the checksum of what it copies: there the payload would be whole.
        await using var a = await Node.StartAsync("a", o => o with { SharedMemory = false, UnixSockets = false });
        await using var b = await Node.StartAsync("b");
        var (here, _) = a.Join(b);
        using var changing = new ChangingMemory(200_000);
        Assert.True(here.TrySendBulk(BulkSink.Header(5), changing.Memory));
        var damage = b.Bulk.Expect<BulkSink.Damage>();
        Assert.Equal(5, damage.Header.Step.Value);
        Assert.Contains("checksum", damage.Why, StringComparison.Ordinal);
        Assert.Equal(1, b.Bulk.Returned);
        Assert.True(here.TrySendBulk(BulkSink.Header(6), Pattern(100, 6)));
        Assert.Equal(6, b.Bulk.Expect<BulkSink.Frame>().Header.Step.Value);
    }

    [Fact]
    public async Task A_link_that_is_not_up_takes_nothing()
    {
        await using var a = await Node.StartAsync("a");
        await using var b = await Node.StartAsync("b");
        var (here, _) = a.Join(b);
        here.Close();
        a.Links.ExpectMsg<LinkDown>();
        Assert.False(here.TrySendBulk(BulkSink.Header(1), Pattern(10, 1), new Completion()));
        Assert.Throws<ArgumentException>(() =>
            here.TrySendBulk(BulkSink.Header(1), new byte[Limits.BulkPayloadBytesMax + 1]));
    }

    private static byte[] Pattern(int bytes, int seed)
    {
        var pattern = new byte[bytes];
        for (var i = 0; i < bytes; i++) pattern[i] = (byte)(i * 31 + (i >> 8) + seed);
        return pattern;
    }

    private sealed class Gate(ManualResetEventSlim open) : IBulkReceiver
    {
        public Memory<byte> Rent(Peer from, in BulkHeader header)
        {
            open.Wait(TimeSpan.FromSeconds(20));
            return new byte[header.PayloadBytes];
        }

        public void Received(Peer from, in BulkHeader header, Memory<byte> payload)
        {
        }

        public void Damaged(Peer from, in BulkHeader header, string why)
        {
        }
    }

    /// <summary>
    /// Stands for a buffer that is written while it is being sent: other bytes each time it is looked at.
    /// </summary>
    private sealed class ChangingMemory(int bytes) : MemoryManager<byte>
    {
        private readonly byte[] _bytes = GC.AllocateArray<byte>(bytes, pinned: true);

        public override Span<byte> GetSpan()
        {
            _bytes[17]++;
            return _bytes;
        }

        public override unsafe MemoryHandle Pin(int elementIndex = 0)
        {
            _bytes[17]++;
            return new MemoryHandle(System.Runtime.CompilerServices.Unsafe.AsPointer(ref _bytes[elementIndex]));
        }

        public override void Unpin()
        {
        }

        protected override void Dispose(bool disposing)
        {
        }
    }
}
