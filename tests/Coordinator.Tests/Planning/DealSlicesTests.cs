using Convoy.Coordinator.Planning;
using Convoy.Shared.Ids;
using Convoy.Shared.Tensors;

namespace Convoy.Coordinator.Tests.Planning;

public sealed class DealSlicesTests
{
    private static WorkerId[] Workers(int count) => [.. Enumerable.Range(1, count).Select(i => new WorkerId(i))];

    [Fact]
    public void M4_every_deal_covers_all_slices_and_leaves_nobody_idle()
    {
        for (var slices = 1; slices <= 40; slices++)
        {
            for (var workers = 1; workers <= slices; workers++)
            {
                var deal = DealSlices.To(Workers(workers), slices);
                Assert.Null(deal.Shares!.Check());
                var longest = Enumerable.Range(0, workers).Max(i => deal.Shares.ShareOf(i).Count);
                var shortest = Enumerable.Range(0, workers).Min(i => deal.Shares.ShareOf(i).Count);
                Assert.True(shortest >= 1, $"{workers} of {slices}: {deal.Reason}");
                Assert.True(longest <= 2 * ((slices + workers - 1) / workers), $"{workers} of {slices}: {deal.Reason}");
            }
        }
    }

    [Theory]
    [InlineData(8, 1, "0,8")]
    [InlineData(8, 2, "0,4,8")]
    [InlineData(8, 3, "0,2,5,8")]
    [InlineData(8, 5, "0,1,2,4,6,8")]
    [InlineData(64, 4, "0,16,32,48,64")]
    public void Cuts_are_these(int slices, int workers, string cuts) =>
        Assert.Equal(cuts, string.Join(",", DealSlices.To(Workers(workers), slices).Shares!.Cuts));

    [Fact]
    public void Dear_exchange_buys_aligned_shares_with_compute()
    {
        Assert.Equal([0, 16, 32, 64], Sorted(DealSlices.Cuts(64, 3, exchangeShare: 1.0)));
        var cheap = DealSlices.Cuts(64, 3, exchangeShare: 0.001);
        Assert.Equal(22, Enumerable.Range(0, 3).Max(i => cheap[i + 1] - cheap[i]));
    }

    [Fact]
    public void Many_slices_are_dealt_quickly_and_evenly()
    {
        var deal = DealSlices.To(Workers(100), 4_096);
        Assert.Null(deal.Shares!.Check());
        Assert.True(Enumerable.Range(0, 100).Max(i => deal.Shares.ShareOf(i).Count) <= 64, deal.Reason);
    }

    [Fact]
    public void M4_more_workers_than_slices_are_refused_with_the_numbers()
    {
        var deal = DealSlices.To(Workers(9), 8);
        Assert.False(deal.Possible);
        Assert.Contains("9 workers for 8 slices", deal.Reason, StringComparison.Ordinal);
    }

    // The search may put the long share anywhere; only the lengths matter here.
    private static int[] Sorted(int[] cuts)
    {
        var lengths = cuts.Zip(cuts.Skip(1), (a, b) => b - a).Order().ToList();
        var sorted = new int[cuts.Length];
        for (var i = 0; i < lengths.Count; i++) sorted[i + 1] = sorted[i] + lengths[i];
        return sorted;
    }
}
