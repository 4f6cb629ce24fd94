using Convoy.Shared.Casting;
using Convoy.Shared.Time;

namespace Convoy.Shared.Tests.Casting;

public sealed class CastTreeTests
{
    [Theory]
    [InlineData(1, 2)]
    [InlineData(5, 2)]
    [InlineData(33, 32)]
    [InlineData(513, 32)]
    [InlineData(10_000, 32)]
    public void Everybody_has_one_parent_and_all_are_below_the_coordinator(int count, int fanOut)
    {
        var tree = new CastTree(count, fanOut);
        var told = new int[count];
        var sizes = 0;
        for (var position = -1; position < count; position++)
        {
            var (from, end) = tree.ChildrenOf(position);
            Assert.InRange(end - from, 0, fanOut);
            for (var child = from; child < end; child++)
            {
                told[child]++;
                Assert.Equal(position, tree.ParentOf(child));
                Assert.True(tree.IsAbove(position, child));
            }

            if (position >= 0 && position < fanOut) sizes += tree.SizeOf(position);
        }

        Assert.All(told, times => Assert.Equal(1, times));
        Assert.Equal(count, sizes);
        Assert.Equal(count, tree.SizeOf(-1));
        Assert.True(Math.Pow(fanOut, tree.Depth) >= count - sizes, $"depth {tree.Depth}");
    }

    [Fact]
    public void Ten_thousand_members_are_three_hops_away()
    {
        Assert.Equal(3, new CastTree(10_000, 32).Depth);
        Assert.False(new CastTree(10_000, 32).IsAbove(3, 32));
        var clocks = new ClockTable();
        Assert.Equal(3 * (clocks.CastHop + clocks.CastGather), CastShape.Default.TimeOf(10_000, clocks));
        Assert.Equal(TimeSpan.Zero, CastShape.Default.TimeOf(512, clocks));
    }
}
