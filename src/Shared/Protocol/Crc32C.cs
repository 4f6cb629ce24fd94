using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Convoy.Shared.Protocol;

/// <summary>
/// CRC-32C (Castagnoli), RFC 3720 appendix B.4. Uses the processor's instruction where there is one. That instruction
/// has a latency of three cycles, so long data is cut into three runs that are computed side by side; a run's value is
/// moved over the bytes that follow it by a linear map, of which a table holds the images of all bytes.
/// </summary>
public static class Crc32C
{
    private const int RunWords = 1024;
    private const int RunBytes = RunWords * 8;
    private const uint Polynomial = 0x82F63B78;

    private static readonly uint[] OverOneRun = TableFor(RunBytes);

    public static uint Of(ReadOnlySpan<byte> data) => ~Append(~0u, data);

    /// <summary>Continues a running value that starts as <c>~0u</c>; the checksum is its complement.</summary>
    public static uint Append(uint running, ReadOnlySpan<byte> data)
    {
        while (data.Length >= 3 * RunBytes)
        {
            running = AppendThreeRuns(running, MemoryMarshal.Cast<byte, ulong>(data[..(3 * RunBytes)]));
            data = data[(3 * RunBytes)..];
        }

        var words = MemoryMarshal.Cast<byte, ulong>(data);
        foreach (var word in words) running = BitOperations.Crc32C(running, LittleEndian(word));
        foreach (var b in data[(words.Length * 8)..]) running = BitOperations.Crc32C(running, b);
        return running;
    }

    private static uint AppendThreeRuns(uint running, ReadOnlySpan<ulong> words)
    {
        var (a, b, c) = (running, 0u, 0u);
        var first = words[..RunWords];
        var second = words.Slice(RunWords, RunWords);
        var third = words.Slice(2 * RunWords, RunWords);
        for (var i = 0; i < RunWords; i++)
        {
            a = BitOperations.Crc32C(a, LittleEndian(first[i]));
            b = BitOperations.Crc32C(b, LittleEndian(second[i]));
            c = BitOperations.Crc32C(c, LittleEndian(third[i]));
        }

        return Move(Move(a) ^ b) ^ c;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong LittleEndian(ulong word) =>
        BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word);

    /// <summary>The value after one run of zero bytes.</summary>
    private static uint Move(uint value) =>
        OverOneRun[value & 0xFF] ^ OverOneRun[256 + ((value >> 8) & 0xFF)]
        ^ OverOneRun[512 + ((value >> 16) & 0xFF)] ^ OverOneRun[768 + (value >> 24)];

    private static uint[] TableFor(int zeroBytes)
    {
        // Column i is the image of bit i; one zero bit first, squared until the map covers all of them.
        var columns = new uint[32];
        columns[0] = Polynomial;
        for (var i = 1; i < 32; i++) columns[i] = 1u << (i - 1);
        for (var bits = 1L; bits < zeroBytes * 8L; bits *= 2)
        {
            var squared = new uint[32];
            for (var i = 0; i < 32; i++) squared[i] = Apply(columns, columns[i]);
            columns = squared;
        }

        var table = new uint[4 * 256];
        for (var position = 0; position < 4; position++)
            for (var value = 0u; value < 256; value++)
                table[position * 256 + (int)value] = Apply(columns, value << (8 * position));
        return table;
    }

    private static uint Apply(uint[] columns, uint value)
    {
        var image = 0u;
        for (; value != 0; value &= value - 1) image ^= columns[BitOperations.TrailingZeroCount(value)];
        return image;
    }
}
