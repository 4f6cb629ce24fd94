using Convoy.Actors.TestKit;

namespace Convoy.Actors.Tests.Runtime;

// FT-04: what a failure leaves of an actor, by the decision of its supervisor. The rows are the rules that users of
// Akka.NET know ("What Restarting Means", "What Resuming Means" in its documentation of supervision).
public sealed class FailureTableTests : IDisposable
{
    private readonly TestKit.TestKit _kit = new();
    private readonly TestProbe _probe;

    public FailureTableTests() => _probe = _kit.CreateTestProbe();

    public void Dispose() => _kit.Dispose();

    /// <summary>
    /// Events after the failure. The subject had counted 3, was in its second behaviour, had a child, a timer of one
    /// second and one stashed message; "report" was waiting in its mailbox.
    /// </summary>
    public static TheoryData<Directive, bool, string[]> Rows => new()
    {
        // Resume: nothing is lost, no hook runs.
        { Directive.Resume, false, ["subject 1: 3 in second with child", "subject 1: tick"] },
        { Directive.Resume, true, ["subject 1: 3 in second with child", "subject 1: tick"] },
        // Restart: PreRestart stops the children and calls PostStop at once; when they have ended, a new instance
        // starts in its first behaviour. Timers end; stashed messages come first, the mailbox stays; who watches hears
        // nothing.
        {
            Directive.Restart, false,
            [
                "subject 1: PreRestart", "subject 1: PostStop", "child: PostStop", "subject 2: PostRestart",
                "subject 2: PreStart", "subject 2: stashes", "subject 2: 0 in first",
            ]
        },
        // Stop: the end, once, for everybody; what waited is dead letters.
        { Directive.Stop, false, ["child: PostStop", "subject 1: PostStop", "terminated"] },
    };

    [Theory]
    [MemberData(nameof(Rows))]
    public void A_failure_leaves_what_the_decision_says(Directive directive, bool allForOne, string[] expected)
    {
        SupervisorStrategy strategy = allForOne
            ? new AllForOneStrategy(_ => directive) : new OneForOneStrategy(_ => directive);
        var (subject, _) = Under(strategy);

        subject.Tell("fail");
        subject.Tell("report");
        _kit.Settle();
        _kit.Advance(TimeSpan.FromSeconds(2));

        Assert.Equal(expected, Events());
        Assert.Equal(directive == Directive.Stop ? 2 : 0, _kit.Sys.DeadLetterCount);
    }

    [Theory]
    [InlineData(Directive.Restart, false, "brother 1: 0 in first")]
    [InlineData(Directive.Restart, true, "brother 2: 0 in first")]
    [InlineData(Directive.Resume, true, "brother 1: 0 in first")]
    [InlineData(Directive.Stop, false, "brother 1: 0 in first")]
    [InlineData(Directive.Stop, true, null)]
    public void Brothers_share_the_fate_only_of_all_for_one(Directive directive, bool allForOne, string? expected)
    {
        SupervisorStrategy strategy = allForOne
            ? new AllForOneStrategy(_ => directive) : new OneForOneStrategy(_ => directive);
        var (subject, brother) = Under(strategy);

        subject.Tell("fail");
        _kit.Settle();
        Events();
        brother.Tell("report");
        _kit.Settle();

        Assert.Equal(expected, Events().SingleOrDefault());
    }

    private (IActorRef Subject, IActorRef Brother) Under(SupervisorStrategy strategy)
    {
        var parent = _kit.Sys.ActorOf(Props.Create(() => new Parent(_probe.Ref, strategy)));
        parent.Tell("subject", _probe.Ref);
        parent.Tell("brother", _probe.Ref);
        var (subject, brother) = (_probe.FishForMessage<IActorRef>(), _probe.FishForMessage<IActorRef>());
        _probe.Watch(subject);
        foreach (var message in (string[])["count", "count", "count", "child", "timer", "second", "later"])
            subject.Tell(message);
        _kit.Settle();
        Events();
        return (subject, brother);
    }

    private List<string> Events()
    {
        var events = new List<string>();
        while (_probe.HasMessages)
            if (_probe.ExpectMsg<object>() is { } message) events.Add(message as string ?? "terminated");
        return events;
    }

    private sealed class Parent : ReceiveActor
    {
        private readonly SupervisorStrategy _strategy;

        public Parent(IActorRef log, SupervisorStrategy strategy)
        {
            _strategy = strategy;
            foreach (var name in (string[])["subject", "brother"])
            {
                var lives = new Counter();
                Context.ActorOf(Props.Create(() => new Subject(name, lives, log)), name);
            }

            Receive<string>(name => Sender.Tell(Context.Child(name)));
        }

        protected override SupervisorStrategy SupervisorStrategy() => _strategy;
    }

    private sealed class Counter
    {
        public int Value { get; set; }
    }

    private sealed class Subject : ReceiveActor, IWithTimers, IWithUnboundedStash
    {
        private readonly IActorRef _log;
        private readonly string _me;
        private int _count;
        private string _behaviour = "first";

        public Subject(string name, Counter lives, IActorRef log)
        {
            _log = log;
            _me = $"{name} {++lives.Value}";
            Common();
        }

        public ITimerScheduler Timers { get; set; } = null!;
        public IStash Stash { get; set; } = null!;

        private void Common()
        {
            Receive<string>(m => m == "count", _ => _count++);
            Receive<string>(m => m == "child", _ => Context.ActorOf(Props.Create(() => new Leaf(_log)), "child"));
            Receive<string>(m => m == "timer", _ => Timers.StartSingleTimer("t", "tick", TimeSpan.FromSeconds(1)));
            Receive<string>(m => m == "tick", _ => Say("tick"));
            Receive<string>(m => m == "fail", _ => throw new InvalidOperationException("told to fail"));
            Receive<string>(m => m == "report", _ => Say($"{_count} in {_behaviour}" +
                (Context.Child("child").IsNobody() ? "" : " with child")));
            Receive<string>(m => m == "later", _ =>
            {
                Say("stashes");
                Stash.Stash();
            });
            Receive<string>(m => m == "second", _ =>
            {
                _behaviour = "second";
                BecomeStacked(Common);
            });
        }

        private void Say(string what) => _log.Tell(_me + ": " + what);

        protected override void PreStart() => Say("PreStart");

        protected override void PostStop() => Say("PostStop");

        protected override void PreRestart(Exception reason, object? message)
        {
            Say("PreRestart");
            base.PreRestart(reason, message);
        }

        protected override void PostRestart(Exception reason)
        {
            Say("PostRestart");
            base.PostRestart(reason);
        }
    }

    private sealed class Leaf(IActorRef log) : ReceiveActor
    {
        protected override void PostStop() => log.Tell("child: PostStop");
    }
}
