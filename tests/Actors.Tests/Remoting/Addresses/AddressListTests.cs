using System.Net;
using Convoy.Actors.Remoting.Addresses;
using Convoy.Shared;

namespace Convoy.Actors.Tests.Remoting.Addresses;

public sealed class AddressListTests // R19
{
    private static readonly HostAddress[] Machine =
    [
        Of("127.0.0.1", 8, "lo"), Of("169.254.7.7", 16, "eth9"), Of("172.17.0.1", 16, "docker0"),
        Of("10.1.2.3", 24, "eth0"),
        Of("::1", 128, "lo"), Of("fe80::1", 64, "eth0"), Of("fd00::2", 64, "eth0"),
    ];

    [Theory]
    // AL-1: never 0.0.0.0; a guessed address last
    [InlineData("0.0.0.0", null, "172.17.0.1:7,10.1.2.3:7,169.254.7.7:7")]
    [InlineData("::", null, "172.17.0.1:7,10.1.2.3:7,[fd00::2]:7,169.254.7.7:7")] // both families
    [InlineData("10.1.2.3", null, "10.1.2.3:7")]
    [InlineData("127.0.0.2", null, "127.0.0.2:7")]
    [InlineData("0.0.0.0", "node7.example.org, 10.9.9.9:17", "node7.example.org:7,10.9.9.9:17")]
    [InlineData("0.0.0.0", "fd00::9,[fd00::9]:7", "[fd00::9]:7")] // AL-2: each once
    public void A_node_advertises_what_others_can_dial(string bound, string? advertise, string expected) =>
        Assert.Equal(expected,
            AddressList.Text(AddressList.Advertised(new IPEndPoint(IPAddress.Parse(bound), 7), advertise, Machine)));

    [Fact]
    public void A_machine_without_a_network_still_has_itself() =>
        Assert.Equal(["127.0.0.1:7"],
            AddressList.Advertised(new IPEndPoint(IPAddress.Any, 7), null, [Of("127.0.0.1", 8, "lo")]));

    [Fact]
    public void A_machine_with_very_many_addresses_advertises_a_bounded_list()
    {
        var many = Enumerable.Range(1, 100).Select(i => Of($"10.0.{i}.1", 24, $"eth{i}")).ToList();
        Assert.Equal(AddressList.EntriesMax,
            AddressList.Advertised(new IPEndPoint(IPAddress.Any, 7), null, many).Count);
    }

    [Theory]
    [InlineData("0.0.0.0", "advertise 0.0.0.0: 0.0.0.0 is no address that anybody can dial; name one of an interface")]
    [InlineData("", "advertise : 0 addresses; give 1 to 16, with commas")]
    [InlineData("a b", "advertise a b: 'a b' is neither an address nor a name")]
    public void A_list_that_nobody_can_dial_is_refused_in_one_line(string advertise, string text)
    {
        var refused = Assert.Throws<UserException>(() =>
            AddressList.Advertised(new IPEndPoint(IPAddress.Any, 7), advertise, Machine));
        Assert.Equal((ExitCode.Usage, text), (refused.Code, refused.Message));
    }

    [Theory]
    [InlineData("10.1.2.3", nameof(Nearness.SameHost))]
    [InlineData("127.0.0.9", nameof(Nearness.SameHost))]
    [InlineData("10.1.2.77", nameof(Nearness.SameSubnet))]
    [InlineData("10.1.3.77", nameof(Nearness.Elsewhere))]
    [InlineData("fd00::77", nameof(Nearness.SameSubnet))]
    [InlineData("fd00:0:0:1::77", nameof(Nearness.Elsewhere))]
    [InlineData("0.1.2.3", nameof(Nearness.Elsewhere))] // shares no bit of a prefix that does not end on a byte
    public void An_address_is_as_near_as_the_own_addresses_say(string address, string nearness) =>
        Assert.Equal(nearness, AddressList.NearnessOf(IPAddress.Parse(address), Machine).ToString());

    [Fact]
    public void The_nearest_is_tried_first_and_equals_in_the_order_that_was_advertised()
    {
        IPAddress?[] places = [null, IPAddress.Parse("8.8.8.8"), IPAddress.Parse("10.1.2.77"),
            IPAddress.Parse("172.17.9.9"), IPAddress.Parse("10.1.2.3")];
        Assert.Equal([4, 2, 3, 0, 1], AddressList.Ranked(places, Machine));
    }

    [Fact]
    public void What_this_machine_says_of_itself_can_be_ranked()
    {
        foreach (var one in HostAddresses.All())
            Assert.Equal(Nearness.SameHost, AddressList.NearnessOf(one.Address, HostAddresses.All()));
    }

    private static HostAddress Of(string address, int bits, string name) => new(IPAddress.Parse(address), bits, name);
}
