using Convoy.Actors.Remoting;
using Convoy.Shared.Ids;

namespace Convoy.Actors.Tests.Remoting.Addresses;

/// <summary>R19 with real sockets: ports of this machine stand for the addresses of a node.</summary>
public sealed class SeveralAddressesTests
{
    [Fact]
    public async Task The_address_that_leads_to_the_node_is_found_among_those_that_do_not()
    {
        await using var dialler = await Node.StartAsync("a");
        await using var target = await Node.StartAsync("b", o => o with { Listen = "127.0.0.1:0" });
        var (closed, open) = ("127.0.0.1:1", target.Remoting.Address);
        var peer = dialler.Remoting.Connect($"{closed}, {open}", dialler.Links.Ref,
            target.Remoting.Options.Incarnation);
        Assert.Same(peer, dialler.Links.ExpectMsg<LinkUp>().Peer);
        Assert.Equal("b", peer.Id!.Value.Node);
        target.Links.ExpectMsg<LinkUp>();
    }

    [Fact]
    public async Task Another_node_at_one_of_the_addresses_is_passed_over_and_hears_nothing()
    {
        await using var dialler = await Node.StartAsync("a");
        await using var stranger = await Node.StartAsync("s");
        await using var target = await Node.StartAsync("b");
        dialler.Remoting.Connect($"{stranger.Remoting.Address},{target.Remoting.Address}", dialler.Links.Ref,
            target.Remoting.Options.Incarnation);
        Assert.Equal("b", dialler.Links.ExpectMsg<LinkUp>().Peer.Id!.Value.Node);
        target.Links.ExpectMsg<LinkUp>();
        Assert.Empty(stranger.Remoting.AcceptedLinks);
    }

    [Fact]
    public async Task When_no_address_leads_there_each_is_named_once()
    {
        await using var dialler = await Node.StartAsync("a");
        await using var stranger = await Node.StartAsync("s");
        var peer = dialler.Remoting.Connect($"127.0.0.1:1,{stranger.Remoting.Address}", dialler.Links.Ref,
            new Incarnation(0xDEAD));
        var told = dialler.Links.ExpectMsg<LinkUnreachable>();
        Assert.Equal(
            $"none of 2 addresses leads there: 127.0.0.1:1 (refused), {stranger.Remoting.Address} (s answers there, as another process than the one that is looked for)",
            told.ToString());
        peer.Close();
        Assert.Single(dialler.LogLines, line => line.Contains("leads there", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_node_that_was_advertised_at_a_dead_address_first_comes_back_after_a_loss()
    {
        await using var dialler = await Node.StartAsync("a");
        await using var target = await Node.StartAsync("b");
        dialler.Remoting.Connect($"127.0.0.1:1,{target.Remoting.Address}", dialler.Links.Ref);
        dialler.Links.ExpectMsg<LinkUp>();
        target.Links.ExpectMsg<LinkUp>().Peer.Close();
        dialler.Links.ExpectMsg<LinkDown>();
        dialler.Links.ExpectMsg<LinkUp>();
    }
}
