using System.Numerics;
using System.Runtime.InteropServices;

namespace Convoy.Shared.Protocol;

/// <summary>CRC-32C (Castagnoli), RFC 3720 appendix B.4. Uses the processor's instruction where there is one.</summary>
public static class Crc32C
{
    public static uint Of(ReadOnlySpan<byte> data) => ~Append(~0u, data);

    /// <summary>Continues a running value that starts as <c>~0u</c>; the checksum is its complement.</summary>
    public static uint Append(uint running, ReadOnlySpan<byte> data)
    {
        var words = MemoryMarshal.Cast<byte, ulong>(data);
        foreach (var word in words)
            running = BitOperations.Crc32C(running, BitConverter.IsLittleEndian ? word : System.Buffers.Binary.BinaryPrimitives.ReverseEndianness(word));
        foreach (var b in data[(words.Length * 8)..])
            running = BitOperations.Crc32C(running, b);
        return running;
    }
}
