using Convoy.Coordinator.Jobs;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;

namespace Convoy.Coordinator.Tests.Jobs;

// R7, MON-03: steps that many workers report are counted once.
public sealed class StepLedgerTests
{
    private readonly StepLedger _ledger = new(StepNumber.Zero);

    private long[] Offer(long step, ulong fingerprint = 0) =>
        [.. _ledger.Offer(new StepRow { Step = step, Fingerprint = fingerprint == 0 ? (ulong)step : fingerprint },
            out _).Select(r => r.Step)];

    [Fact]
    public void S5_each_step_once_and_in_order()
    {
        Assert.Equal([1], Offer(1));
        Assert.Empty(Offer(1));
        Assert.Empty(Offer(3));
        Assert.Empty(Offer(3));
        Assert.Equal([2, 3], Offer(2));
        Assert.Equal(3, _ledger.Last.Value);
    }

    [Fact]
    public void M6_members_that_disagree_are_told_apart()
    {
        Offer(1);
        _ledger.Offer(new StepRow { Step = 1, Fingerprint = 7 }, out var contradiction);
        Assert.Contains("disagree about step 1", contradiction, StringComparison.Ordinal);
        Offer(3);
        _ledger.Offer(new StepRow { Step = 3, Fingerprint = 7 }, out contradiction);
        Assert.NotNull(contradiction);
    }

    [Fact]
    public void A_gap_that_nobody_can_fill_is_closed_when_the_members_start_after_it()
    {
        Offer(1);
        Offer(4);
        Assert.Equal([4], _ledger.EndGapsUpTo(new StepNumber(4)).Select(r => r.Step));
        Assert.Equal(2, _ledger.Lost);
        Assert.Equal([5], Offer(5));
    }

    [Fact]
    public void A_gap_before_a_state_that_all_have_is_over_with_no_row_behind_it()
    {
        Offer(1);
        Assert.Empty(_ledger.EndGapsUpTo(new StepNumber(40)));
        Assert.Equal((39, 40), (_ledger.Lost, _ledger.Last.Value));
        Assert.Equal([41], Offer(41));
        Assert.Empty(Offer(43));
        Assert.Equal([43], _ledger.EndGapsUpTo(new StepNumber(42)).Select(r => r.Step));
        Assert.Equal(40, _ledger.Lost);
    }

    [Fact]
    public void A_gap_of_the_present_generation_stays_open()
    {
        Offer(4);
        Assert.Empty(_ledger.EndGapsUpTo(new StepNumber(2)));
        Assert.Empty(Offer(2));
        Assert.Equal([3, 4], Offer(3));
    }
}
