using Convoy.Actors.TestKit;
using Convoy.Shared.Diagnostics;

namespace Convoy.Actors.Tests.Runtime;

// FT-04: restarts have a back-off and a budget.
public sealed class SupervisionTests : IDisposable
{
    private readonly Lines _lines = new();
    private readonly TestKit.TestKit _kit;
    private readonly TestProbe _probe;

    public SupervisionTests()
    {
        _kit = new TestKit.TestKit(logSink: _lines);
        _probe = _kit.CreateTestProbe();
    }

    public void Dispose() => _kit.Dispose();

    [Fact]
    public void Restart_clears_the_state_and_runs_the_hooks_in_order()
    {
        var child = ChildUnder(new OneForOneStrategy(static _ => Directive.Restart));
        Assert.Equal("child 1 PreStart", _probe.ExpectMsg<string>());
        child.Tell("fail");
        Assert.Equal("child 1 PreRestart fail", _probe.ExpectMsg<string>());
        Assert.Equal("child 1 PostStop", _probe.ExpectMsg<string>());
        Assert.Equal("child 2 PreStart", _probe.ExpectMsg<string>());
        Assert.Contains(
            _lines.All,
            l => l.Level == LogLevel.Error && l.Source == child.Path.ToString()
                && l.Text.Contains("Child failed on String: told to fail", StringComparison.Ordinal)
                && l.Exception is InvalidOperationException);
    }

    [Fact]
    public void Resume_keeps_the_instance()
    {
        var child = ChildUnder(new OneForOneStrategy(static _ => Directive.Resume));
        child.Tell("fail");
        child.Tell("who");
        Assert.Equal(["child 1 PreStart", "child 1"], _probe.ReceiveN(2));
    }

    [Fact]
    public void Stop_ends_the_child_and_its_waiting_messages_are_dead_letters()
    {
        var child = ChildUnder(new OneForOneStrategy(static _ => Directive.Stop));
        _probe.Watch(child);
        Assert.Equal("child 1 PreStart", _probe.ExpectMsg<string>());
        child.Tell("fail");
        child.Tell("who");
        Assert.Equal("child 1 PostStop", _probe.ExpectMsg<string>());
        _probe.ExpectTerminated(child);
        Assert.Equal(1, _kit.Sys.DeadLetterCount);
    }

    [Fact]
    public void Escalate_lets_the_grandparent_decide_and_the_parent_restarts_without_its_child()
    {
        var child = ChildUnder(new OneForOneStrategy(static _ => Directive.Escalate));
        _probe.Watch(child);
        Assert.Equal("child 1 PreStart", _probe.ExpectMsg<string>());
        child.Tell("fail");
        Assert.Equal("child 1 PostStop", _probe.ExpectMsg<string>());
        var rest = _probe.ReceiveN(3); // the restarted parent makes a new child of the same name
        Assert.Contains(rest, m => m is Terminated);
        Assert.Contains("child 1 PreStart", rest);
    }

    [Fact]
    public void The_budget_of_restarts_ends_in_a_stop_and_the_window_gives_it_back()
    {
        var child = ChildUnder(new OneForOneStrategy(2, TimeSpan.FromSeconds(10), static _ => Directive.Restart));
        _probe.Watch(child);
        child.Tell("fail");
        child.Tell("fail");
        _kit.Advance(TimeSpan.FromSeconds(11));
        child.Tell("fail");
        child.Tell("fail");
        child.Tell("who");
        _probe.FishForMessage<string>(m => m == "child 5");
        child.Tell("fail");
        _probe.FishForMessage<Terminated>();
        Assert.Contains(_lines.All, l => l.Text.Contains("budget 2", StringComparison.Ordinal));
    }

    [Fact]
    public void Back_off_delays_restarts_longer_and_longer()
    {
        var backoff = new RestartBackoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(3));
        var child =
            ChildUnder(new OneForOneStrategy(-1, TimeSpan.FromMinutes(10), static _ => Directive.Restart, backoff));
        _probe.ExpectMsg("child 1 PreStart");
        foreach (var seconds in (int[])[1, 2, 3, 3])
        {
            child.Tell("fail");
            _probe.ExpectNoMsg(TimeSpan.FromSeconds(seconds) - TimeSpan.FromMilliseconds(1));
            _kit.Advance(TimeSpan.FromMilliseconds(1));
            Assert.Equal(3, _probe.ReceiveN(3, TimeSpan.FromMilliseconds(1)).Count); // PreRestart, PostStop, PreStart
        }
    }

    [Fact]
    public void All_for_one_restarts_the_siblings_too()
    {
        var parent = _kit.Sys.ActorOf(Props.Create(() => new Parent(
            _probe.Ref, new AllForOneStrategy(static _ => Directive.Restart), "left", "right")));
        Assert.Equal(["left 1 PreStart", "right 1 PreStart"], _probe.ReceiveN(2));
        parent.Tell(new ToChild("left", "fail"));
        var events = _probe.ReceiveN(6).Cast<string>().ToList();
        Assert.Contains("left 2 PreStart", events);
        Assert.Contains("right 2 PreStart", events);
        parent.Tell(new ToChild("right", "who"));
        _probe.ExpectMsg("right 2"); // not left suspended
    }

    [Fact]
    public void A_start_that_fails_stops_the_actor_and_its_watchers_know()
    {
        var broken = _kit.Sys.ActorOf(Props.Create<Child>(() => throw new InvalidOperationException("no device")));
        _probe.Watch(broken);
        _probe.ExpectTerminated(broken);
        Assert.Contains(_lines.All,
            l => l.Exception is ActorInitializationException { InnerException.Message: "no device" });
    }

    [Fact]
    public void A_failed_actor_handles_nothing_until_its_parent_has_decided() // AC-4
    {
        var backoff = new RestartBackoff(TimeSpan.FromSeconds(1), TimeSpan.FromSeconds(1));
        var child = ChildUnder(new OneForOneStrategy(-1, null, static _ => Directive.Restart, backoff));
        var victim = _kit.CreateTestProbe();
        child.Tell(new WatchThis(victim.Ref));
        child.Tell("fail");
        _kit.Settle();
        _kit.Sys.Stop(victim.Ref);
        child.Tell("who");
        _probe.ExpectMsg("child 1 PreStart");
        _probe.ExpectNoMsg(TimeSpan.FromMilliseconds(999));
        Assert.Equal(
            ["child 1 PreRestart fail", "child 1 PostStop", "child 2 PreStart", "child 2 saw a death", "child 2"],
            _probe.ReceiveN(5));
    }

    [Fact]
    public void Children_end_before_their_parent_and_the_watcher_hears_it_after_both() // AC-2, AC-3
    {
        var parent =
            _kit.Sys.ActorOf(Props.Create(() => new Parent(_probe.Ref, SupervisorStrategy.DefaultStrategy, "child")));
        _probe.ExpectMsg("child 1 PreStart");
        _probe.Watch(parent);
        parent.Tell(PoisonPill.Instance);
        _probe.ExpectMsg("child 1 PostStop");
        _probe.ExpectMsg("parent PostStop");
        _probe.ExpectTerminated(parent);
    }

    [Fact]
    public void Kill_and_an_unhandled_terminated_follow_the_default_decider()
    {
        var parent =
            _kit.Sys.ActorOf(Props.Create(() => new Parent(_probe.Ref, SupervisorStrategy.DefaultStrategy, "child")));
        _probe.ExpectMsg("child 1 PreStart");
        parent.Tell(new ToChild("child", Kill.Instance));
        _probe.ExpectMsg("child 1 PostStop");
        var pact = _kit.Sys.ActorOf(Props.Create(() => new Watcher()));
        var victim = _kit.CreateTestProbe();
        _probe.Watch(pact);
        pact.Tell(victim.Ref);
        _kit.Settle();
        _kit.Sys.Stop(victim.Ref);
        _probe.ExpectTerminated(pact);
        Assert.Contains(_lines.All, l => l.Exception is DeathPactException);
    }

    private IActorRef ChildUnder(SupervisorStrategy strategy)
    {
        var parent = _kit.Sys.ActorOf(Props.Create(() => new Parent(_probe.Ref, strategy, "child")));
        parent.Tell(new GetChild("child"), _probe.Ref);
        return _probe.FishForMessage<IActorRef>();
    }

    private sealed record ToChild(string Name, object Message);

    private sealed record GetChild(string Name);

    private sealed record WatchThis(IActorRef Subject);

    private sealed class Parent : ReceiveActor
    {
        private readonly IActorRef _log;
        private readonly SupervisorStrategy _strategy;
        private readonly string[] _names;

        public Parent(IActorRef log, SupervisorStrategy strategy, params string[] names)
        {
            (_log, _strategy, _names) = (log, strategy, names);
            Receive<GetChild>(m => Sender.Tell(Context.Child(m.Name)));
            Receive<ToChild>(m => Context.Child(m.Name).Tell(m.Message));
        }

        protected override SupervisorStrategy SupervisorStrategy() => _strategy;

        protected override void PreStart()
        {
            foreach (var name in _names)
            {
                var lives = 0;
                Context.ActorOf(Props.Create(() => new Child(_log, name, ++lives)), name);
            }
        }

        protected override void PostStop() => _log.Tell("parent PostStop");
    }

    private sealed class Child : ReceiveActor
    {
        private readonly IActorRef _log;
        private readonly string _who;

        public Child(IActorRef log, string name, int life)
        {
            (_log, _who) = (log, $"{name} {life}");
            Receive<string>(m => m == "fail", _ => throw new InvalidOperationException("told to fail"));
            Receive<string>(m => m == "who", _ => _log.Tell(_who));
            Receive<WatchThis>(m => Context.Watch(m.Subject));
            Receive<Terminated>(_ => _log.Tell($"{_who} saw a death"));
        }

        protected override void PreStart() => _log.Tell($"{_who} PreStart");

        protected override void PostStop() => _log.Tell($"{_who} PostStop");

        protected override void PreRestart(Exception reason, object? message)
        {
            _log.Tell($"{_who} PreRestart {message}");
            base.PreRestart(reason, message);
        }
    }

    private sealed class Watcher : ReceiveActor
    {
        public Watcher() => Receive<IActorRef>(subject => Context.Watch(subject));
    }

    private sealed class Lines : ILogSink
    {
        public List<(LogLevel Level, string Source, string Text, Exception? Exception)> All { get; } = [];

        public void Write(LogLevel level, string source, string text, Exception? exception = null) =>
            All.Add((level, source, text, exception));
    }
}
