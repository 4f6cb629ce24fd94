using Convoy.Shared;
using Convoy.Worker.Collectives;

namespace Convoy.Worker.Tests.Collectives;

// DIST-09: how a gradient is cut into buckets and blocks.
public sealed class ExchangeLayoutTests
{
    [Theory]
    [InlineData(1, 1, 4096)]
    [InlineData(4096, 1, 4096)]
    [InlineData(100_000, 3, 65_536)]
    [InlineData(1_000_016, 7, 4 << 20)]
    [InlineData(5_000_000, 5, 64 << 20)]
    [InlineData(40_960, 16, 1 << 20)]
    public void Blocks_cover_every_element_once_with_borders_on_norm_blocks(long elements, int members, int bucketBytes)
    {
        var layout = new ExchangeLayout(elements, members, bucketBytes);
        var ordered = layout.Blocks.OrderBy(b => b.Offset).ToArray();
        long at = 0;
        foreach (var block in ordered)
        {
            Assert.Equal(at, block.Offset);
            Assert.Equal(0, block.Offset % Limits.NormBlock);
            Assert.InRange(block.Length, 1, ExchangeLayout.BlockElementsMax);
            at += block.Length;
        }

        Assert.Equal(elements, at);
        for (var i = 0; i < layout.Blocks.Length; i++)
        {
            var b = layout.Blocks[i];
            Assert.Equal(i, layout.Find(b.Bucket, b.Owner, b.Offset, b.Length * 4));
            Assert.Equal(-1, layout.Find(b.Bucket, b.Owner, b.Offset, (b.Length * 4) - 4));
        }
    }

    [Fact]
    public void A_gradient_is_direct_when_it_is_small_for_its_members()
    {
        Assert.All(new ExchangeLayout(10_000, 2, 4 << 20).Blocks, b => Assert.True(b.IsDirect));
        Assert.All(new ExchangeLayout(200_000, 2, 4 << 20).Blocks, b => Assert.False(b.IsDirect));
        Assert.All(new ExchangeLayout(10_000, 16, 4 << 20).Blocks, b => Assert.False(b.IsDirect));
    }

    [Fact]
    public void Buckets_run_from_the_end_to_the_start()
    {
        var layout = new ExchangeLayout(10 * 4096 + 16, 2, 4 * 4096 * 4);
        Assert.Equal(3, layout.Buckets);
        Assert.Equal((7 * 4096L, 10 * 4096L + 16), layout.BucketRange(0));
        Assert.Equal((3 * 4096L, 7 * 4096L), layout.BucketRange(1));
        Assert.Equal((0L, 3 * 4096L), layout.BucketRange(2));
    }

    // Scenario 18: three buckets, tensors that do not tile them, one larger than a bucket.
    [Fact]
    public void Buckets_complete_when_every_parameter_that_touches_them_is_ready_scenario_18()
    {
        var layout = new ExchangeLayout(3 * 4096, 1, 4096 * 4);
        var tracker = new BucketTracker(layout, [(0, 1000), (1008, 9000), (10016, 16), (10032, 2000)]);
        var complete = new List<int>();
        tracker.ParameterReady(3, complete);
        Assert.Empty(complete);
        tracker.ParameterReady(2, complete);
        Assert.Empty(complete);
        tracker.ParameterReady(1, complete);
        Assert.Equal([0, 1], complete);
        tracker.ParameterReady(0, complete);
        Assert.Equal([0, 1, 2], complete);
        Assert.Throws<InvariantException>(() => tracker.ParameterReady(0, complete));
        complete.Clear();
        tracker.Begin(complete);
        foreach (var p in new[] { 0, 1, 2, 3 }) tracker.ParameterReady(p, complete);
        Assert.Equal([1, 2, 0], complete);
    }
}
