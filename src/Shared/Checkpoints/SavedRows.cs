using System.Buffers.Binary;
using System.Security.Cryptography;
using Convoy.Shared.Protocol;
using Google.Protobuf;

namespace Convoy.Shared.Checkpoints;

/// <summary>
/// Rows of steps that nobody led: whoever saves a state alone puts them beside it, and whoever goes on from the state
/// takes them into the metrics, so that each step has its row again (S5). Rows are no state: a file that is damaged
/// costs them alone.
/// </summary>
/// <param name="Workers">Members that trained these steps.</param>
/// <param name="Samples">Of an epoch.</param>
/// <param name="Reports">Oldest first; what a report has twice was told twice.</param>
public sealed record SavedRows(int Workers, long Samples, IReadOnlyList<StepReport> Reports)
{
    public const string FileName = "rows.bin";
    private const long BytesMax = 64L << 20;
    private const int NumbersBytes = sizeof(int) + sizeof(long);

    private static ReadOnlySpan<byte> Magic => "CVYROWS1"u8;

    /// <summary>Magic, SHA-256 of the rest, workers, samples (little endian), reports with their lengths.</summary>
    public byte[] Encode()
    {
        using var body = new MemoryStream();
        Span<byte> numbers = stackalloc byte[NumbersBytes];
        BinaryPrimitives.WriteInt32LittleEndian(numbers, Workers);
        BinaryPrimitives.WriteInt64LittleEndian(numbers[sizeof(int)..], Samples);
        body.Write(numbers);
        foreach (var report in Reports) report.WriteDelimitedTo(body);
        var content = body.GetBuffer().AsSpan(0, (int)body.Length);
        return [.. Magic, .. SHA256.HashData(content), .. content];
    }

    /// <summary>Throws a UserException where the file is not what was written.</summary>
    public static SavedRows Decode(Stream stream, string file)
    {
        var head = Magic.Length + SHA256.HashSizeInBytes;
        if (stream.Length < head + NumbersBytes || stream.Length > BytesMax)
            throw Damage.Because(file, $"{stream.Length} bytes are not rows of steps");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        var content = bytes.AsSpan(head);
        if (!bytes.AsSpan().StartsWith(Magic)
            || !SHA256.HashData(content).AsSpan().SequenceEqual(bytes.AsSpan(Magic.Length, SHA256.HashSizeInBytes)))
            throw Damage.Because(file, "the rows were changed or damaged (their SHA-256 differs)");
        var reports = new List<StepReport>();
        using var rest = new MemoryStream(bytes, head + NumbersBytes, bytes.Length - head - NumbersBytes);
        try
        {
            while (rest.Position < rest.Length) reports.Add(StepReport.Parser.ParseDelimitedFrom(rest));
        }
        catch (InvalidProtocolBufferException e)
        {
            throw Damage.Because(file, $"the rows cannot be read: {e.Message}");
        }

        return new SavedRows(BinaryPrimitives.ReadInt32LittleEndian(content),
            BinaryPrimitives.ReadInt64LittleEndian(content[sizeof(int)..]), reports);
    }
}
