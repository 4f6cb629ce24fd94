using System.Net;
using System.Net.Sockets;
using Convoy.Actors.Remoting;
using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;

namespace Convoy.Actors.Tests.Remoting;

public sealed class LinkTests
{
    [Fact] // scenario 12
    public async Task A_dropped_control_connection_resumes_its_session_without_loss_or_repetition()
    {
        await using var a = await Node.StartAsync("a");
        await using var b = await Node.StartAsync("b");
        await using var wire = new Wire(b.Remoting.Address);
        var here = a.Remoting.Connect(wire.Address, a.Links.Ref);
        a.Links.ExpectMsg<LinkUp>();
        var there = b.Links.ExpectMsg<LinkUp>().Peer;
        for (var i = 1; i <= 2_000; i++)
        {
            here.Actor("inbox").Tell(Node.Step(i));
            there.Actor("inbox").Tell(Node.Step(-i));
            if (i % 500 == 0) wire.Cut(0); // lanes are dialled in order: control is the first connection
        }

        for (var i = 1; i <= 2_000; i++) Assert.Equal(i, b.Inbox.ExpectMsg<StepDone>().Step);
        for (var i = 1; i <= 2_000; i++) Assert.Equal(-i, a.Inbox.ExpectMsg<StepDone>().Step);
        Assert.False(a.Links.HasMessages || b.Links.HasMessages);
    }

    [Fact]
    public async Task Both_connections_cut_while_idle_come_back()
    {
        await using var a = await Node.StartAsync("a");
        await using var b = await Node.StartAsync("b");
        await using var wire = new Wire(b.Remoting.Address);
        var here = a.Remoting.Connect(wire.Address, a.Links.Ref);
        a.Links.ExpectMsg<LinkUp>();
        b.Links.ExpectMsg<LinkUp>();
        wire.CutAll();
        here.Actor("inbox").Tell(Node.Step(1));
        Assert.Equal(1, b.Inbox.ExpectMsg<StepDone>().Step);
        while (here.State != LinkState.Up) await Task.Yield();
        Assert.True(here.TrySendBulk(BulkSink.Header(1), new byte[10]));
        b.Bulk.Expect<BulkSink.Frame>();
        Assert.False(a.Links.HasMessages);
    }

    [Fact]
    public async Task A_peer_that_vanishes_is_down_at_both_kinds_of_ends_and_messages_come_back()
    {
        await using var a = await Node.StartAsync("a", o => o with { Clocks = new() });
        var b = await Node.StartAsync("b");
        await using var c = await Node.StartAsync("c", o => o with { Clocks = new() });
        await using var wire = new Wire(b.Remoting.Address);
        await using var wireBack = new Wire(c.Remoting.Address);
        var here = a.Remoting.Connect(wire.Address, a.Links.Ref);
        var there = a.Links.ExpectMsg<LinkUp>().Peer;
        b.Links.ExpectMsg<LinkUp>();
        b.Remoting.Connect(wireBack.Address, b.Links.Ref);
        c.Links.ExpectMsg<LinkUp>();
        a.Inbox.Watch(here.Actor("inbox"));
        await wire.DisposeAsync();     // nobody listens any more: refused at once
        await wireBack.DisposeAsync(); // the accepting side waits for its grace
        Assert.Equal(LinkDownReason.ConnectionLost, a.Links.ExpectMsg<LinkDown>().Reason);
        Assert.Contains(c.Links.ExpectMsg<LinkDown>().Reason,
            new[] { LinkDownReason.ConnectionLost, LinkDownReason.BulkLost });
        Assert.True(a.Inbox.ExpectMsg<Terminated>().AddressTerminated);
        Assert.Same(here, there);
        here.Actor("inbox").Tell(Node.Step(1), a.Inbox.Ref);
        Assert.Equal(UndeliverableReason.LinkDown, a.Inbox.ExpectMsg<Undeliverable>().Reason);
        await b.DisposeAsync();
    }

    [Fact] // scenario 11
    public async Task A_peer_that_restarts_on_its_address_is_a_new_session_and_the_old_messages_come_back()
    {
        await using var a = await Node.StartAsync("a");
        var b = await Node.StartAsync("b");
        await using var wire = new Wire(b.Remoting.Address);
        var here = a.Remoting.Connect(wire.Address, a.Links.Ref);
        a.Links.ExpectMsg<LinkUp>();
        var first = here.Id;
        await using var reborn = await Node.StartAsync("b");
        wire.Freeze(); // what is told now is never confirmed
        here.Actor("inbox").Tell(Node.Step(1), a.Inbox.Ref);
        wire.Target = reborn.Remoting.Address;
        wire.CutAll();
        Assert.Equal(LinkDownReason.PeerRestarted, a.Links.ExpectMsg<LinkDown>().Reason);
        Assert.Equal(UndeliverableReason.PeerRestarted, a.Inbox.ExpectMsg<Undeliverable>().Reason);
        a.Links.ExpectMsg<LinkUp>();
        Assert.NotEqual(first, here.Id);
        here.Actor("inbox").Tell(Node.Step(2));
        Assert.Equal(2, reborn.Inbox.ExpectMsg<StepDone>().Step);
        await b.DisposeAsync();
    }

    [Fact] // LK-3: an owner on the telling thread closes what it likes in the middle of an event, in order all the same
    public async Task An_owner_that_runs_on_the_telling_thread_closes_all_its_links_when_it_hears_of_one()
    {
        await using var a = await Node.StartAsync("a");
        await using var b = await Node.StartAsync("b");
        await using var c = await Node.StartAsync("c");
        var owner = a.Kit.Sys.ActorOf(
            Props.Create(() => new ClosesAll(a.Inbox.Ref)).WithDispatcher(Dispatchers.Calling));
        var toB = a.Remoting.Connect(b.Remoting.Address, owner);
        Assert.Same(toB, a.Inbox.ExpectMsg<LinkUp>().Peer);
        var toC = a.Remoting.Connect(c.Remoting.Address, owner);
        Assert.Same(toC, a.Inbox.ExpectMsg<LinkUp>().Peer);

        b.Links.ExpectMsg<LinkUp>().Peer.Close();
        Assert.Equal((toB, LinkDownReason.Goodbye), Down());
        Assert.Equal((toC, LinkDownReason.ClosedHere), Down());
        while (toB.State != LinkState.Closed || toC.State != LinkState.Closed) await Task.Yield();

        (Peer, LinkDownReason) Down()
        {
            var down = a.Inbox.ExpectMsg<LinkDown>();
            return (down.Peer, down.Reason);
        }
    }

    private sealed class ClosesAll : ReceiveActor
    {
        private readonly List<Peer> _links = [];

        public ClosesAll(IActorRef told)
        {
            Receive<LinkUp>(m =>
            {
                _links.Add(m.Peer);
                told.Tell(m, Self);
            });
            Receive<LinkDown>(m =>
            {
                told.Tell(m, Self);
                foreach (var link in _links) link.Close();
            });
        }
    }

    [Fact] // R20
    public async Task Other_versions_are_refused_with_their_differences()
    {
        await using var a = await Node.StartAsync("a", o => o with { BuildId = "b2", Features = ["tree"] });
        await using var b = await Node.StartAsync("b");
        var peer = a.Dial(b);
        var refused = a.Links.ExpectMsg<LinkRefused>();
        Assert.Equal((LinkRefusedReason.Versions, b.Remoting.Address), (refused.Reason, refused.Address));
        Assert.Equal(["build: b1 here, b2 at a", "feature tree: off here, on at a"], refused.Differences);
        while (peer.State != LinkState.Closed) await Task.Yield();
    }

    [Fact]
    public async Task Dialling_goes_on_until_somebody_listens()
    {
        var reserved = new TcpListener(IPAddress.Loopback, 0);
        reserved.Start();
        var address = reserved.LocalEndpoint.ToString()!;
        reserved.Stop();
        await using var a = await Node.StartAsync("a");
        var peer = a.Remoting.Connect(address, a.Links.Ref);
        peer.Actor("inbox").Tell(Node.Step(1));
        await using var b = await Node.StartAsync("b", o => o with { Listen = address });
        a.Links.FishForMessage<LinkUp>(); // before it the owner may hear that nobody listens yet (R19)
        Assert.Equal(1, b.Inbox.ExpectMsg<StepDone>().Step);
    }

    [Theory]
    [InlineData("0.0.0.0:0")]
    [InlineData("10.1.2.3:7400")]
    [InlineData("example.org:7400")]
    public async Task Only_loopback_is_open_without_credentials(string address)
    {
        var listen = await Assert.ThrowsAsync<UserException>(() =>
            Node.StartAsync("a", o => o with { Listen = address }));
        Assert.Equal(ExitCode.Cluster, listen.Code);
        await using var a = await Node.StartAsync("a");
        var dial = Assert.Throws<UserException>(() => a.Remoting.Connect(address, a.Links.Ref));
        Assert.Contains("loopback", dial.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("7400")]
    [InlineData("127.0.0.1:x")]
    [InlineData(":1")]
    [InlineData("127.0.0.1:70000")]
    public async Task An_address_that_is_none_is_refused(string address)
    {
        var refused = await Assert.ThrowsAsync<UserException>(() =>
            Node.StartAsync("a", o => o with { Listen = address }));
        Assert.Contains("host:port", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_taken_port_is_a_clear_error()
    {
        await using var a = await Node.StartAsync("a");
        var taken = await Assert.ThrowsAsync<UserException>(() =>
            Node.StartAsync("b", o => o with { Listen = a.Remoting.Address }));
        Assert.Contains(a.Remoting.Address, taken.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_processes_may_dial_each_other()
    {
        await using var a = await Node.StartAsync("a");
        await using var b = await Node.StartAsync("b");
        var ab = a.Dial(b);
        var ba = b.Dial(a);
        for (var i = 0; i < 2; i++)
        {
            a.Links.ExpectMsg<LinkUp>();
            b.Links.ExpectMsg<LinkUp>();
        }

        ab.Actor("inbox").Tell(Node.Step(1));
        ba.Actor("inbox").Tell(Node.Step(2));
        Assert.Equal(1, b.Inbox.ExpectMsg<StepDone>().Step);
        Assert.Equal(2, a.Inbox.ExpectMsg<StepDone>().Step);
    }
}
