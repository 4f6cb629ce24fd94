using System.Collections.Concurrent;
using Convoy.Actors.TestKit;
using Convoy.Shared.Diagnostics;

namespace Convoy.Actors.Tests.Runtime;

public sealed class WatchdogTests
{
    private readonly ConcurrentQueue<string> _log = [];

    [Fact]
    public async Task A_handler_that_waits_for_a_message_behind_itself_is_named_with_its_queue() // scenario 17, WD-1
    {
        var limit = TimeSpan.FromSeconds(20);
        var cancel = TestContext.Current.CancellationToken;
        var time = new ManualTime();
        var system = ActorSystem.Create(
            "watched", new ActorSystemOptions
            { Time = time, LogSink = new Sink(_log), WedgedAfter = TimeSpan.FromSeconds(2) });
        using var entered = new SemaphoreSlim(0);
        using var release = new SemaphoreSlim(0);
        var actor = system.ActorOf(Props.Create(() => new Waiter(entered, release)).WithMailboxCapacity(100), "waiter");
        actor.Tell("wait", null);
        Assert.True(await entered.WaitAsync(limit, cancel));
        actor.Tell(1, null);
        actor.Tell(2, null);
        time.Advance(TimeSpan.FromSeconds(1.9));
        Assert.Empty(system.Wedged);
        time.Advance(TimeSpan.FromSeconds(1));
        var wedged = Assert.Single(system.Wedged); // answered although the actor is stuck
        Assert.Equal(("String", 2), (wedged.Handler, wedged.Queue));
        Assert.EndsWith("/waiter", wedged.Actor, StringComparison.Ordinal);
        time.Advance(TimeSpan.FromSeconds(10));
        // once
        Assert.Single(_log, l => l.Contains("/waiter has been handling String for 2", StringComparison.Ordinal));
        release.Release();
        await system.Terminate().WaitAsync(limit, cancel);
    }

    private sealed class Waiter : ReceiveActor
    {
        public Waiter(SemaphoreSlim entered, SemaphoreSlim release)
        {
            Receive<string>(_ =>
            {
                entered.Release();
                release.Wait();
            });
            Receive<int>(_ => { });
        }
    }

    private sealed class Sink(ConcurrentQueue<string> lines) : ILogSink
    {
        public void Write(LogLevel level, string source, string text, Exception? exception = null) =>
            lines.Enqueue(text);
    }
}
