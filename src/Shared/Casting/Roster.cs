using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Google.Protobuf;

namespace Convoy.Shared.Casting;

/// <summary>
/// Who is in a generation: number, process start and address of each member, sorted by number. It travels once to each
/// member and is named by its SHA-256 from then on. Read in place: of ten thousand entries a node of a tree needs
/// forty.
/// </summary>
/// <remarks>
/// Little-endian: members (int32); for each worker id (int32), incarnation (uint64), end of its address in the text
/// (int32); then the text, UTF-8.
/// </remarks>
public sealed class Roster
{
    private const int HeadBytes = 4;
    private const int EntryBytes = 16;
    private const int AddressBytesMax = 512;
    private readonly ByteString _content;

    private Roster(ByteString content)
    {
        _content = content;
        Sha256 = ByteString.CopyFrom(SHA256.HashData(content.Span));
        Count = BinaryPrimitives.ReadInt32LittleEndian(content.Span);
    }

    public ByteString Content => _content;
    public ByteString Sha256 { get; }
    public int Count { get; }

    public WorkerId WorkerAt(int position) => new(BinaryPrimitives.ReadInt32LittleEndian(Entry(position)));

    public Incarnation IncarnationAt(int position) =>
        new(BinaryPrimitives.ReadUInt64LittleEndian(Entry(position)[4..]));

    public string AddressAt(int position)
    {
        var from = position == 0 ? 0 : EndOf(position - 1);
        return Encoding.UTF8.GetString(Text[from..EndOf(position)]);
    }

    /// <summary>Position of a worker in the list; -1: it is not there.</summary>
    public int IndexOf(WorkerId worker)
    {
        for (var (from, end) = (0, Count); from < end;)
        {
            var middle = (from + end) / 2;
            var order = WorkerAt(middle).CompareTo(worker);
            if (order == 0) return middle;
            if (order < 0) from = middle + 1;
            else end = middle;
        }

        return -1;
    }

    /// <param name="members">Sorted by worker, each once.</param>
    public static Roster Of(IReadOnlyList<Member> members)
    {
        var text = Encoding.UTF8.GetBytes(string.Concat(members.Select(m => m.PeerAddress)));
        var content = new byte[HeadBytes + (members.Count * EntryBytes) + text.Length];
        BinaryPrimitives.WriteInt32LittleEndian(content, members.Count);
        var end = 0;
        for (var i = 0; i < members.Count; i++)
        {
            end += Encoding.UTF8.GetByteCount(members[i].PeerAddress);
            var entry = content.AsSpan(HeadBytes + (i * EntryBytes), EntryBytes);
            BinaryPrimitives.WriteInt32LittleEndian(entry, members[i].WorkerId);
            BinaryPrimitives.WriteUInt64LittleEndian(entry[4..], members[i].Incarnation);
            BinaryPrimitives.WriteInt32LittleEndian(entry[12..], end);
        }

        text.CopyTo(content.AsSpan(content.Length - text.Length));
        var bytes = UnsafeByteOperations.UnsafeWrap(content);
        Invariant.Check(RefuseContent(bytes.Span) is null, RefuseContent(bytes.Span) ?? "");
        return new Roster(bytes);
    }

    /// <summary>What came from a peer. Null, and the broken rule, when it is no list.</summary>
    public static Roster? Read(ByteString content, out string? broken)
    {
        broken = RefuseContent(content.Span);
        return broken is null ? new Roster(content) : null;
    }

    private static string? RefuseContent(ReadOnlySpan<byte> content)
    {
        if (content.Length < HeadBytes)
            return $"a list of members has at least {HeadBytes} bytes, {content.Length} came";
        var count = BinaryPrimitives.ReadInt32LittleEndian(content);
        if (count is < 1 or > Limits.WorkersMax) return $"a list has 1 to {Limits.WorkersMax} members, not {count}";
        var textBytes = content.Length - HeadBytes - ((long)count * EntryBytes);
        if (textBytes < 0) return $"{count} members do not fit into {content.Length} bytes";
        var (worker, end) = (-1, 0);
        for (var entries = content.Slice(HeadBytes, count * EntryBytes); entries.Length > 0; entries =
            entries[EntryBytes..])
        {
            var next = BinaryPrimitives.ReadInt32LittleEndian(entries);
            if (next <= worker) return $"w{next} follows w{worker}: members are sorted, each once";
            var nextEnd = BinaryPrimitives.ReadInt32LittleEndian(entries[12..]);
            if (nextEnd < end || nextEnd > textBytes || nextEnd - end > AddressBytesMax)
                return $"the address of w{next} lies at {end} to {nextEnd} of {textBytes} bytes";
            (worker, end) = (next, nextEnd);
        }

        return end == textBytes ? null : $"{textBytes - end} bytes follow the last address";
    }

    private ReadOnlySpan<byte> Entry(int position) =>
        _content.Span.Slice(HeadBytes + (position * EntryBytes), EntryBytes);

    private int EndOf(int position) => BinaryPrimitives.ReadInt32LittleEndian(Entry(position)[12..]);

    private ReadOnlySpan<byte> Text => _content.Span[(HeadBytes + (Count * EntryBytes))..];
}
