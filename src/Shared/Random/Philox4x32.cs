using System.Runtime.CompilerServices;

namespace Convoy.Shared.Random;

/// <summary>Four random words: the value of the generator at one counter.</summary>
public readonly record struct PhiloxBlock(uint W0, uint W1, uint W2, uint W3)
{
    public uint this[int index] => index switch { 0 => W0, 1 => W1, 2 => W2, _ => W3 };

    public ulong Low => W0 | ((ulong)W1 << 32);
}

/// <summary>
/// Philox4x32-10 (Salmon, Moraes, Dror, Shaw: Parallel random numbers: as easy as 1, 2, 3; SC 2011). A function from
/// key and counter to 128 bits and nothing else: any element of any stream can be had at once, in any order, on any
/// worker, which is what makes masks and weights independent of who computes them (decision 4).
/// </summary>
public static class Philox4x32
{
    private const uint Multiplier0 = 0xD2511F53;
    private const uint Multiplier1 = 0xCD9E8D57;
    private const uint Weyl0 = 0x9E3779B9;
    private const uint Weyl1 = 0xBB67AE85;
    private const int Rounds = 10;

    /// <summary>Counter words are (low, low >> 32, high, high >> 32); key words are (key, key >> 32).</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public static PhiloxBlock Block(ulong key, ulong counterLow, ulong counterHigh)
    {
        var (c0, c1) = ((uint)counterLow, (uint)(counterLow >> 32));
        var (c2, c3) = ((uint)counterHigh, (uint)(counterHigh >> 32));
        var (k0, k1) = ((uint)key, (uint)(key >> 32));
        // Two rounds a turn: the words change places in a round and are back after two, so nothing is moved.
        for (var round = 0; round < Rounds; round += 2)
        {
            var p0 = (ulong)Multiplier0 * c0;
            var p1 = (ulong)Multiplier1 * c2;
            c1 ^= (uint)(p1 >> 32) ^ k0;
            c3 ^= (uint)(p0 >> 32) ^ k1;
            var q0 = (ulong)Multiplier0 * c1;
            var q1 = (ulong)Multiplier1 * c3;
            c0 = (uint)(q1 >> 32) ^ (uint)p1 ^ unchecked(k0 + Weyl0);
            c2 = (uint)(q0 >> 32) ^ (uint)p0 ^ unchecked(k1 + Weyl1);
            c1 = (uint)q1;
            c3 = (uint)q0;
            k0 = unchecked(k0 + (2 * Weyl0));
            k1 = unchecked(k1 + (2 * Weyl1));
        }

        return new PhiloxBlock(c0, c1, c2, c3);
    }
}
