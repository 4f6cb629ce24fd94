using System.Runtime.InteropServices;
using System.Security.Cryptography;
using Convoy.Shared.Storage;
using Convoy.Shared.Tensors;

namespace Convoy.Shared.Checkpoints;

/// <summary>A tensor to be written; the memory may be a part of a flat vector.</summary>
public sealed record ShardTensor(string Name, Shape Shape, ReadOnlyMemory<float> Values);

/// <summary>A written shard: what its writer reports and the manifest records.</summary>
public sealed record ShardFile
{
    public required string File { get; init; }
    public required long Bytes { get; init; }
    /// <summary>Lower-case hexadecimal.</summary>
    public required string Sha256 { get; init; }
}

internal static class ShardWriter
{
    private const int PieceBytes = 1 << 20;

    /// <summary>Writes one safetensors file and returns when it is durable; the hash is taken on the way.</summary>
    public static ShardFile Write(IDisk disk, string folder, string file, IReadOnlyList<ShardTensor> tensors,
        IReadOnlyList<(string, string)> metadata)
    {
        Invariant.Check(BitConverter.IsLittleEndian, "SAFE-2 tensors are written as they lie in memory, little endian");
        foreach (var tensor in tensors)
            Invariant.Check(tensor.Shape.Count == tensor.Values.Length,
                "SAFE-3 a tensor has as many values as its shape");

        try
        {
            return WriteFile(disk, folder, file, tensors, metadata);
        }
        catch (IOException e) when (StorageFault.IsFull(e))
        {
            var needed = tensors.Sum(t => (long)t.Values.Length * sizeof(float));
            throw new IOException(StorageFault.FullText(Path.Combine(folder, file), needed), e);
        }
    }

    private static ShardFile WriteFile(IDisk disk, string folder, string file, IReadOnlyList<ShardTensor> tensors,
        IReadOnlyList<(string, string)> metadata)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        using var to = disk.Create(Path.Combine(folder, file));
        var bytes = 0L;
        void Append(ReadOnlySpan<byte> data)
        {
            hash.AppendData(data);
            to.Write(data);
            bytes += data.Length;
        }

        Append(SafetensorsHeader.Encode([.. tensors.Select(t => (t.Name, DType.Float32, t.Shape))], metadata));
        foreach (var tensor in tensors)
        {
            // In pieces of elements: the bytes of one tensor may be more than a span can hold.
            for (var rest = tensor.Values.Span; !rest.IsEmpty;)
            {
                var piece = rest[..Math.Min(rest.Length, PieceBytes / sizeof(float))];
                Append(MemoryMarshal.AsBytes(piece));
                rest = rest[piece.Length..];
            }
        }

        to.Flush();
        return new ShardFile { File = file, Bytes = bytes, Sha256 = Convert.ToHexStringLower(hash.GetHashAndReset()) };
    }
}
