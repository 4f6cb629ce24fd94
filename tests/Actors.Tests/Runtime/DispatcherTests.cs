using Convoy.Actors.TestKit;

namespace Convoy.Actors.Tests.Runtime;

/// <summary>Real threads: what the deterministic runs cannot show.</summary>
public sealed class DispatcherTests : TestKit.TestKit
{
    public DispatcherTests() : base(virtualTime: false) => DefaultTimeout = TimeSpan.FromSeconds(20);

    private sealed record Seen(int Thread, long Sum);

    private sealed class Adder : ReceiveActor
    {
        private long _sum;

        public Adder()
        {
            Receive<int>(n => _sum += n);
            Receive<string>(_ => Sender.Tell(new Seen(Environment.CurrentManagedThreadId, _sum)));
        }
    }

    [Theory]
    [InlineData(Dispatchers.Pool)]
    [InlineData(Dispatchers.Pinned)]
    [InlineData(Dispatchers.Calling)]
    public void Many_threads_tell_one_actor_and_nothing_is_lost(string dispatcher) // MB-1, MB-2
    {
        var adder = Sys.ActorOf(Props.Create(() => new Adder()).WithDispatcher(dispatcher)
            .WithMailboxCapacity(1_000_000));
        var threads = Enumerable.Range(0, 4).Select(_ => new Thread(() =>
        {
            for (var i = 0; i < 50_000; i++) adder.Tell(1);
        })).ToList();
        threads.ForEach(t => t.Start());
        threads.ForEach(t => t.Join());
        adder.Tell("sum", TestActor);
        Assert.Equal(200_000, ExpectMsg<Seen>().Sum);
    }

    [Fact]
    public void A_pinned_actor_keeps_its_thread_and_gives_it_back()
    {
        var adder = Sys.ActorOf(Props.Create(() => new Adder()).WithDispatcher(Dispatchers.Pinned));
        adder.Tell("thread", TestActor);
        var first = ExpectMsg<Seen>().Thread;
        adder.Tell("thread", TestActor);
        Assert.Equal(first, ExpectMsg<Seen>().Thread);
        Probe.Watch(adder);
        adder.Tell(PoisonPill.Instance);
        Probe.ExpectTerminated(adder);
        adder.Tell(1);
        Probe.Watch(adder);
        Probe.ExpectTerminated(adder); // still answered, by the pool
    }

    [Fact]
    public void Stopping_while_others_tell_loses_no_count() // MB-3
    {
        var told = 0;
        var handled = 0;
        for (var round = 0; round < 200; round++)
        {
            var actor = Sys.ActorOf(Props.Create(() => new Counting(() => Interlocked.Increment(ref handled))));
            Probe.Watch(actor);
            var teller = new Thread(() =>
            {
                for (var i = 0; i < 50; i++)
                {
                    actor.Tell(i);
                    Interlocked.Increment(ref told);
                }
            });
            teller.Start();
            Sys.Stop(actor);
            teller.Join();
            Probe.ExpectTerminated(actor);
        }

        Assert.True(SpinWait.SpinUntil(() => handled + Sys.DeadLetterCount == told, TimeSpan.FromSeconds(20)));
    }

    [Fact]
    public async Task The_system_ends_with_all_its_actors()
    {
        var system = ActorSystem.Create("short");
        for (var i = 0; i < 100; i++) system.ActorOf(Props.Create(() => new Adder())).Tell(1);
        system.ActorOf(Props.Create(() => new Adder()).WithDispatcher(Dispatchers.Pinned));
        await system.Terminate().WaitAsync(TimeSpan.FromSeconds(20));
        Assert.True(system.WhenTerminated.IsCompletedSuccessfully);
        Assert.Throws<InvalidOperationException>(() => system.ActorOf(Props.Create(() => new Adder())));
    }

    private sealed class Counting : UntypedActor
    {
        private readonly Action _count;

        public Counting(Action count) => _count = count;

        protected override void OnReceive(object message) => _count();
    }
}
