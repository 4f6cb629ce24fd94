using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace Convoy.Shared.Protocol;

/// <summary>
/// CRC-32C (Castagnoli), RFC 3720 appendix B.4. Uses the processor's instruction where there is one. That instruction
/// has a latency of three cycles, so long data is cut into three runs that are computed side by side; a run's value is
/// moved over the bytes that follow it by a linear map, of which a table holds the images of all bytes. Longer data
/// keeps the carry-less multiplier busy too (<see cref="Crc32CFold"/>), or only that (<see cref="Crc32CWide"/>). The bits
/// are the same on every path.
/// </summary>
public static class Crc32C
{
    private const int RunWords = 64;
    private const int RunBytes = RunWords * sizeof(ulong);
    private const uint Polynomial = 0x82F63B78;

    private static readonly uint[] OverOneRun = TableFor(RunBytes);

    public static uint Of(ReadOnlySpan<byte> data) => ~Append(~0u, data);

    /// <summary>Continues a running value that starts as <c>~0u</c>; the checksum is its complement.</summary>
    public static uint Append(uint running, ReadOnlySpan<byte> data)
    {
        if (Crc32CWide.IsSupported)
        {
            running = Crc32CWide.Append<CrcOnly>(running, ref data, default);
        }
        else if (Crc32CFold.IsSupported)
        {
            running = Folded<LongCrcBlock, CrcOnly>(running, ref data, default);
            running = Folded<ShortCrcBlock, CrcOnly>(running, ref data, default);
        }

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

    /// <summary>As <see cref="Append"/>, and copies the data in the same pass.</summary>
    /// <param name="running">The running value.</param>
    /// <param name="data">What is added to it.</param>
    /// <param name="copy">At least as long as the data, and not overlapping it.</param>
    public static uint AppendCopying(uint running, ReadOnlySpan<byte> data, Span<byte> copy)
    {
        copy = copy[..data.Length];
        if (Crc32CWide.IsSupported)
        {
            running = Crc32CWide.Append<CrcAndCopy>(running, ref data, copy);
        }
        else if (Crc32CFold.IsSupported)
        {
            running = Folded<LongCrcBlock, CrcAndCopy>(running, ref data, copy);
            running = Folded<ShortCrcBlock, CrcAndCopy>(running, ref data, copy[^data.Length..]);
        }

        data.CopyTo(copy[^data.Length..]);
        return Append(running, data);
    }

    /// <summary>The value after all whole blocks, which it takes off the data.</summary>
    private static uint Folded<TBlock, TCopy>(uint running, ref ReadOnlySpan<byte> data, Span<byte> copy)
        where TBlock : struct, ICrcBlock
        where TCopy : struct, ICrcCopy
    {
        var bytes = Crc32CFold.BlockBytes<TBlock>();
        var over = OverRunOf<TBlock>.Table;
        while (data.Length >= bytes)
        {
            ref var block = ref MemoryMarshal.GetReference(data);
            ref var into = ref TCopy.Stores ? ref MemoryMarshal.GetReference(copy[..bytes]) : ref block;
            Crc32CFold.Block<TBlock, TCopy>(
                running, ref block, ref into, out var fold, out var a, out var b, out var c);
            running = Move(over, Move(over, Move(over, fold) ^ a) ^ b) ^ c;
            data = data[bytes..];
            if (TCopy.Stores) copy = copy[bytes..];
        }

        return running;
    }

    private static class OverRunOf<TBlock>
        where TBlock : struct, ICrcBlock
    {
        public static readonly uint[] Table = TableFor(Crc32CFold.RunBytes<TBlock>());
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

        return Move(OverOneRun, Move(OverOneRun, a) ^ b) ^ c;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong LittleEndian(ulong word) =>
        BitConverter.IsLittleEndian ? word : BinaryPrimitives.ReverseEndianness(word);

    /// <summary>x to this power modulo the polynomial, bits reflected: bit 31 is the coefficient of 1.</summary>
    internal static uint PowerOfX(int power)
    {
        var value = 1u << 31;
        for (; power > 0; power--) value = (value >> 1) ^ ((value & 1) != 0 ? Polynomial : 0);
        return value;
    }

    /// <summary>The value after as many zero bytes as the table was made for.</summary>
    private static uint Move(uint[] over, uint value) =>
        over[value & 0xFF] ^ over[256 + ((value >> 8) & 0xFF)]
        ^ over[512 + ((value >> 16) & 0xFF)] ^ over[768 + (value >> 24)];

    private static uint[] TableFor(int zeroBytes)
    {
        // Column i is the image of bit i. One zero byte, squared for each binary digit of the number of bytes.
        var square = new uint[32];
        var columns = new uint[32];
        for (var i = 0; i < 32; i++)
        {
            columns[i] = 1u << i;
            square[i] = 1u << i;
            for (var bit = 0; bit < 8; bit++) square[i] = (square[i] >> 1) ^ ((square[i] & 1) != 0 ? Polynomial : 0);
        }

        for (var left = zeroBytes; left > 0; left >>= 1)
        {
            if ((left & 1) != 0) columns = Chained(columns, square);
            square = Chained(square, square);
        }

        var table = new uint[4 * 256];
        for (var position = 0; position < 4; position++)
            for (var value = 0u; value < 256; value++)
                table[position * 256 + (int)value] = Apply(columns, value << (8 * position));
        return table;
    }

    private static uint[] Chained(uint[] first, uint[] then)
    {
        var columns = new uint[32];
        for (var i = 0; i < 32; i++) columns[i] = Apply(then, first[i]);
        return columns;
    }

    private static uint Apply(uint[] columns, uint value)
    {
        var image = 0u;
        for (; value != 0; value &= value - 1) image ^= columns[BitOperations.TrailingZeroCount(value)];
        return image;
    }
}
