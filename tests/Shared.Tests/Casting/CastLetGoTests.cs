using Convoy.Shared.Casting;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;

namespace Convoy.Shared.Tests.Casting;

/// <summary>C7: a member that was let go takes nothing that was cast before.</summary>
public sealed class CastLetGoTests
{
    private static readonly Incarnation Me = new(7);
    private static readonly Roster List =
        Roster.Of([new Member { WorkerId = 1, Incarnation = Me.Value, PeerAddress = "here:7000" }]);

    private readonly CastProtocol _casts = new(Me, new ClockTable());

    [Fact]
    public void A_list_that_comes_after_it_opens_nothing()
    {
        Say(FenceOf(1));
        Assert.Equal(CastStatus.Fetching, _casts.Status);
        _casts.Step(new LetGo(), default);
        Assert.Equal((CastStatus.Idle, Instant.Never), (_casts.Status, _casts.NextDeadline));
        var list = new RosterContent { Content = List.Content };
        Assert.DoesNotContain(Say(list), o => o is CastDeliver);
        // By another way the same once more, and its list.
        Say(FenceOf(1));
        Assert.DoesNotContain(Say(list), o => o is CastDeliver);
        // It said Hello again, and the next one is for it too.
        Say(FenceOf(2));
        Assert.Contains(Say(list), o => o is CastDeliver { Cast.CastId: 2 });
    }

    private List<CastOutput> Say(Google.Protobuf.IMessage message)
    {
        _casts.Step(new CastSaid(default, message), default);
        return _casts.Drain();
    }

    private static Cast FenceOf(long id) => new()
    {
        LeaderToken = 1, Generation = 3, CastId = id, FanOut = 2, RosterSha256 = List.Sha256,
        Fence = new Fence { LeaderToken = 1, Generation = 3 },
    };
}
