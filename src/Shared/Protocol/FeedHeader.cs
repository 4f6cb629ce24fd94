using System.Buffers.Binary;
using Convoy.Shared.Ids;

namespace Convoy.Shared.Protocol;

/// <summary>
/// A piece of the reduced gradient of one step, as it is fed to learners. A frame of kind Feed has one or more of them,
/// one after the other; its header's step is the newest that the sender has applied. Little endian:
/// <code>
///  0 step (8)            8 H of the state after it (8)
/// 16 first element (8)  24 elements (4)   28 reserved (4)
/// 32 the elements, float32
/// </code>
/// </summary>
public readonly record struct FeedHeader(StepNumber Step, Fingerprint Fingerprint, long Offset, int Count)
{
    public const int Size = 32;
    public const int Floats = Size / sizeof(float);

    /// <summary>Elements of the largest piece: 1 MB.</summary>
    public const int ElementsMax = 256 << 10;

    /// <summary>The first element after the piece.</summary>
    public long End => Offset + Count;

    /// <summary>Of the header and the elements.</summary>
    public int Bytes => Size + (Count * sizeof(float));

    public void Write(Span<byte> to)
    {
        BinaryPrimitives.WriteInt64LittleEndian(to, Step.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(to[8..], Fingerprint.Value);
        BinaryPrimitives.WriteInt64LittleEndian(to[16..], Offset);
        BinaryPrimitives.WriteInt32LittleEndian(to[24..], Count);
        BinaryPrimitives.WriteInt32LittleEndian(to[28..], 0);
    }

    /// <summary>Reads the piece at the start of the bytes; returns why there is none, or null.</summary>
    public static string? TryRead(ReadOnlySpan<byte> from, long elements, out FeedHeader header)
    {
        header = default;
        if (from.Length < Size) return "a piece has at least 32 bytes";
        header = new FeedHeader(new StepNumber(BinaryPrimitives.ReadInt64LittleEndian(from)),
            new Fingerprint(BinaryPrimitives.ReadUInt64LittleEndian(from[8..])),
            BinaryPrimitives.ReadInt64LittleEndian(from[16..]), BinaryPrimitives.ReadInt32LittleEndian(from[24..]));
        return header.Step.Value <= 0 ? $"step {header.Step} is no step"
            : header.Count is <= 0 or > ElementsMax || header.Offset < 0 || header.Offset > elements - header.Count
                ? $"elements [{header.Offset}, +{header.Count}) are not inside {elements}"
            : header.Offset % Limits.NormBlock != 0 ? $"element {header.Offset} is not on a border"
            : header.End % Limits.NormBlock != 0 && header.End != elements ? $"element {header.End} is not on a border"
            : header.Bytes > from.Length ? $"{header.Count} elements are not in {from.Length} bytes"
            : null;
    }
}
