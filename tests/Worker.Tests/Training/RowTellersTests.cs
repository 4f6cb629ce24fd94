using Convoy.Shared.Protocol;
using Convoy.Worker.Training;

namespace Convoy.Worker.Tests.Training;

public sealed class RowTellersTests
{
    private static string Tellers(int count, params AlignAction[] actions)
    {
        var members = Array.ConvertAll(actions, action => new Member { Action = action });
        return string.Join(' ', Enumerable.Range(0, members.Length)
            .Where(position => RowTellers.Includes(members, position, count)));
    }

    [Fact]
    public void Those_nearest_to_the_coordinator_tell() =>
        Assert.Equal("0 1", Tellers(2, AlignAction.Initialize, AlignAction.Initialize, AlignAction.Initialize));

    // S5: the only member that knows the rows was below two that had joined, and one row was lost.
    [Theory]
    [InlineData(AlignAction.Keep)]
    [InlineData(AlignAction.ApplyHeld)]
    [InlineData(AlignAction.FetchChunks)]
    public void Who_brings_its_state_tells_below_those_that_joined(AlignAction action) =>
        Assert.Equal("0 1 2", Tellers(2, AlignAction.Replay, AlignAction.LoadSnapshot, action, AlignAction.Replay));

    [Fact]
    public void Not_all_that_bring_their_state_tell() => Assert.Equal("0 1 2", Tellers(2, AlignAction.Replay,
        AlignAction.Keep, AlignAction.Keep, AlignAction.Keep, AlignAction.Keep));
}
