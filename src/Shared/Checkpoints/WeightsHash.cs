using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Convoy.Shared.Checkpoints;

/// <summary>
/// The name of a state: SHA-256 over the little-endian float32 values of all parameters, one after the other in ordinal
/// order of their names. Two runs that print the same value have the same weights to the bit.
/// </summary>
public static class WeightsHash
{
    public static byte[] Of(IEnumerable<(string Name, ReadOnlyMemory<float> Values)> parameters)
    {
        Invariant.Check(BitConverter.IsLittleEndian, "SAFE-2 tensors are hashed as they lie in memory, little endian");
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        foreach (var (_, values) in parameters.OrderBy(p => p.Name, StringComparer.Ordinal))
        {
            for (var rest = values.Span; !rest.IsEmpty;)
            {
                var piece = rest[..Math.Min(rest.Length, 1 << 18)];
                hash.AppendData(MemoryMarshal.AsBytes(piece));
                rest = rest[piece.Length..];
            }
        }

        return hash.GetHashAndReset();
    }
}
