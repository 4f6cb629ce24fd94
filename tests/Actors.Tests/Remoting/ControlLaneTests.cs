using Convoy.Actors.Remoting;
using Convoy.Shared;
using Convoy.Shared.Protocol;
using Google.Protobuf;

namespace Convoy.Actors.Tests.Remoting;

public sealed class ControlLaneTests
{
    [Fact]
    public async Task Both_ends_learn_of_the_link_and_of_each_other()
    {
        await using var a = await Node.StartAsync("a");
        await using var b = await Node.StartAsync("b");
        var (here, there) = a.Join(b);
        Assert.Equal("b", here.Id!.Value.Node);
        Assert.Equal("a", there.Id!.Value.Node);
        Assert.Equal((LinkState.Up, LinkState.Up), (here.State, there.State));
    }

    [Fact]
    public async Task Messages_arrive_in_order_and_the_sender_can_be_answered()
    {
        await using var a = await Node.StartAsync("a");
        await using var b = await Node.StartAsync("b");
        var (here, _) = a.Join(b);
        for (var i = 1; i <= 5_000; i++) here.Actor("inbox").Tell(Node.Step(i), a.Inbox.Ref);
        for (var i = 1; i <= 5_000; i++) Assert.Equal(i, b.Inbox.ExpectMsg<StepDone>().Step);
        b.Inbox.Reply(new Stale { TokenSeen = 9 });
        Assert.Equal(9, a.Inbox.ExpectMsg<Stale>().TokenSeen);
        Assert.Equal("inbox", Assert.IsType<RemoteActorRef>(a.Inbox.Sender).Name);
    }

    [Fact]
    public async Task An_ask_over_the_wire_is_answered_and_leaves_no_name_behind()
    {
        await using var a = await Node.StartAsync("a");
        await using var b = await Node.StartAsync("b");
        var (here, _) = a.Join(b);
        var names = a.Remoting.Names.Count;
        var answer = here.Actor("inbox").Ask<Welcome>(new Hello { WorkerName = "w" }, TimeSpan.FromSeconds(20));
        Assert.Equal("w", b.Inbox.ExpectMsg<Hello>().WorkerName);
        b.Inbox.Reply(new Welcome { WorkerId = 3 });
        Assert.Equal(3, (await answer).WorkerId);
        // The name goes right after the answer, on the thread that brought it.
        Assert.True(SpinWait.SpinUntil(() => a.Remoting.Names.Count == names, TimeSpan.FromSeconds(20)));
    }

    [Fact]
    // R28, scenario 13
    public async Task What_cannot_be_sent_comes_back_with_size_limit_and_peer_and_later_messages_pass()
    {
        await using var a = await Node.StartAsync("a");
        await using var b = await Node.StartAsync("b");
        var (here, _) = a.Join(b);
        var remote = here.Actor("inbox");
        remote.Tell(new Assign { Graph = ByteString.CopyFrom(new byte[Limits.ControlMessageBytesMax]) }, a.Inbox.Ref);
        remote.Tell("not a control message", a.Inbox.Ref);
        here.Actor("nobody").Tell(Node.Step(1), a.Inbox.Ref);
        remote.Tell(Node.Step(2), a.Inbox.Ref);
        var tooLarge = a.Inbox.ExpectMsg<Undeliverable>();
        Assert.Equal((UndeliverableReason.TooLarge, "Assign"), (tooLarge.Reason, tooLarge.MessageType));
        Assert.True(tooLarge.Size > tooLarge.Limit && tooLarge.Limit == Limits.ControlMessageBytesMax);
        Assert.Contains("b at 127.0.0.1", tooLarge.Peer, StringComparison.Ordinal);
        Assert.Equal(UndeliverableReason.UnknownType, a.Inbox.ExpectMsg<Undeliverable>().Reason);
        var unknown = a.Inbox.ExpectMsg<Undeliverable>();
        Assert.Equal((UndeliverableReason.UnknownTarget, "StepDone"), (unknown.Reason, unknown.MessageType));
        Assert.Equal((DeliveryHop.Sender, DeliveryHop.Receiver), (tooLarge.Hop, unknown.Hop));
        Assert.Equal(2, b.Inbox.ExpectMsg<StepDone>().Step);
    }

    [Fact]
    public async Task A_large_message_passes_whole()
    {
        await using var a = await Node.StartAsync("a");
        await using var b = await Node.StartAsync("b");
        var (here, _) = a.Join(b);
        var graph = new byte[9_000_000];
        for (var i = 0; i < graph.Length; i += 997) graph[i] = (byte)i;
        here.Actor("inbox").Tell(new Assign { Graph = ByteString.CopyFrom(graph) });
        Assert.True(b.Inbox.ExpectMsg<Assign>().Graph.Span.SequenceEqual(graph));
    }

    [Fact]
    public async Task A_remote_death_is_told_and_a_name_nobody_has_is_dead()
    {
        await using var a = await Node.StartAsync("a");
        await using var b = await Node.StartAsync("b");
        var (here, _) = a.Join(b);
        var target = a.Inbox.Watch(here.Actor("inbox"));
        here.Actor("inbox").Tell(Node.Step(1)); // behind the watch on the same link
        b.Inbox.ExpectMsg<StepDone>();
        b.Kit.Sys.Stop(b.Inbox.Ref);
        var terminated = a.Inbox.ExpectTerminated(target);
        Assert.Equal((true, false), (terminated.ExistenceConfirmed, terminated.AddressTerminated));
        Assert.False(a.Inbox.ExpectTerminated(a.Inbox.Watch(here.Actor("nobody"))).ExistenceConfirmed);
    }

    [Fact]
    public async Task Closing_delivers_what_was_told_before_and_tells_both_owners()
    {
        await using var a = await Node.StartAsync("a");
        await using var b = await Node.StartAsync("b");
        var (here, there) = a.Join(b);
        a.Inbox.Watch(here.Actor("inbox"));
        for (var i = 1; i <= 100; i++) here.Actor("inbox").Tell(Node.Step(i));
        here.Close();
        Assert.Equal(LinkDownReason.ClosedHere, a.Links.ExpectMsg<LinkDown>().Reason);
        Assert.Equal(LinkDownReason.Goodbye, b.Links.ExpectMsg<LinkDown>().Reason);
        Assert.Equal(100, b.Inbox.ReceiveN(100).Count);
        Assert.True(a.Inbox.ExpectMsg<Terminated>().AddressTerminated);
        Assert.Equal((LinkState.Closed, LinkState.Down), (here.State, there.State));
        here.Actor("inbox").Tell(Node.Step(101), a.Inbox.Ref);
        Assert.Equal(UndeliverableReason.LinkDown, a.Inbox.ExpectMsg<Undeliverable>().Reason);
    }
}
