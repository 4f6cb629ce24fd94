// CRC-32C of long data with two units of the processor at once. The CRC instruction takes eight bytes a cycle at best;
// the carry-less multiplier beside it folds about as many. A block is therefore cut into a part that is folded (Gopal et
// al., "Fast CRC Computation for Generic Polynomials Using PCLMULQDQ", Intel 2009) and three runs for the instruction,
// all four advanced in one loop and joined by the same linear map that joins runs.
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

    public const int Iterations = 64;
    public const int RunBytes = Iterations * RunWords * sizeof(ulong);
    public const int BlockBytes = Iterations * FoldBytes + 3 * RunBytes;

    // A lane's halves times x^(D+31) and x^(D-33) mod P: the value D bits later, D = 1024, bits reflected.
    private static readonly Vector128<ulong> Ahead =
        Vector128.Create((ulong)Crc32C.PowerOfX(FoldBytes * 8 + 31), Crc32C.PowerOfX(FoldBytes * 8 - 33));

    public static bool IsSupported => Pclmulqdq.V256.IsSupported && Sse42.X64.IsSupported;

    /// <summary>The four running values over one block; the first is the folded part, which begins with <paramref name="running"/>.</summary>
    public static void Block(uint running, ref byte block, out uint folded, out uint run1, out uint run2, out uint run3)
    {
        var ahead = Vector256.Create(Ahead, Ahead);
        ref var at = ref block;
        ref var words = ref Unsafe.Add(ref block, Iterations * FoldBytes);
        var v0 = Vector256.LoadUnsafe(ref at).AsUInt64() ^ Vector256.CreateScalar((ulong)running);
        var v1 = Vector256.LoadUnsafe(ref at, 32).AsUInt64();
        var v2 = Vector256.LoadUnsafe(ref at, 64).AsUInt64();
        var v3 = Vector256.LoadUnsafe(ref at, 96).AsUInt64();
        var (a, b, c) = (0ul, 0ul, 0ul);
        for (var i = 1; i < Iterations; i++)
        {
            at = ref Unsafe.Add(ref at, FoldBytes);
            v0 = Fold(v0, ahead) ^ Vector256.LoadUnsafe(ref at).AsUInt64();
            v1 = Fold(v1, ahead) ^ Vector256.LoadUnsafe(ref at, 32).AsUInt64();
            Advance(ref a, ref b, ref c, ref words, 0);
            Advance(ref a, ref b, ref c, ref words, 8);
            v2 = Fold(v2, ahead) ^ Vector256.LoadUnsafe(ref at, 64).AsUInt64();
            v3 = Fold(v3, ahead) ^ Vector256.LoadUnsafe(ref at, 96).AsUInt64();
            Advance(ref a, ref b, ref c, ref words, 16);
            Advance(ref a, ref b, ref c, ref words, 24);
            Advance(ref a, ref b, ref c, ref words, 32);
            words = ref Unsafe.Add(ref words, RunWords * sizeof(ulong));
        }

        for (var i = 0; i < RunWords; i++) Advance(ref a, ref b, ref c, ref words, i * sizeof(ulong));
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
    private static void Advance(ref ulong a, ref ulong b, ref ulong c, ref byte words, nint offset)
    {
        a = Sse42.X64.Crc32(a, Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref words, offset)));
        b = Sse42.X64.Crc32(b, Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref words, offset + RunBytes)));
        c = Sse42.X64.Crc32(c, Unsafe.ReadUnaligned<ulong>(ref Unsafe.Add(ref words, offset + 2 * RunBytes)));
    }
}
