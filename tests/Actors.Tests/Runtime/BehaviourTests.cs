using Convoy.Actors.Runtime;
using Convoy.Actors.TestKit;

namespace Convoy.Actors.Tests.Runtime;

public sealed class BehaviourTests : TestKit.TestKit
{
    private sealed class Door : ReceiveActor, IWithUnboundedStash
    {
        public Door()
        {
            Closed();
        }

        public IStash Stash { get; set; } = null!;

        private void Closed()
        {
            Receive<string>(m => m == "open", _ =>
            {
                Stash.UnstashAll();
                Become(Open);
            });
            ReceiveAny(_ => Stash.Stash());
        }

        private void Open()
        {
            Receive<string>(m => m == "close", _ => Become(Closed));
            Receive<string>(m => m == "peek", _ => BecomeStacked(Peeked));
            Receive<string>(m => m == "fail", _ => throw new InvalidOperationException());
            ReceiveAny(m => Sender.Tell(m));
        }

        private void Peeked() => ReceiveAny(m =>
        {
            Sender.Tell($"peeked {m}");
            UnbecomeStacked();
        });
    }

    [Fact]
    public void A_handler_that_could_never_be_reached_is_refused()
    {
        var table = new MatchTable();
        table.Add(typeof(ArgumentException), _ => false, takesAll: false);
        table.Add(typeof(ArgumentException), _ => true, takesAll: true);
        table.Add(typeof(Exception), _ => true, takesAll: true);
        var error = Assert.Throws<InvalidOperationException>(
            () => table.Add(typeof(InvalidOperationException), _ => true, takesAll: true));
        Assert.StartsWith("the handler of InvalidOperationException is never reached", error.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public void Stashed_messages_come_back_in_order_ahead_of_later_ones()
    {
        var door = Sys.ActorOf(Props.Create(() => new Door()));
        foreach (var message in (string[])["1", "2", "open", "3"]) door.Tell(message, TestActor);
        Assert.Equal(["1", "2", "3"], Probe.ReceiveN(3));
    }

    [Fact]
    public void Become_replaces_and_become_stacked_comes_back()
    {
        var door = Sys.ActorOf(Props.Create(() => new Door()));
        foreach (var message in (string[])["open", "peek", "1", "2", "close", "3", "open"])
            door.Tell(message, TestActor);
        Assert.Equal(["peeked 1", "2", "3"], Probe.ReceiveN(3));
    }

    [Fact]
    public void A_restart_returns_to_the_first_behaviour_and_keeps_the_stash()
    {
        var door = Sys.ActorOf(Props.Create(() => new Door()));
        foreach (var message in (string[])["open", "fail", "1", "2", "open"]) door.Tell(message, TestActor);
        Assert.Equal(["1", "2"], Probe.ReceiveN(2));
    }

    [Fact]
    public void A_stash_that_ends_with_its_actor_is_dead_letters()
    {
        var door = Sys.ActorOf(Props.Create(() => new Door()));
        door.Tell("1");
        door.Tell("2");
        Settle();
        Sys.Stop(door);
        Settle();
        Assert.Equal(2, Sys.DeadLetterCount);
    }

    private sealed class Clocked : ReceiveActor, IWithTimers
    {
        private readonly IActorRef _log;

        public Clocked(IActorRef log)
        {
            _log = log;
            Receive<string>(m => m == "stop", _ => Timers.Cancel("beat"));
            Receive<string>(m => m == "replace",
                _ => Timers.StartSingleTimer("once", "second", TimeSpan.FromSeconds(1)));
            Receive<string>(m => m == "fail", _ => throw new InvalidOperationException());
            Receive<TimeSpan>(t => Context.SetReceiveTimeout(t));
            ReceiveAny(m => _log.Tell(m));
        }

        public ITimerScheduler Timers { get; set; } = null!;

        protected override void PreStart()
        {
            Timers.StartPeriodicTimer("beat", "beat", TimeSpan.FromSeconds(10));
            Timers.StartSingleTimer("once", "first", TimeSpan.FromSeconds(15));
        }
    }

    [Fact]
    public void Timers_follow_virtual_time_and_end_when_cancelled()
    {
        var clocked = Sys.ActorOf(Props.Create(() => new Clocked(TestActor)));
        Advance(TimeSpan.FromSeconds(30));
        Assert.Equal(["beat", "first", "beat", "beat"], Probe.ReceiveN(4));
        clocked.Tell("stop");
        ExpectNoMsg(TimeSpan.FromHours(1));
        Assert.Equal(0, Sys.Timers.Count);
    }

    [Fact]
    public void A_timer_started_again_replaces_the_old_one()
    {
        var clocked = Sys.ActorOf(Props.Create(() => new Clocked(TestActor)));
        clocked.Tell("stop");
        clocked.Tell("replace");
        ExpectMsg("second");
        ExpectNoMsg(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void Timers_end_with_a_restart_and_with_the_actor()
    {
        var clocked = Sys.ActorOf(Props.Create(() => new Clocked(TestActor)));
        Advance(TimeSpan.FromSeconds(9));
        clocked.Tell("fail");
        ExpectNoMsg(TimeSpan.FromSeconds(9));
        Advance(TimeSpan.FromSeconds(1));
        ExpectMsg("beat");
        Sys.Stop(clocked);
        ExpectNoMsg(TimeSpan.FromMinutes(1));
        Assert.Equal(0, Sys.Timers.Count);
    }

    [Fact]
    public void The_receive_timeout_counts_from_the_last_message()
    {
        var clocked = Sys.ActorOf(Props.Create(() => new Clocked(TestActor)));
        clocked.Tell("stop");
        clocked.Tell(TimeSpan.FromSeconds(3));
        Advance(TimeSpan.FromSeconds(2));
        clocked.Tell("hello");
        ExpectMsg("hello");
        ExpectNoMsg(TimeSpan.FromSeconds(2.9));
        Advance(TimeSpan.FromSeconds(0.1));
        Assert.Same(ReceiveTimeout.Instance, ExpectMsg<ReceiveTimeout>());
    }

    [Fact]
    public void The_scheduler_tells_once_and_repeatedly_and_can_be_cancelled()
    {
        Sys.Scheduler.ScheduleTellOnce(TimeSpan.FromSeconds(1), TestActor, "once", null);
        var repeated = Sys.Scheduler.ScheduleTellRepeatedlyCancelable(TimeSpan.Zero, TimeSpan.FromSeconds(2),
            TestActor, "often", null);
        Advance(TimeSpan.FromSeconds(5));
        Assert.Equal(["often", "once", "often", "often"], Probe.ReceiveN(4));
        repeated.Cancel();
        ExpectNoMsg(TimeSpan.FromMinutes(1));
    }

    [Fact]
    public void A_thousand_timers_fire_in_due_order()
    {
        _ = TestActor;
        var due = Enumerable.Range(0, 1_000).Select(i => i * 7_919 % 1_000).ToList();
        foreach (var ms in due) Sys.Scheduler.ScheduleTellOnce(TimeSpan.FromMilliseconds(ms), TestActor, ms, null);
        Advance(TimeSpan.FromSeconds(1));
        Assert.Equal(due.Order().Cast<object>(), Probe.ReceiveN(1_000));
    }

    [Fact]
    public void Piped_tasks_become_messages()
    {
        Task.FromResult("done").PipeTo(TestActor);
        Task.FromException<string>(new InvalidOperationException("broken")).PipeTo(TestActor);
        Assert.Equal("done", ExpectMsg<string>());
        Assert.Equal("broken", ExpectMsg<Status.Failure>().Cause.Message);
    }

    [Fact]
    public void Watching_the_dead_tells_at_once_and_unwatching_tells_nothing()
    {
        var dead = CreateTestProbe();
        Sys.Stop(dead.Ref);
        Settle();
        Probe.Watch(dead.Ref);
        Probe.ExpectTerminated(dead.Ref);
        Probe.Watch(ActorRefs.Nobody);
        Assert.False(ExpectMsg<Terminated>().ExistenceConfirmed);
    }

    [Fact]
    public void Names_are_unique_and_free_again_after_the_end()
    {
        var first = Sys.ActorOf(Props.Create(() => new Door()), "door");
        Assert.Throws<InvalidActorNameException>(() => Sys.ActorOf(Props.Create(() => new Door()), "door"));
        Assert.Throws<InvalidActorNameException>(() => Sys.ActorOf(Props.Create(() => new Door()), "a/b"));
        Probe.Watch(first);
        Sys.Stop(first);
        Probe.ExpectTerminated(first);
        Sys.ActorOf(Props.Create(() => new Door()), "door").Tell("open");
    }

    [Fact]
    public void An_actor_is_not_made_with_new() =>
        Assert.Contains("ActorOf", Assert.Throws<InvalidOperationException>(() => new Door()).Message,
            StringComparison.Ordinal);
}
