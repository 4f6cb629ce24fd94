using Convoy.Coordinator.Api;
using Convoy.Coordinator.Recovery;
using Convoy.Shared.Time;

namespace Convoy.Coordinator.Tests.Recovery;

// FT-05: who stands by is told by beats, not by process numbers of other machines.
public sealed class StandbyWatchTests
{
    private static readonly DateTime Epoch = new(2026, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    private readonly StandbyWatch _watch = new(new ClockTable());
    private readonly EndpointFile _left = new() { Address = "10.0.0.1:1", Host = "left", Pid = 1 };
    private readonly EndpointFile _right = new() { Address = "10.0.0.2:1", Host = "right", Pid = 1 };

    private string Alive(int ms, params (EndpointFile, int BeatMs)[] files) =>
        string.Join(' ', _watch.Alive([.. files.Select(f => (f.Item1, Epoch.AddMilliseconds(f.BeatMs)))],
            Instant.Zero + TimeSpan.FromMilliseconds(ms)).Select(f => f.Host));

    [Fact]
    public void One_of_two_hosts_that_stops_beating_does_not_count_after_the_life_of_a_lease()
    {
        Assert.Equal("left right", Alive(0, (_left, 0), (_right, 0)));
        Assert.Equal("left right", Alive(2_900, (_left, 2_800), (_right, 0)));
        Assert.Equal("left", Alive(3_100, (_left, 3_000), (_right, 0)));
        Assert.Equal("left", Alive(9_000, (_left, 8_900), (_right, 0)));
        Assert.Equal("left right", Alive(9_100, (_left, 8_900), (_right, 9_050))); // it is back
    }

    [Fact]
    public void Clocks_of_other_machines_are_not_compared()
    {
        Assert.Equal("left right", Alive(0, (_left, 900_000_000), (_right, -900_000_000)));
        Assert.Equal("left right", Alive(2_000, (_left, 900_000_000), (_right, -900_001_000))); // set back, and beating
        Assert.Equal("right", Alive(4_000, (_left, 900_000_000), (_right, -900_001_000)));
    }

    [Fact]
    public void A_file_that_was_removed_and_written_again_is_a_new_one()
    {
        Alive(0, (_right, 0));
        Assert.Equal("", Alive(4_000, (_right, 0)));
        Assert.Equal("", Alive(4_100));
        Assert.Equal("right", Alive(4_200, (_right, 0)));
    }
}
