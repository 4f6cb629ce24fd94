using System.Buffers.Binary;
using Convoy.Shared.Ids;
using Convoy.Shared.Tensors;

namespace Convoy.Shared.Protocol;

/// <summary>What a bulk frame carries. The numbers are part of the wire.</summary>
public enum BulkKind : byte
{
    /// <summary>Partial sums of one tree node for one chunk: worker to the chunk's owner.</summary>
    Partial = 1,
    /// <summary>A fully reduced chunk: owner to every member.</summary>
    Reduced = 2,
    /// <summary>
    /// Loss sums (float64) of the sender's slices: every member to every member, also when its share is empty.
    /// </summary>
    Scalars = 3,
    /// <summary>A range of a member's state (weights, optimizer state): donor to joiner.</summary>
    State = 4,
    /// <summary>A frame of a copied state: donor to learner.</summary>
    Snapshot = 5,
    /// <summary>Pieces of reduced gradients (FeedRecord): member to learner.</summary>
    Feed = 6,
}

/// <summary>
/// Header of every bulk frame, little endian, 64 bytes:
/// <code>
///  0 magic "CBLK"      4 kind (1) codec (1) level (1) flags (1)
///  8 generation (8)   16 step (8)
/// 24 bucket (4)       28 chunk (4)
/// 32 node index (4)   36 payload bytes (4)
/// 40 offset (8): first element in flat storage order
/// 48 payload CRC32C (4)   52 plan (8)
/// 60 CRC32C of bytes 0..59 (4)
/// </code>
/// The plan says what frames of a step mean to their sender (docs/protocols/exchange.md); in the other kinds it is the
/// tag of the job (<see cref="JobTag"/>).
/// </summary>
public readonly record struct BulkHeader(
    BulkKind Kind, byte Codec, TreeNode Node, Generation Generation, StepNumber Step,
    int Bucket, int Chunk, long Offset, int PayloadBytes, uint PayloadCrc, ulong Plan = 0)
{
    public const int Size = 64;
    public const uint Magic = 0x4B4C4243;

    public void Write(Span<byte> to)
    {
        to[..Size].Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(to, Magic);
        to[4] = (byte)Kind;
        to[5] = Codec;
        to[6] = Node.Level;
        BinaryPrimitives.WriteInt64LittleEndian(to[8..], Generation.Value);
        BinaryPrimitives.WriteInt64LittleEndian(to[16..], Step.Value);
        BinaryPrimitives.WriteInt32LittleEndian(to[24..], Bucket);
        BinaryPrimitives.WriteInt32LittleEndian(to[28..], Chunk);
        BinaryPrimitives.WriteInt32LittleEndian(to[32..], Node.Index);
        BinaryPrimitives.WriteInt32LittleEndian(to[36..], PayloadBytes);
        BinaryPrimitives.WriteInt64LittleEndian(to[40..], Offset);
        BinaryPrimitives.WriteUInt32LittleEndian(to[48..], PayloadCrc);
        BinaryPrimitives.WriteUInt64LittleEndian(to[52..], Plan);
        BinaryPrimitives.WriteUInt32LittleEndian(to[60..], Crc32C.Of(to[..60]));
    }

    /// <summary>Reads a header; returns why it is refused, or null.</summary>
    public static string? TryRead(ReadOnlySpan<byte> from, out BulkHeader header)
    {
        header = default;
        if (from.Length < Size) return "a bulk header has 64 bytes";
        if (BinaryPrimitives.ReadUInt32LittleEndian(from) != Magic) return "not a bulk frame";
        if (BinaryPrimitives.ReadUInt32LittleEndian(from[60..]) != Crc32C.Of(from[..60]))
            return "header checksum differs";
        var bytes = BinaryPrimitives.ReadInt32LittleEndian(from[36..]);
        if (bytes < 0 || bytes > Limits.BulkPayloadBytesMax)
            return $"payload of {bytes} bytes is over the limit of {Limits.BulkPayloadBytesMax}";
        header = new BulkHeader(
            (BulkKind)from[4], from[5], new TreeNode(from[6], BinaryPrimitives.ReadInt32LittleEndian(from[32..])),
            new Generation(BinaryPrimitives.ReadInt64LittleEndian(from[8..])),
            new StepNumber(BinaryPrimitives.ReadInt64LittleEndian(from[16..])),
            BinaryPrimitives.ReadInt32LittleEndian(from[24..]), BinaryPrimitives.ReadInt32LittleEndian(from[28..]),
            BinaryPrimitives.ReadInt64LittleEndian(from[40..]), bytes,
            BinaryPrimitives.ReadUInt32LittleEndian(from[48..]), BinaryPrimitives.ReadUInt64LittleEndian(from[52..]));
        return null;
    }
}
