using Convoy.Shared.Time;

namespace Convoy.Shared.Tests.Time;

/// <summary>Scenario 10: times in the wrong order are refused at the start, with both names.</summary>
public sealed class ClockTableTests
{
    private static TimeSpan Ms(int ms) => TimeSpan.FromMilliseconds(ms);

    public static TheoryData<ClockTable, string, string> Broken => new()
    {
        { new ClockTable { Beat = Ms(400) }, "3 x beat", "dead" },
        { new ClockTable { Confirm = Ms(1_000) }, "confirm", "dead" },
        { new ClockTable { Coalesce = Ms(500) }, "coalesce", "fence" },
        { new ClockTable { Fence = Ms(2_000) }, "fence", "step overdue" },
        { new ClockTable { Dead = Ms(2_000) }, "dead + stall", "step overdue" },
        { new ClockTable { Stall = Ms(1_000) }, "dead + stall", "step overdue" },
        { new ClockTable { Align = Ms(30_000) }, "align", "align with state" },
        { new ClockTable { Debounce = Ms(5_000) }, "debounce", "voluntary spacing" },
    };

    [Theory]
    [MemberData(nameof(Broken))]
    public void A_broken_rung_of_the_ladder_is_named_on_both_sides(ClockTable clocks, string lower, string upper)
    {
        var text = clocks.Check();
        Assert.NotNull(text);
        Assert.StartsWith(lower + " (", text, StringComparison.Ordinal);
        Assert.Contains($" must be below {upper} (", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(250, 1_000, 0)]
    [InlineData(250, 1_000, 3_000)]
    [InlineData(10, 50, 0)]
    [InlineData(250, 60_000, 60_000)]
    public void What_depends_on_the_numbers_of_a_job_moves_with_them(int beatMs, int deadMs, int stallMs)
    {
        var clocks = new ClockTable().With(beatMs, deadMs, stallMs);
        Assert.Null(clocks.Check());
        Assert.True(clocks.LinkSilence > clocks.Dead + clocks.Stall);
    }
}
