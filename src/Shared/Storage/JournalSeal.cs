using System.Buffers.Binary;
using System.Text;
using Convoy.Shared.Protocol;

namespace Convoy.Shared.Storage;

/// <summary>
/// CRC32C of a journal's rows. That of an event covers the event before it in its stream too, so a row that was
/// changed, lost or moved shows, also where what is left is a database and JSON.
/// </summary>
internal static class JournalSeal
{
    /// <summary>Of the event before the first.</summary>
    public const long None = 0;

    public static long OfEvent(
        long before, string stream, long seq, long token, string type, string json, long utcMs) =>
        Of([before, seq, token, utcMs], stream, type, json);

    public static long OfLease(string holder, long token, long expiresMs) => Of([token, expiresMs], holder);

    /// <summary>Lengths go first: no two rows have the same bytes.</summary>
    private static long Of(ReadOnlySpan<long> numbers, params ReadOnlySpan<string> texts)
    {
        var running = ~0u;
        Span<byte> eight = stackalloc byte[sizeof(long)];
        foreach (var number in numbers)
        {
            BinaryPrimitives.WriteInt64LittleEndian(eight, number);
            running = Crc32C.Append(running, eight);
        }

        foreach (var text in texts)
        {
            var bytes = Encoding.UTF8.GetBytes(text);
            BinaryPrimitives.WriteInt64LittleEndian(eight, bytes.Length);
            running = Crc32C.Append(Crc32C.Append(running, eight), bytes);
        }

        return ~running;
    }
}

/// <summary>
/// What a journal has at least: its events and the newest token, in a small file beside it. Written after a commit and
/// not flushed, so it may be older than the journal and is never newer; a journal that has less lost what was promised.
/// </summary>
internal static class JournalHead
{
    private const int Bytes = 32;

    private static ReadOnlySpan<byte> Magic => "CVYHEAD1"u8;

    public static string FileOf(string journal) => journal + "-head";

    public static void Write(string journal, long events, long token)
    {
        Span<byte> head = stackalloc byte[Bytes];
        head.Clear();
        Magic.CopyTo(head);
        BinaryPrimitives.WriteInt64LittleEndian(head[8..], events);
        BinaryPrimitives.WriteInt64LittleEndian(head[16..], token);
        BinaryPrimitives.WriteUInt32LittleEndian(head[24..], Crc32C.Of(head[..24]));
        try
        {
            using var file = new FileStream(FileOf(journal), FileMode.OpenOrCreate, FileAccess.Write,
                FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            file.Write(head);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // The journal is whole without it. A disk that takes nothing more shows at the next record.
        }
    }

    /// <summary>Zeros where there is none, or one that says nothing: it is a witness, not the journal.</summary>
    public static (long Events, long Token) Read(string journal)
    {
        Span<byte> head = stackalloc byte[Bytes];
        try
        {
            using var file = new FileStream(FileOf(journal), FileMode.Open, FileAccess.Read,
                FileShare.ReadWrite | FileShare.Delete, bufferSize: 0);
            if (file.ReadAtLeast(head, Bytes, throwOnEndOfStream: false) < Bytes) return default;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return default;
        }

        return head.StartsWith(Magic) && BinaryPrimitives.ReadUInt32LittleEndian(head[24..]) == Crc32C.Of(head[..24])
            ? (BinaryPrimitives.ReadInt64LittleEndian(head[8..]), BinaryPrimitives.ReadInt64LittleEndian(head[16..]))
            : default;
    }
}
