using Convoy.Shared.Random;
using FsCheck;
using FsCheck.Fluent;

namespace Convoy.Shared.Tests.Random;

// R7: an epoch is a permutation.
public sealed class SampleOrderTests
{
    [Fact]
    public void Every_count_up_to_300_is_permuted_in_every_epoch()
    {
        for (var count = 1; count <= 300; count++)
            for (var epoch = 0; epoch < 3; epoch++)
                AssertPermutation(new SampleOrder(7, count), epoch);
    }

    [Fact]
    public void Any_seed_epoch_and_count_give_a_permutation() =>
        Prop.ForAll(ArbMap.Default.ArbFor<ulong>(), Gen.Choose(1, 5_000).ToArbitrary(),
            Gen.Choose(0, 1 << 30).ToArbitrary(),
            (seed, count, epoch) => AssertPermutation(new SampleOrder(seed, count), epoch))
            .Check(Config.QuickThrowOnFailure.WithMaxTest(50));

    [Theory]
    [InlineData(1L << 40)]
    [InlineData((1L << 40) + 1)]
    [InlineData(long.MaxValue)]
    public void Huge_counts_stay_inside_and_do_not_collide(long count)
    {
        var order = new SampleOrder(3, count);
        var seen = new HashSet<long>();
        for (var i = 0; i < 2_000; i++)
        {
            var sample = order.At(1, count - 1 - i);
            Assert.InRange(sample, 0, count - 1);
            Assert.True(seen.Add(sample));
        }
    }

    [Fact]
    public void Epochs_and_seeds_have_orders_of_their_own()
    {
        Assert.NotEqual(First(7, 0), First(7, 1));
        Assert.NotEqual(First(7, 0), First(8, 0));
        Assert.Equal(First(7, 5), First(7, 5));
        static long[] First(ulong seed, long epoch) =>
            [.. Enumerable.Range(0, 20).Select(p => new SampleOrder(seed, 1_000).At(epoch, p))];
    }

    [Fact]
    public void Each_sample_comes_to_each_place_about_equally_often()
    {
        var places = new int[10, 10];
        var order = new SampleOrder(11, 10);
        for (var epoch = 0; epoch < 10_000; epoch++)
            for (var p = 0; p < 10; p++) places[order.At(epoch, p), p]++;
        foreach (var times in places) Assert.InRange(times, 850, 1_150);
    }

    [Fact]
    public void The_order_of_a_seed_never_changes() =>
        Assert.Equal("737 226 3242 2807 3356 2907 3128 1914 838 1162",
            string.Join(' ', Enumerable.Range(0, 10).Select(p => new SampleOrder(7, 3_823).At(2, p))));

    [Fact]
    public void Positions_outside_are_a_bug() =>
        Assert.Throws<InvariantException>(() => new SampleOrder(1, 10).At(0, 10));

    private static void AssertPermutation(SampleOrder order, long epoch)
    {
        var seen = new bool[order.Count];
        for (var p = 0L; p < order.Count; p++)
        {
            ref var cell = ref seen[order.At(epoch, p)];
            Assert.False(cell);
            cell = true;
        }
    }
}
