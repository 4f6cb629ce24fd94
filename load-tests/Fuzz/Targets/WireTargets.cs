using Convoy.Actors;
using Convoy.Actors.Remoting.Frames;
using Convoy.Shared;
using Convoy.Shared.Casting;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Tensors;
using Google.Protobuf;

namespace Convoy.Fuzz.Targets;

/// <summary>
/// Everything that is read from a peer's connection: handshakes, control frames with their messages, bulk headers.
/// </summary>
internal static class WireTargets
{
    public static IReadOnlyList<Target> All() =>
        [Greetings(), Answers(), ControlStreams(), BulkHeaders(), Rosters(), Pieces(), CopyFrames()];

    private static Target Greetings() => new("greeting",
    [
        Handshake.Encode(new Greeting(Lane.Control, Handshake.ProtocolVersion, 7, 0, 1, 1, 0, "w0",
            "0123456789ab", [])),
        Handshake.Encode(new Greeting(Lane.Bulk, Handshake.ProtocolVersion, 7, 9, 1, 3, 1_000, "worker-12.rack",
            "0123456789ab", ["shm", "tls"])),
        Handshake.Encode(new Greeting(Lane.Control, 2, ulong.MaxValue, 1, 2, uint.MaxValue, long.MaxValue,
            new string('n', 128), "b", [.. Enumerable.Range(0, 32).Select(i => $"feature-{i}")])),
    ], input =>
    {
        if (Handshake.TryReadHead(input, out var kind, out var body) is not null
            || input.Length < Handshake.HeadBytes + body) return false;
        if (Handshake.TryReadGreeting(kind, input.Slice(Handshake.HeadBytes, body), out var greeting) is not null)
            return false;
        // What was accepted can be said again and means the same.
        Invariant.Check(greeting!.Node.Length is > 0 and <= Handshake.NameBytesMax && greeting.Received >= 0,
            "a greeting has good fields");
        Handshake.Differences(greeting, "0123456789ab", ["tls"]);
        return true;
    });

    private static Target Answers() => new("answer",
    [
        Handshake.Encode(new Answer(AnswerKind.Accepted, 7, 12, "coordinator", [])),
        Handshake.Encode(new Answer(AnswerKind.Refused, 7, 0, "coordinator",
            ["protocol: 1 here, 2 at w0", "build: a here, b at w0"])),
        Handshake.Encode(new Answer(AnswerKind.Denied, 7, 0, "w1", [new string('x', 400)])),
    ], input =>
    {
        if (Handshake.TryReadHead(input, out var kind, out var body) is not null
            || input.Length < Handshake.HeadBytes + body) return false;
        return Handshake.TryReadAnswer(kind, input.Slice(Handshake.HeadBytes, body), out _) is null;
    });

    /// <summary>
    /// A run of frames, read as the control lane reads them: until bytes are missing or the stream is refused.
    /// </summary>
    private static Target ControlStreams() => new("control",
        [.. ControlMessages.All.Select(row => Stream(row.Id)), Stream(0), Bounces()], input =>
    {
        var accepted = false;
        while (true)
        {
            if (ControlCodec.TryReadLength(input, out var length) is not null || length == 0 || input.Length < length)
                return accepted;
            Invariant.Check(length is >= ControlCodec.FixedBytes and <= ControlCodec.LengthMax
                + ControlCodec.LengthBytes, "frames have a bound");
            if (ControlCodec.TryRead(input[..length], out var frame) is not null) return accepted;
            accepted |= frame.Kind != FrameKind.Message || Parses(in frame);
            input = input[length..];
        }
    })
    { Share = 200 };

    private static bool Parses(in ControlFrame frame)
    {
        if (ControlMessages.ParserOf(frame.MessageNumber) is not { } parser) return false;
        try
        {
            parser.ParseFrom(frame.Payload);
            return true;
        }
        catch (InvalidProtocolBufferException)
        {
            return false; // the frame bounces
        }
    }

    private static Target BulkHeaders() => new("bulk", [.. Enumerable.Range(0, 6).Select(Header)], input =>
        BulkHeader.TryRead(input, out var header) is null
            && header.PayloadBytes is >= 0 and <= Limits.BulkPayloadBytesMax);

    private static Target Rosters() => new("roster", [RosterOf(1), RosterOf(2), RosterOf(40)], input =>
    {
        if (Roster.Read(ByteString.CopyFrom(input), out var broken) is not { } roster) return broken!.Length == 0;
        for (var i = 0; i < roster.Count; i++)
            Invariant.Check(roster.IndexOf(roster.WorkerAt(i)) == i && roster.AddressAt(i) is not null,
                "every entry of a list can be read");
        return true;
    });

    /// <summary>A feed frame as a learner reads it: piece after piece, each inside its vector.</summary>
    private static Target Pieces() => new("feed", [PiecesOf(1, 100), PiecesOf(3, 4_096), PiecesOf(1, 8_292)], input =>
    {
        const int Elements = 8_292;
        var pieces = 0;
        while (input.Length > 0)
        {
            if (FeedHeader.TryRead(input, Elements, out var piece) is not null) return pieces > 0;
            Invariant.Check(
                piece.Offset >= 0 && piece.Count > 0 && piece.End <= Elements && piece.Bytes <= input.Length,
                "a piece that is accepted lies in the vector and in the frame");
            pieces++;
            input = input[piece.Bytes..];
        }

        return pieces > 0;
    });

    private static byte[] PiecesOf(int count, int elements)
    {
        var bytes = new byte[count * (FeedHeader.Size + (elements * sizeof(float)))];
        for (var i = 0; i < count; i++)
            new FeedHeader(new StepNumber(5 + i), new Fingerprint(77), elements == 100 ? 8_192 : 0, elements)
                .Write(bytes.AsSpan(i * bytes.Length / count));
        return bytes;
    }

    /// <summary>A frame of a copied state: what has a place is as long as its place.</summary>
    private static Target CopyFrames()
    {
        var frames = new SnapshotFrames([100_000, 700, 100_000]);
        return new Target("snapshot", [.. Enumerable.Range(0, frames.Count).Select(i => CopyFrame(frames, i))], input =>
        {
            if (BulkHeader.TryRead(input, out var header) is not null) return false;
            var frame = frames.Find(header.Bucket, header.Offset, header.PayloadBytes);
            if (frame < 0) return false;
            var (vector, offset, length) = frames.At(frame);
            Invariant.Check(offset + length <= (vector == 1 ? 700 : 100_000)
                && length * sizeof(float) == header.PayloadBytes, "a frame that has a place fits in it");
            return true;
        });
    }

    private static byte[] CopyFrame(SnapshotFrames frames, int i)
    {
        var (vector, offset, length) = frames.At(i);
        var bytes = new byte[BulkHeader.Size];
        new BulkHeader(BulkKind.Snapshot, 0, default(TreeNode), new Generation(1), new StepNumber(9), vector, 0, offset,
            length * sizeof(float), 0).Write(bytes);
        return bytes;
    }

    private static byte[] RosterOf(int members) => Roster.Of([.. Enumerable.Range(1, members).Select(i => new Member
    {
        WorkerId = i, Incarnation = (ulong)i << 40, PeerAddress = $"10.0.0.{i}:7000",
    })]).Content.ToByteArray();

    private static byte[] Header(int i)
    {
        var bytes = new byte[BulkHeader.Size];
        new BulkHeader(BulkKind.Partial, (byte)(i % 2), new TreeNode((byte)i, i), new Generation(i),
            new StepNumber(1L << (8 * i)), i, i, 0, 1 << (4 * i), 0xDEADBEEF).Write(bytes);
        return bytes;
    }

    private static byte[] Stream(ushort number)
    {
        var message = number == 0
            ? null : ControlMessages.ParserOf(number)!.ParseFrom([0x08, 0x07, 0x10, 0x01, 0x1A, 0x02, 0x08, 0x01]);
        var size = message?.CalculateSize() ?? 0;
        ControlContent[] contents =
        [
            new(message is null ? FrameKind.Watch : FrameKind.Message, "coordinator", "$12")
                { Message = message, MessageNumber = number, Size = size },
            new(FrameKind.Death, "node", "") { Code = 1 },
        ];
        var bytes = new byte[contents.Sum(c => ControlCodec.SizeOf(c)) + ControlCodec.FixedBytes];
        var at = 0;
        foreach (var content in contents)
        {
            ControlCodec.Write(bytes.AsSpan(at, ControlCodec.SizeOf(content)), at + 1, content);
            at += ControlCodec.SizeOf(content);
        }

        ControlCodec.WriteUnnumbered(bytes.AsSpan(at), FrameKind.Ack, 5);
        return bytes;
    }

    private static byte[] Bounces()
    {
        var bounce = new ControlContent(FrameKind.Bounce, "$3", "trainer")
        {
            Code = (byte)UndeliverableReason.TooLarge, MessageNumber = 33, Size = 1L << 40,
            Limit = Limits.ControlMessageBytesMax,
        };
        var bytes = new byte[ControlCodec.SizeOf(bounce) + ControlCodec.FixedBytes];
        ControlCodec.Write(bytes.AsSpan(0, ControlCodec.SizeOf(bounce)), 1, bounce);
        ControlCodec.WriteUnnumbered(bytes.AsSpan(ControlCodec.SizeOf(bounce)), FrameKind.Goodbye, 0);
        return bytes;
    }
}
