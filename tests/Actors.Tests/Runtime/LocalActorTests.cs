using Convoy.Actors.TestKit;

namespace Convoy.Actors.Tests.Runtime;

public sealed class LocalActorTests : TestKit.TestKit
{
    private sealed record Get;

    private sealed class Counter : ReceiveActor
    {
        private int _count;

        public Counter()
        {
            Receive<int>(n => _count += n);
            Receive<Get>(_ => Sender.Tell(_count));
            Receive<string>(s => s == "fail", _ => throw new InvalidOperationException("told to fail"));
        }
    }

    [Fact]
    public void Tells_are_handled_in_order_and_the_sender_can_be_answered()
    {
        var counter = Sys.ActorOf(Props.Create(() => new Counter()), "counter");
        for (var i = 1; i <= 1000; i++) counter.Tell(i);
        counter.Tell(new Get(), TestActor);
        Assert.Equal(500_500, ExpectMsg<int>());
        Assert.Equal("convoy://test/user/counter", counter.Path.ToString());
    }

    [Fact]
    public void An_ask_completes_with_the_answer()
    {
        var counter = Sys.ActorOf(Props.Create(() => new Counter()));
        counter.Tell(7);
        Assert.Equal(7, Await(counter.Ask<int>(new Get(), TimeSpan.FromSeconds(1))));
        Assert.Equal(0, Sys.Timers.Count);
    }

    [Fact]
    public void An_ask_ends_at_its_deadline()
    {
        var silent = Sys.ActorOf(Props.Create(() => new Counter()));
        var answer = silent.Ask<int>("ignored", TimeSpan.FromSeconds(30));
        var failure = Assert.Throws<AskTimeoutException>(() => Await(answer, TimeSpan.FromMinutes(1)));
        Assert.Contains(silent.Path.ToString(), failure.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void An_ask_ends_when_its_target_ends_or_has_ended()
    {
        var dying = Sys.ActorOf(Props.Create(() => new Counter()));
        var answer = dying.Ask<int>("ignored", TimeSpan.FromSeconds(30));
        dying.Tell(PoisonPill.Instance);
        Assert.Throws<AskTargetTerminatedException>(() => Await(answer, TimeSpan.FromSeconds(1)));
        var late = dying.Ask<int>(new Get(), TimeSpan.FromSeconds(30));
        Assert.Throws<AskTargetTerminatedException>(() => Await(late, TimeSpan.FromSeconds(1)));
    }

    [Fact]
    public void A_restart_clears_the_state_and_keeps_the_mailbox()
    {
        var counter = Sys.ActorOf(Props.Create(() => new Counter()));
        counter.Tell(5);
        counter.Tell("fail");
        counter.Tell(2);
        counter.Tell(new Get(), TestActor);
        Assert.Equal(2, ExpectMsg<int>());
    }

    [Fact]
    public void A_full_mailbox_gives_the_message_back_by_name()
    {
        var letters = new List<DeadLetter>();
        using var kit = new TestKit.TestKit(deadLetterSink: letters.Add);
        var probe = kit.CreateTestProbe();
        var counter = kit.Sys.ActorOf(Props.Create(() => new Counter()).WithMailboxCapacity(3), "small");
        for (var i = 0; i < 4; i++) counter.Tell(1, probe.Ref);
        var refused = probe.ExpectMsg<Undeliverable>();
        Assert.Equal(UndeliverableReason.MailboxFull, refused.Reason);
        Assert.Equal(3, refused.Limit);
        Assert.Equal("Int32", refused.MessageType);
        Assert.Equal(1, kit.Sys.DeadLetterCount);
        Assert.Equal(UndeliverableReason.MailboxFull, Assert.Single(letters).Reason);
        counter.Tell(new Get(), probe.Ref);
        Assert.Equal(3, probe.ExpectMsg<int>());
    }
}
