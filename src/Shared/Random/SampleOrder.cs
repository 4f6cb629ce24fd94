namespace Convoy.Shared.Random;

/// <summary>
/// The order of samples as a function (decision 5): position p of epoch e reads sample At(e, p). A permutation of
/// 0..count-1 for each epoch, keyed by the seed, computed in place: no worker holds a shuffled list, and any worker can
/// ask for any position, which makes exactly-once per epoch hold under every resize.
///
/// It is a balanced Feistel network on pairs (left, right) below side, with side^2 >= count, whose round function is
/// Philox. Each round is invertible, so the network is a bijection of the side^2 numbers; walking the cycle until a
/// number below count comes makes it one of count numbers. side^2 is less than count + 2 sqrt(count) + 1, so walks are
/// rare.
/// </summary>
public readonly struct SampleOrder
{
    private const int Rounds = 6;

    private readonly ulong _key;
    private readonly ulong _side;

    public SampleOrder(ulong seed, long count) : this(seed, count, RandomPurpose.SampleOrder)
    {
    }

    public SampleOrder(ulong seed, long count, RandomPurpose purpose)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(count, 1);
        Count = count;
        _key = RandomStream.KeyOf(seed, purpose);
        _side = CeilingOfRoot((ulong)count);
    }

    public long Count { get; }

    /// <summary>The sample at a position of an epoch (both from 0).</summary>
    public long At(long epoch, long position)
    {
        Invariant.Check(epoch >= 0 && (ulong)position < (ulong)Count, "ORDER-1 a position lies inside its epoch");
        var value = (ulong)position;
        // Ends: the walk follows a cycle of the bijection, and that cycle comes back to position, which is below count.
        do value = Permute(value, (ulong)epoch);
        while (value >= (ulong)Count);
        return (long)value;
    }

    private ulong Permute(ulong value, ulong epoch)
    {
        var (left, right) = (value / _side, value % _side);
        for (var round = 0UL; round < Rounds; round++)
        {
            // A random number below side by one multiplication; a division would cost as much as the whole block.
            var mixed = left + Math.BigMul(Philox4x32.Block(_key, right, (epoch << 8) | round).Low, _side, out _);
            if (mixed >= _side) mixed -= _side;
            (left, right) = (right, mixed);
        }

        return (left * _side) + right;
    }

    private static ulong CeilingOfRoot(ulong count)
    {
        var side = (ulong)Math.Sqrt(count);
        // Float64 has 53 bits: correct the guess in integers.
        while (side * side >= count && side > 1) side--;
        while (side * side < count) side++;
        return side;
    }
}
