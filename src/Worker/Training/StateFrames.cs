using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Worker.Collectives;

namespace Convoy.Worker.Training;

/// <summary>
/// First frame of a state transfer (kind State, chunk 1), 72 bytes little endian:
/// <code>
///  0 step (8; -1: not here)   8 fingerprint (8)
/// 16 elements of all vectors (8) 24 vectors (4) 28 loss is known (4; 0 or 1)
/// 32 SHA-256 over all vectors, one after the other (32)
/// 64 loss sum of the step (8): who fetches the step reports its row too, should all who computed it be lost (S5)
/// </code>
/// Then the vectors follow: chunk 0, bucket = number of the vector, offset = first element; each in order.
/// </summary>
internal readonly record struct StateMeta(
    StepNumber Step, Fingerprint Fingerprint, long Elements, int Vectors, byte[] Digest, double? LossSum)
{
    public const int Size = 72;
    public const int Chunk = 1;

    public static readonly StateMeta Declined = new(new StepNumber(-1), default, 0, 0, new byte[32], null);

    public void Write(Span<byte> to)
    {
        to[..Size].Clear();
        BinaryPrimitives.WriteInt64LittleEndian(to, Step.Value);
        BinaryPrimitives.WriteUInt64LittleEndian(to[8..], Fingerprint.Value);
        BinaryPrimitives.WriteInt64LittleEndian(to[16..], Elements);
        BinaryPrimitives.WriteInt32LittleEndian(to[24..], Vectors);
        BinaryPrimitives.WriteInt32LittleEndian(to[28..], LossSum is null ? 0 : 1);
        Digest.CopyTo(to[32..]);
        BinaryPrimitives.WriteDoubleLittleEndian(to[64..], LossSum ?? 0);
    }

    public static StateMeta Read(ReadOnlySpan<byte> from) => new(
        new StepNumber(BinaryPrimitives.ReadInt64LittleEndian(from)),
        new Fingerprint(BinaryPrimitives.ReadUInt64LittleEndian(from[8..])),
        BinaryPrimitives.ReadInt64LittleEndian(from[16..]), BinaryPrimitives.ReadInt32LittleEndian(from[24..]),
        from.Slice(32, 32).ToArray(),
        BinaryPrimitives.ReadInt32LittleEndian(from[28..]) == 0
            ? null : BinaryPrimitives.ReadDoubleLittleEndian(from[64..]));

    public static byte[] DigestOf(IEnumerable<PinnedVector> vectors)
    {
        Invariant.Check(BitConverter.IsLittleEndian, "J3 state is hashed as it lies in memory, little endian");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var vector in vectors) hash.AppendData(MemoryMarshal.AsBytes<float>(vector.Span));
        return hash.GetHashAndReset();
    }
}
