// CRC-32C of long data with two units of the processor at once. The CRC instruction takes eight bytes a cycle at best;
// the carry-less multiplier beside it folds about as many. A block is therefore cut into a part that is folded (Gopal
// et al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ", Intel 2009) and three runs for the
// instruction, all four advanced in one loop and joined by the same linear map that joins runs.
// Measured on an EPYC of family 25 (2026-11-21), 256 KB in a loop: 35 GB/s, and 23 GB/s with the instruction alone.
using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using System.Runtime.Intrinsics.X86;

namespace Convoy.Shared.Protocol;

internal static class Crc32CFold
{
    private const int FoldBytes = 128; // folded in one iteration: four registers of two lanes
    private const int RunWords = 5;    // words of each run in one iteration: what the instruction does in that time

    private static readonly Vector128<ulong> Ahead = AheadBy(FoldBytes);

    public static bool IsSupported => Pclmulqdq.V256.IsSupported && Sse42.X64.IsSupported;

    /// <summary>
    /// What a lane's halves are multiplied by to be its value so many bytes later: x^(D+31) and x^(D-33) mod P, D bits,
    /// bits reflected.
    /// </summary>
    public static Vector128<ulong> AheadBy(int bytes) =>
        Vector128.Create((ulong)Crc32C.PowerOfX(bytes * 8 + 31), Crc32C.PowerOfX(bytes * 8 - 33));

    /// <summary>Bytes of each of the three runs of a block.</summary>
    public static int RunBytes<TBlock>()
        where TBlock : struct, ICrcBlock => TBlock.Iterations * RunWords * sizeof(ulong);

    /// <summary>Bytes of a whole block.</summary>
    public static int BlockBytes<TBlock>()
        where TBlock : struct, ICrcBlock => TBlock.Iterations * FoldBytes + 3 * RunBytes<TBlock>();

    /// <summary>
    /// The four running values over one block; the first is the folded part, which begins with
    /// <paramref name="running"/>. What is loaded is also stored to <paramref name="copy"/> where
    /// <typeparamref name="TCopy"/> says so.
    /// </summary>
    public static void Block<TBlock, TCopy>(
        uint running, ref byte block, ref byte copy, out uint folded, out uint run1, out uint run2, out uint run3)
        where TBlock : struct, ICrcBlock
        where TCopy : struct, ICrcCopy
    {
        var ahead = Vector256.Create(Ahead, Ahead);
        ref var at = ref block;
        ref var words = ref Unsafe.Add(ref block, TBlock.Iterations * FoldBytes);
        var offset = Unsafe.ByteOffset(ref block, ref copy); // one distance for all four runs
        var v0 = Load<TCopy>(ref at, 0, offset) ^ Vector256.CreateScalar((ulong)running);
        var v1 = Load<TCopy>(ref at, 32, offset);
        var v2 = Load<TCopy>(ref at, 64, offset);
        var v3 = Load<TCopy>(ref at, 96, offset);
        var (a, b, c) = (0ul, 0ul, 0ul);
        for (var i = 1; i < TBlock.Iterations; i++)
        {
            at = ref Unsafe.Add(ref at, FoldBytes);
            v0 = Fold(v0, ahead) ^ Load<TCopy>(ref at, 0, offset);
            v1 = Fold(v1, ahead) ^ Load<TCopy>(ref at, 32, offset);
            Advance<TBlock, TCopy>(ref a, ref b, ref c, ref words, 0, offset);
            Advance<TBlock, TCopy>(ref a, ref b, ref c, ref words, 8, offset);
            v2 = Fold(v2, ahead) ^ Load<TCopy>(ref at, 64, offset);
            v3 = Fold(v3, ahead) ^ Load<TCopy>(ref at, 96, offset);
            Advance<TBlock, TCopy>(ref a, ref b, ref c, ref words, 16, offset);
            Advance<TBlock, TCopy>(ref a, ref b, ref c, ref words, 24, offset);
            Advance<TBlock, TCopy>(ref a, ref b, ref c, ref words, 32, offset);
            words = ref Unsafe.Add(ref words, RunWords * sizeof(ulong));
        }

        for (var i = 0; i < RunWords; i++)
            Advance<TBlock, TCopy>(ref a, ref b, ref c, ref words, i * sizeof(ulong), offset);
        Span<ulong> left = stackalloc ulong[FoldBytes / sizeof(ulong)];
        v0.CopyTo(left);
        v1.CopyTo(left[4..]);
        v2.CopyTo(left[8..]);
        v3.CopyTo(left[12..]);
        folded = 0;
        foreach (var word in left) folded = BitOperations.Crc32C(folded, word);
        (run1, run2, run3) = ((uint)a, (uint)b, (uint)c);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> Fold(Vector256<ulong> lanes, Vector256<ulong> ahead) =>
        Pclmulqdq.V256.CarrylessMultiply(lanes, ahead, 0x00) ^ Pclmulqdq.V256.CarrylessMultiply(lanes, ahead, 0x11);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static Vector256<ulong> Load<TCopy>(ref byte from, nuint at, nint copyOffset)
        where TCopy : struct, ICrcCopy
    {
        var loaded = Vector256.LoadUnsafe(ref from, at);
        if (TCopy.Stores) loaded.StoreUnsafe(ref Unsafe.Add(ref from, copyOffset), at);
        return loaded.AsUInt64();
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static void Advance<TBlock, TCopy>(
        ref ulong a, ref ulong b, ref ulong c, ref byte words, nint at, nint copyOffset)
        where TBlock : struct, ICrcBlock
        where TCopy : struct, ICrcCopy
    {
        a = Sse42.X64.Crc32(a, Word<TCopy>(ref Unsafe.Add(ref words, at), copyOffset));
        b = Sse42.X64.Crc32(b, Word<TCopy>(ref Unsafe.Add(ref words, at + RunBytes<TBlock>()), copyOffset));
        c = Sse42.X64.Crc32(c, Word<TCopy>(ref Unsafe.Add(ref words, at + 2 * RunBytes<TBlock>()), copyOffset));
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static ulong Word<TCopy>(ref byte from, nint copyOffset)
        where TCopy : struct, ICrcCopy
    {
        var word = Unsafe.ReadUnaligned<ulong>(ref from);
        if (TCopy.Stores) Unsafe.WriteUnaligned(ref Unsafe.Add(ref from, copyOffset), word);
        return word;
    }
}

/// <summary>How long a block is; known when the loop is compiled.</summary>
internal interface ICrcBlock
{
    static abstract int Iterations { get; }
}

/// <summary>15,872 bytes.</summary>
internal readonly struct LongCrcBlock : ICrcBlock
{
    public static int Iterations => 64;
}

/// <summary>3,968 bytes: what a frame of 4 KB holds, and what is left of longer data.</summary>
internal readonly struct ShortCrcBlock : ICrcBlock
{
    public static int Iterations => 16;
}

/// <summary>Whether the bytes of a checksum are copied on the way; known when the loop is compiled.</summary>
internal interface ICrcCopy
{
    static abstract bool Stores { get; }
}

internal readonly struct CrcOnly : ICrcCopy
{
    public static bool Stores => false;
}

internal readonly struct CrcAndCopy : ICrcCopy
{
    public static bool Stores => true;
}
