using System.Runtime.InteropServices;
using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Tensors;

namespace Convoy.Worker.Collectives;

/// <summary>
/// What the frames of one generation mean, in the eight bytes that every one of them carries: operation, element type,
/// shape (how the gradient is cut) and order (whose slices are added where). A worker with another plan is found out by
/// the header of its first frame, before a byte of the payload is read (R16); comparing costs one instruction a frame.
/// </summary>
internal readonly record struct ExchangePlan(ulong Value)
{
    /// <summary>Sums over the slice tree to the owners of chunks, and back to everybody.</summary>
    public const byte AllReduce = 1;

    private const int DigestBits = 24;
    private const uint DigestMask = (1u << DigestBits) - 1;

    // From the lowest bits: operation (8), type (8), digest of the shape (24), digest of the order (24).
    private static readonly (string Name, int Shift, int Bits)[] Parts =
    [
        ("operation", 0, 8), ("element type", 8, 8), ("shape", 16, DigestBits), ("order", 16 + DigestBits, DigestBits),
    ];

    public static ExchangePlan Of(
        ExchangeLayout layout, ShareMap shares, ReadOnlySpan<Incarnation> members, byte operation = AllReduce,
        DType type = DType.Float32)
    {
        var shape = new List<long>
        {
            layout.Elements, layout.Members, layout.Buckets, layout.BlockElements, layout.IsDirect ? 1 : 0,
        };
        for (var b = 0; b < layout.Buckets; b++) shape.Add(layout.BucketRange(b).From);
        var order = new List<long> { shares.Slices };
        foreach (var cut in shares.Cuts) order.Add(cut);
        foreach (var member in members) order.Add((long)member.Value);
        return new ExchangePlan(operation | ((ulong)type << 8)
            | ((ulong)Digest(shape) << 16) | ((ulong)Digest(order) << (16 + DigestBits)));
    }

    /// <summary>What differs, value by value (this one's first); null: nothing.</summary>
    public string? DifferenceFrom(ExchangePlan theirs)
    {
        if (theirs == this) return null;
        var differences = new List<string>();
        foreach (var (name, shift, bits) in Parts)
        {
            var (ours, other) = (Part(shift, bits), theirs.Part(shift, bits));
            if (ours != other) differences.Add($"{name} {ours:x} against {other:x}");
        }

        return string.Join(", ", differences);
    }

    private ulong Part(int shift, int bits) => (Value >> shift) & ((1UL << bits) - 1);

    private static uint Digest(List<long> values)
    {
        Invariant.Check(BitConverter.IsLittleEndian, "XCH-2 numbers are hashed as they lie in memory, little endian");
        return Crc32C.Of(MemoryMarshal.AsBytes(CollectionsMarshal.AsSpan(values))) & DigestMask;
    }
}
