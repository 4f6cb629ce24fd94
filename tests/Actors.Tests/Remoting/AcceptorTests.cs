using System.Net;
using System.Net.Sockets;
using System.Text;
using Convoy.Actors.Remoting;
using Convoy.Actors.Remoting.Frames;
using Convoy.Shared.Protocol;

namespace Convoy.Actors.Tests.Remoting;

public sealed class AcceptorTests
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(20);

    [Fact]
    public async Task Foreign_bytes_go_to_the_callback_unconsumed()
    {
        var seen = new TaskCompletionSource<(Socket Socket, string First)>();
        await using var a = await Node.StartAsync("a", o => o with
        {
            Foreign = (socket, first) => seen.TrySetResult((socket, Encoding.ASCII.GetString(first.Span))),
        });
        using var client = await DialAsync(a);
        await client.SendAsync("GET / HTTP/1.1\r\n\r\n"u8.ToArray());
        var (socket, first) = await seen.Task.WaitAsync(Limit);
        using (socket)
        {
            Assert.Equal("GET ", first);
            var whole = new byte[18];
            var filled = 0;
            while (filled < whole.Length) filled += await socket.ReceiveAsync(whole.AsMemory(filled));
            Assert.Equal("GET / HTTP/1.1\r\n\r\n", Encoding.ASCII.GetString(whole));
        }
    }

    [Fact]
    public async Task Foreign_bytes_without_a_callback_are_closed_and_counted()
    {
        await using var a = await Node.StartAsync("a");
        using var client = await DialAsync(a);
        await client.SendAsync("SSH-2.0"u8.ToArray());
        await ExpectClosedAsync(client);
        Assert.Equal(1, a.Remoting.RefusedCount);
        Assert.Contains(a.LogLines, l => l.Contains("not a convoy connection", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_connection_that_says_nothing_or_only_half_a_greeting_is_closed_in_time()
    {
        await using var a = await Node.StartAsync("a",
            o => o with { HandshakeTimeout = TimeSpan.FromMilliseconds(200) });
        using var silent = await DialAsync(a);
        using var slow = await DialAsync(a);
        await slow.SendAsync("CN"u8.ToArray());
        using var half = await DialAsync(a);
        await half.SendAsync(Greet()[..20]);
        await ExpectClosedAsync(silent);
        await ExpectClosedAsync(slow);
        await ExpectClosedAsync(half);
    }

    [Fact]
    public async Task One_lane_alone_is_not_kept()
    {
        await using var a = await Node.StartAsync("a",
            o => o with { HandshakeTimeout = TimeSpan.FromMilliseconds(200) });
        using var lonely = await DialAsync(a);
        await lonely.SendAsync(Greet());
        await ReadAnswerAsync(lonely);
        await ExpectClosedAsync(lonely);
        Assert.True(SpinWait.SpinUntil(() => a.Remoting.AcceptedLinks.Count == 0, Limit));
        Assert.False(a.Links.HasMessages);
    }

    [Fact]
    public async Task No_more_than_the_limit_shake_hands_at_a_time()
    {
        await using var a = await Node.StartAsync("a", o => o with { HandshakesMax = 3 });
        var open = new List<Socket>();
        for (var i = 0; i < 3; i++) open.Add(await DialAsync(a));
        using var over = await DialAsync(a);
        await ExpectClosedAsync(over);
        open.ForEach(s => s.Dispose());
    }

    [Fact]
    public async Task A_bulk_lane_without_its_session_is_refused()
    {
        await using var a = await Node.StartAsync("a");
        using var client = await DialAsync(a);
        await client.SendAsync(Greet(Lane.Bulk));
        Assert.Equal(AnswerKind.SessionOver, (await ReadAnswerAsync(client)).Kind);
    }

    [Fact] // decision 11: seeded garbage costs a closed connection, no more
    public async Task Mutated_greetings_never_hurt_the_listener()
    {
        await using var a = await Node.StartAsync("a",
            o => o with { HandshakeTimeout = TimeSpan.FromMilliseconds(500) });
        var random = new Seeded(11);
        for (var round = 0; round < 1_000; round++)
        {
            using var client = await DialAsync(a);
            var bytes = random.Mutate(Greet(round % 2 == 0 ? Lane.Control : Lane.Bulk));
            try
            {
                await client.SendAsync(bytes);
                if (round % 4 == 0) await client.SendAsync(random.Bytes(200));
            }
            catch (SocketException)
            {
                // Refused before it was all sent.
            }
        }

        await ExpectAliveAsync(a);
    }

    [Fact]
    public async Task Mutated_control_frames_end_their_link_and_nothing_else()
    {
        await using var a = await Node.StartAsync("a",
            o => o with { HandshakeTimeout = TimeSpan.FromMilliseconds(500) });
        var random = new Seeded(12);
        for (var round = 0; round < 300; round++)
        {
            using var control = await DialAsync(a);
            await control.SendAsync(Greet(Lane.Control, (ulong)round + 1));
            await ReadAnswerAsync(control);
            using var bulk = await DialAsync(a);
            await bulk.SendAsync(Greet(Lane.Bulk, (ulong)round + 1));
            await ReadAnswerAsync(bulk);
            try
            {
                var (lane, frame) = round % 2 == 0 ? (control, ControlFrames()) : (bulk, BulkFrame());
                for (var i = 0; i < 5; i++) await lane.SendAsync(random.Mutate(frame));
            }
            catch (SocketException)
            {
                // The link was ended.
            }
        }

        Assert.True(GC.GetTotalMemory(forceFullCollection: true) < 256 << 20);
        await ExpectAliveAsync(a);
    }

    [Fact]
    public void Mutated_bytes_never_throw_in_the_codecs()
    {
        var random = new Seeded(13);
        var greeting = Greet();
        for (var round = 0; round < 20_000; round++)
        {
            var bytes = random.Mutate(greeting);
            if (bytes.Length >= Handshake.HeadBytes
                && Handshake.TryReadHead(bytes, out var kind, out var length) is null
                && bytes.Length >= Handshake.HeadBytes + length)
            {
                _ = Handshake.TryReadGreeting(kind, bytes.AsSpan(Handshake.HeadBytes, length), out _);
                _ = Handshake.TryReadAnswer(kind, bytes.AsSpan(Handshake.HeadBytes, length), out _);
            }

            var frames = random.Mutate(ControlFrames());
            if (ControlCodec.TryReadLength(frames, out var whole) is null && whole > 0 && whole <= frames.Length)
                _ = ControlCodec.TryRead(frames.AsSpan(0, whole), out _);
        }
    }

    [Fact]
    public void A_greeting_and_an_answer_survive_the_wire()
    {
        var greeting = new Greeting(Lane.Bulk, 1, 2, 3, 4, 5, 6, "näme", "build", ["a", "b"]);
        var bytes = Handshake.Encode(greeting);
        Assert.Null(Handshake.TryReadHead(bytes, out var kind, out var length));
        Assert.Null(Handshake.TryReadGreeting(kind, bytes.AsSpan(Handshake.HeadBytes, length), out var read));
        Assert.Equivalent(greeting, read);
        bytes = Handshake.Encode(new Answer(AnswerKind.Refused, 7, 8, "n", ["protocol: 1 here, 2 there"]));
        Assert.Null(Handshake.TryReadHead(bytes, out kind, out length));
        Assert.Null(Handshake.TryReadAnswer(kind, bytes.AsSpan(Handshake.HeadBytes, length), out var answer));
        Assert.Equal("protocol: 1 here, 2 there", Assert.Single(answer!.Texts));
    }

    private static byte[] Greet(Lane lane = Lane.Control, ulong link = 1) => Handshake.Encode(new Greeting(
        lane, Handshake.ProtocolVersion, 0xFEED, 0, link, 1, 0, "fuzz", "b1", []));

    private static byte[] ControlFrames()
    {
        var content = new ControlContent(FrameKind.Message, "inbox", "$9")
        {
            Message = Node.Step(1),
            MessageNumber = 33,
            Size = Node.Step(1).CalculateSize(),
        };
        var bytes = new byte[ControlCodec.SizeOf(content) + ControlCodec.FixedBytes];
        ControlCodec.Write(bytes.AsSpan(0, ControlCodec.SizeOf(content)), 1, content);
        ControlCodec.WriteUnnumbered(bytes.AsSpan(ControlCodec.SizeOf(content)), FrameKind.Ack, 0);
        return bytes;
    }

    private static byte[] BulkFrame()
    {
        var bytes = new byte[BulkHeader.Size + 100];
        (BulkSink.Header(1) with { PayloadBytes = 100, PayloadCrc = Crc32C.Of(bytes.AsSpan(BulkHeader.Size)) })
            .Write(bytes);
        return bytes;
    }

    private static async Task<Socket> DialAsync(Node node)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(IPEndPoint.Parse(node.Remoting.Address)).WaitAsync(Limit);
        return socket;
    }

    private static async Task<Answer> ReadAnswerAsync(Socket socket)
    {
        using var limit = new CancellationTokenSource(Limit);
        return await Convoy.Actors.Remoting.Lanes.HandshakeIo.ReadAnswerAsync(
            new Convoy.Actors.Remoting.Connections.SocketConnection(socket), limit.Token);
    }

    private static async Task ExpectClosedAsync(Socket socket)
    {
        try
        {
            Assert.Equal(0, await socket.ReceiveAsync(new byte[1]).WaitAsync(Limit));
        }
        catch (SocketException)
        {
            // Reset: closed with our bytes unread.
        }
    }

    private static async Task ExpectAliveAsync(Node node)
    {
        await using var other = await Node.StartAsync("other");
        var peer = other.Dial(node);
        other.Links.FishForMessage<LinkUp>();
        peer.Actor("inbox").Tell(Node.Step(77));
        node.Inbox.FishForMessage<StepDone>(s => s.Step == 77);
    }

    /// <summary>Seeded garbage: the same seed gives the same bytes.</summary>
    private sealed class Seeded(ulong seed)
    {
        private ulong _state = seed * 0x9E3779B97F4A7C15;

        public byte[] Bytes(int count)
        {
            var bytes = new byte[count];
            for (var i = 0; i < count; i++) bytes[i] = (byte)Next(256);
            return bytes;
        }

        public byte[] Mutate(byte[] valid)
        {
            var bytes = (byte[])valid.Clone();
            for (var i = Next(4); i >= 0; i--)
            {
                switch (Next(5))
                {
                    case 0: bytes[Next(bytes.Length)] ^= (byte)(1 << Next(8)); break;
                    case 1: bytes[Next(bytes.Length)] = (byte)Next(256); break;
                    case 2: bytes[Next(bytes.Length)] = 0xFF; break;
                    case 3: if (bytes.Length > 2) bytes = bytes[..Next(bytes.Length)]; break;
                    default: bytes = [.. bytes, .. Bytes(Next(40))]; break;
                }

                if (bytes.Length == 0) bytes = [0];
            }

            return bytes;
        }

        private int Next(int below)
        {
            _state = _state * 6364136223846793005 + 1442695040888963407;
            return (int)((_state >> 33) % (ulong)below);
        }
    }
}
