using System.Buffers.Binary;
using System.Text;

namespace Convoy.Actors.Remoting.Frames;

internal enum Lane : byte
{
    Control = 0,
    Bulk = 1,
    /// <summary>Bulk, by a dialler that would like to share memory: the answer may name a ring.</summary>
    SharedBulk = 2,
}

/// <summary>First words of the dialling side on each connection.</summary>
/// <param name="Lane">What the connection is for.</param>
/// <param name="Protocol">Version of everything after the handshake.</param>
/// <param name="Incarnation">Process start of the dialler.</param>
/// <param name="Expected">Incarnation of the acceptor in this session; 0 while the session is new and it is
/// unknown.</param>
/// <param name="Link">Number of the link among the dialler's links.</param>
/// <param name="Session">Number of the session on the link.</param>
/// <param name="Received">Control: highest sequence number received. Bulk: frames received.</param>
/// <param name="Node">Name of the dialler.</param>
/// <param name="Build">Build id of the dialler.</param>
/// <param name="Features">Feature flags of the dialler, sorted.</param>
internal sealed record Greeting(
    Lane Lane, ushort Protocol, ulong Incarnation, ulong Expected, ulong Link, uint Session, long Received,
    string Node, string Build, IReadOnlyList<string> Features)
{
    /// <summary>
    /// Incarnation that the dialler looks for; 0: whoever answers. A node has several addresses, and one of them may be
    /// another node's: that one says which process it is, and nothing comes about (R19).
    /// </summary>
    public ulong Wanted { get; init; }
}

internal enum AnswerKind : byte
{
    Accepted = 1,
    /// <summary>Versions differ.</summary>
    Refused = 2,
    /// <summary>The session is not known here: it ended, or this is another process.</summary>
    SessionOver = 3,
    Busy = 4,
    /// <summary>The certificate, or the want of one, does not allow this.</summary>
    Denied = 5,
}

/// <summary>The acceptor's answer.</summary>
internal sealed record Answer(AnswerKind Kind, ulong Incarnation, long Received, string Node,
    IReadOnlyList<string> Texts);

/// <summary>
/// Bytes of a handshake, little endian; the same frame carries the greeting and the answer:
/// <code>
///  0 magic "CNVY"   4 format (2) = 2   6 kind (1): lane or answer   7 zero (1)
///  8 body bytes (4), at most 4,096    12 body
/// </code>
/// Nothing is allocated for a body before its length has passed the check. Strings are a length (1 or 2 bytes) and
/// UTF-8.
/// </summary>
internal static class Handshake
{
    public const int HeadBytes = 12;
    public const int BodyBytesMax = 4_096;
    public const ushort Format = 2;
    public const ushort ProtocolVersion = 1;
    public const int NameBytesMax = 128;
    private const int TextsMax = 32;
    /// <summary>Of a line in a list: a difference, a feature, a reason.</summary>
    private const int TextBytesMax = byte.MaxValue;

    public static ReadOnlySpan<byte> Magic => "CNVY"u8;

    public static byte[] Encode(Greeting greeting)
    {
        var writer = new Writer((byte)greeting.Lane);
        writer.UInt16(greeting.Protocol);
        writer.UInt64(greeting.Incarnation);
        writer.UInt64(greeting.Expected);
        writer.UInt64(greeting.Link);
        writer.UInt32(greeting.Session);
        writer.UInt64((ulong)greeting.Received);
        writer.Text(greeting.Node);
        writer.Text(greeting.Build);
        writer.Texts(greeting.Features);
        writer.UInt64(greeting.Wanted);
        return writer.Finish();
    }

    public static byte[] Encode(Answer answer)
    {
        var writer = new Writer((byte)answer.Kind);
        writer.UInt64(answer.Incarnation);
        writer.UInt64((ulong)answer.Received);
        writer.Text(answer.Node);
        writer.Texts(answer.Texts);
        return writer.Finish();
    }

    /// <summary>Reads the head; returns why it is refused, or null.</summary>
    public static string? TryReadHead(ReadOnlySpan<byte> head, out byte kind, out int bodyBytes)
    {
        kind = 0;
        bodyBytes = 0;
        if (head.Length < HeadBytes || !head[..4].SequenceEqual(Magic)) return "not a convoy handshake";
        var format = BinaryPrimitives.ReadUInt16LittleEndian(head[4..]);
        if (format != Format) return $"handshake format {format}, here {Format}";
        kind = head[6];
        var length = BinaryPrimitives.ReadUInt32LittleEndian(head[8..]);
        if (head[7] != 0 || length > BodyBytesMax) return $"handshake of {length} bytes, the limit is {BodyBytesMax}";
        bodyBytes = (int)length;
        return null;
    }

    public static string? TryReadGreeting(byte kind, ReadOnlySpan<byte> body, out Greeting? greeting)
    {
        greeting = null;
        if (kind > (byte)Lane.SharedBulk) return $"there is no lane {kind}";
        var reader = new Reader(body);
        var read = new Greeting(
            (Lane)kind, reader.UInt16(), reader.UInt64(), reader.UInt64(), reader.UInt64(), reader.UInt32(),
            (long)reader.UInt64(), reader.Text(), reader.Text(), reader.Texts())
        { Wanted = reader.UInt64() };
        if (!reader.IsWhole) return "the greeting is cut short, or longer than its fields";
        if (read.Node.Length == 0 || read.Node.Length > NameBytesMax || read.Received < 0)
            return "the greeting has a bad field";
        greeting = read;
        return null;
    }

    public static string? TryReadAnswer(byte kind, ReadOnlySpan<byte> body, out Answer? answer)
    {
        answer = null;
        if (kind is < (byte)AnswerKind.Accepted or > (byte)AnswerKind.Denied) return $"there is no answer {kind}";
        var reader = new Reader(body);
        var read = new Answer((AnswerKind)kind, reader.UInt64(), (long)reader.UInt64(), reader.Text(), reader.Texts());
        if (!reader.IsWhole || read.Received < 0) return "the answer is cut short, or longer than its fields";
        answer = read;
        return null;
    }

    /// <summary>What does not match, one line each (R20); empty when the two can talk.</summary>
    public static List<string> Differences(Greeting theirs, string build, IReadOnlyList<string> features)
    {
        var differences = new List<string>();
        if (theirs.Protocol != ProtocolVersion)
            differences.Add($"protocol: {ProtocolVersion} here, {theirs.Protocol} at {theirs.Node}");
        if (!string.Equals(theirs.Build, build, StringComparison.Ordinal))
            differences.Add($"build: {build} here, {theirs.Build} at {theirs.Node}");
        foreach (var feature in features)
            if (!theirs.Features.Contains(feature, StringComparer.Ordinal))
                differences.Add($"feature {feature}: on here, off at {theirs.Node}");
        foreach (var feature in theirs.Features)
            if (!features.Contains(feature, StringComparer.Ordinal))
                differences.Add($"feature {feature}: off here, on at {theirs.Node}");
        return differences;
    }

    private sealed class Writer
    {
        private readonly byte[] _bytes = new byte[HeadBytes + BodyBytesMax];
        private int _at = HeadBytes;

        public Writer(byte kind)
        {
            Magic.CopyTo(_bytes);
            BinaryPrimitives.WriteUInt16LittleEndian(_bytes.AsSpan(4), Format);
            _bytes[6] = kind;
        }

        public void UInt16(ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Take(2), value);

        public void UInt32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Take(4), value);

        public void UInt64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Take(8), value);

        /// <summary>A text over its limit is cut between characters: a handshake must always fit.</summary>
        public void Text(string text, int bytesMax = TextBytesMax)
        {
            Span<byte> bytes = stackalloc byte[bytesMax];
            Encoding.UTF8.GetEncoder().Convert(text, bytes, flush: true, out _, out var count, out _);
            Take(1)[0] = (byte)count;
            bytes[..count].CopyTo(Take(count));
        }

        public void Texts(IReadOnlyList<string> texts)
        {
            var count = Math.Min(texts.Count, TextsMax);
            Take(1)[0] = (byte)count;
            if (count == 0) return;
            var room = (_bytes.Length - _at) / count - 1;
            for (var i = 0; i < count; i++) Text(texts[i], Math.Min(TextBytesMax, room));
        }

        public byte[] Finish()
        {
            BinaryPrimitives.WriteInt32LittleEndian(_bytes.AsSpan(8), _at - HeadBytes);
            return _bytes[.._at];
        }

        private Span<byte> Take(int count)
        {
            _at += count;
            return _bytes.AsSpan(_at - count, count);
        }
    }

    /// <summary>Reads past the end give zeros and make the whole unreadable: a caller checks once.</summary>
    private ref struct Reader(ReadOnlySpan<byte> body)
    {
        private ReadOnlySpan<byte> _left = body;
        private bool _bad;

        public readonly bool IsWhole => !_bad && _left.IsEmpty;

        public ushort UInt16() => Take(2) is { IsEmpty: false } b
            ? BinaryPrimitives.ReadUInt16LittleEndian(b) : (ushort)0;

        public uint UInt32() => Take(4) is { IsEmpty: false } b ? BinaryPrimitives.ReadUInt32LittleEndian(b) : 0;

        public ulong UInt64() => Take(8) is { IsEmpty: false } b ? BinaryPrimitives.ReadUInt64LittleEndian(b) : 0;

        public string Text()
        {
            var length = Take(1);
            if (length.IsEmpty) return "";
            var text = Encoding.UTF8.GetString(Take(length[0]));
            foreach (var c in text) _bad |= char.IsControl(c); // texts of a peer end up in logs and on terminals
            return text;
        }

        public List<string> Texts()
        {
            var count = Take(1);
            if (count.IsEmpty || count[0] > TextsMax)
            {
                _bad = true;
                return [];
            }

            var texts = new List<string>(count[0]);
            for (var i = 0; i < count[0] && !_bad; i++) texts.Add(Text());
            return texts;
        }

        private ReadOnlySpan<byte> Take(int count)
        {
            if (_bad || count > _left.Length)
            {
                _bad = true;
                return default;
            }

            var taken = _left[..count];
            _left = _left[count..];
            return taken;
        }
    }
}
