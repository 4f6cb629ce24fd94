using Convoy.Coordinator.Membership;
using Convoy.Shared.Ids;

namespace Convoy.Coordinator.Tests.Membership;

public sealed class LinkCoverTests
{
    [Theory]
    [InlineData("1-2", "w2")]                       // a tie goes to the higher id
    [InlineData("1-3 2-3", "w3")]                   // two witnesses against one
    [InlineData("1-2 1-3 1-4", "w1")]               // one that lost all, though it is the oldest
    [InlineData("1-2 3-4", "w2,w4")]
    [InlineData("1-2 2-3 1-3", "w2,w3")]
    public void Smallest_cover_of_the_broken_links(string links, string cover)
    {
        var broken = links.Split(' ').Select(l => l.Split('-')).Select(p => (Id(p[0]), Id(p[1]))).ToList();
        Assert.Equal(cover, string.Join(",", LinkCover.Of(broken)));
    }

    [Fact]
    public void Many_broken_links_are_covered_too()
    {
        var broken = Enumerable.Range(2, 30).Select(i => (new WorkerId(1), new WorkerId(i))).ToList();
        Assert.Equal([new WorkerId(1)], LinkCover.Of(broken));
    }

    private static WorkerId Id(string text) => new(int.Parse(text, System.Globalization.CultureInfo.InvariantCulture));
}
