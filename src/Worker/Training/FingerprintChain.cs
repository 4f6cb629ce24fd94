using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text;
using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;

namespace Convoy.Worker.Training;

/// <summary>
/// H_t: eight bytes that stand for a whole history of reduced gradients (decision 4). Replicas, joins, take-overs and
/// silent corruption are all checked by comparing it.
/// </summary>
internal static class FingerprintChain
{
    /// <summary>H_0, over what fixes every later bit: seed, graph, slices and the kind of device.</summary>
    public static Fingerprint Start(ulong seed, ReadOnlySpan<byte> graphSha256, int slices, string deviceKind)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, seed);
        hash.AppendData(graphSha256);
        Append(hash, (ulong)slices);
        hash.AppendData(Encoding.UTF8.GetBytes(deviceKind));
        return First8(hash);
    }

    /// <summary>H_t from H_{t-1} and the checksum of every norm block of the reduced gradient of step t.</summary>
    public static Fingerprint Next(Fingerprint before, StepNumber step, ReadOnlySpan<uint> blockChecksums)
    {
        Invariant.Check(BitConverter.IsLittleEndian, "M6 checksums are hashed as they lie in memory, little endian");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        Append(hash, before.Value);
        Append(hash, (ulong)step.Value);
        hash.AppendData(MemoryMarshal.AsBytes(blockChecksums));
        return First8(hash);
    }

    public static int BlockCount(long elements) => checked((int)((elements + Limits.NormBlock - 1) / Limits.NormBlock));

    /// <summary>Checksums of the norm blocks of a range that starts on a border.</summary>
    public static void Checksums(ReadOnlySpan<float> range, Span<uint> blocks)
    {
        for (var i = 0; i < blocks.Length; i++)
        {
            var from = i * Limits.NormBlock;
            var length = Math.Min(Limits.NormBlock, range.Length - from);
            blocks[i] = Crc32C.Of(MemoryMarshal.AsBytes(range.Slice(from, length)));
        }
    }

    private static void Append(IncrementalHash hash, ulong value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        hash.AppendData(bytes);
    }

    private static Fingerprint First8(IncrementalHash hash)
    {
        Span<byte> digest = stackalloc byte[32];
        hash.GetHashAndReset(digest);
        return new Fingerprint(BinaryPrimitives.ReadUInt64LittleEndian(digest));
    }
}
