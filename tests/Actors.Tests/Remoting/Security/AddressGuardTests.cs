using Convoy.Actors.Remoting.Security;
using Convoy.Shared.Security;
using Convoy.Shared.Time;

namespace Convoy.Actors.Tests.Remoting.Security;

public class AddressGuardTests
{
    private static readonly GuardLimits Limits = new(InFlightMax: 3, RefusalsMax: 5, RefusalsPerSecond: 2);
    private readonly AddressGuard _guard = new(Limits);
    private Instant _now = new Instant(0) + TimeSpan.FromSeconds(1);

    [Fact] // AG-1
    public void An_address_has_its_share_of_handshakes()
    {
        for (var i = 0; i < 3; i++) Assert.Null(_guard.TryEnter("10.0.0.1", _now));
        Assert.Contains("3 handshakes", _guard.TryEnter("10.0.0.1", _now), StringComparison.Ordinal);
        Assert.Null(_guard.TryEnter("10.0.0.2", _now));
        _guard.Leave("10.0.0.1", refused: false, _now);
        Assert.Null(_guard.TryEnter("10.0.0.1", _now));
    }

    [Fact] // AG-2
    public void Refusals_run_out_and_come_back_with_time()
    {
        for (var i = 0; i < 5; i++) Assert.True(Try(refused: true));
        Assert.Contains("refused", _guard.TryEnter("10.0.0.1", _now), StringComparison.Ordinal);
        _now += TimeSpan.FromSeconds(0.6);
        Assert.True(Try(refused: true));
        Assert.False(Try(refused: true));
        _now += TimeSpan.FromHours(1);
        for (var i = 0; i < 5; i++) Assert.True(Try(refused: true));
        Assert.False(Try(refused: true));
    }

    [Fact] // AG-2
    public void Whoever_shakes_hands_is_never_held_up()
    {
        for (var i = 0; i < 1_000; i++) Assert.True(Try(refused: false));
    }

    [Fact] // AG-3
    public void A_million_addresses_cost_no_more_than_the_table()
    {
        Assert.Null(_guard.TryEnter("10.0.0.1", _now)); // stays in flight
        for (var i = 0; i < 20_000; i++)
        {
            _now += TimeSpan.FromMilliseconds(1);
            Assert.Null(_guard.TryEnter($"host{i}", _now));
            _guard.Leave($"host{i}", refused: true, _now);
            Assert.InRange(_guard.AddressesCount, 1, AddressGuard.AddressesMax);
        }

        _guard.Leave("10.0.0.1", refused: false, _now);
    }

    [Theory]
    [InlineData("10.0.0.1:5000", "10.0.0.1")]
    [InlineData("[::ffff:10.0.0.1]:5000", "10.0.0.1")]
    [InlineData("[2001:db8:1:2:3:4:5:6]:5000", "2001:db8:1:2::/64")]
    [InlineData("[2001:db8:1:2:ffff::1]:5000", "2001:db8:1:2::/64")]
    [InlineData("[::1]:5000", "::1")]
    [InlineData("somewhere", "somewhere")]
    public void A_party_is_an_address(string remote, string host) => Assert.Equal(host, AddressGuard.HostOf(remote));

    [Fact]
    public void A_refusal_is_said_once_and_then_counted()
    {
        var said = new List<string>();
        var log = new RefusalLog(said.Add);
        for (var i = 0; i < 1_000; i++) log.Note("10.0.0.1", nameof(Refusal.Expired), "too old", _now);
        log.Note("10.0.0.1", nameof(Refusal.WrongRole), "not you", _now);
        log.Note("10.0.0.2", nameof(Refusal.Expired), "too old", _now);
        Assert.Equal(3, said.Count);
        _now += TimeSpan.FromMinutes(2);
        log.Note("10.0.0.1", nameof(Refusal.Expired), "too old", _now);
        Assert.Equal("refused 10.0.0.1 (Expired) another 1000 times in 120 s", said[3]);
        for (var i = 0; i < 5_000; i++)
            log.Note($"10.1.{i / 256}.{i % 256}", nameof(Refusal.Silent), "", _now += TimeSpan.FromMilliseconds(1));
        Assert.Equal(RefusalLog.PairsMax, log.PairsCount);
    }

    [Fact]
    public void A_peer_gets_no_lines_of_its_own_in_our_log()
    {
        var said = new List<string>();
        new RefusalLog(said.Add).Note("10.0.0.1", nameof(Refusal.Versions),
            "w0\n[6001] link up\u2028\u001b[31m" + new string('x', 5_000), _now);
        Assert.DoesNotContain(said[0], c => char.IsControl(c) || c is '\u2028');
        Assert.InRange(said[0].Length, 100, 600);
    }

    [Fact]
    public void A_peer_is_slowed_down_to_its_rate()
    {
        var budget = new ByteBudget(1_000, 5_000, _now);
        Assert.Equal(TimeSpan.Zero, budget.Take(5_000, _now));
        Assert.Equal(TimeSpan.FromSeconds(2), budget.Take(2_000, _now));
        Assert.Equal(TimeSpan.Zero, budget.Take(1_000, _now + TimeSpan.FromSeconds(3)));
        Assert.Equal(TimeSpan.FromSeconds(1), budget.Take(6_000, _now + TimeSpan.FromHours(1)));
    }

    private bool Try(bool refused)
    {
        if (_guard.TryEnter("10.0.0.1", _now) is not null) return false;
        _guard.Leave("10.0.0.1", refused, _now);
        return true;
    }
}
