using Convoy.Actors.Remoting;
using Convoy.Shared.Protocol;

namespace Convoy.Actors.Tests.Remoting;

public sealed class ThroughputTests
{
    private const int Window = 20_000;
    private const int Messages = 10 * Window;

    [Fact] // SE-1 under load: no wake-up is lost between tells, pump, reader and acknowledgements
    public async Task A_flood_arrives_whole_and_in_order()
    {
        await using var a = await Node.StartAsync("a");
        await using var b = await Node.StartAsync("b");
        var (here, _) = a.Join(b);
        using var arrived = new SemaphoreSlim(0);
        b.Remoting.Register("sink", b.Kit.Sys.ActorOf(Props.Create(() => new Sink(arrived))));
        var sink = here.Actor("sink");
        for (var step = 0L; step < Messages; step++)
        {
            sink.Tell(Node.Step(step), a.Inbox.Ref);
            if (step % Window == Window - 1)
                Assert.True(await arrived.WaitAsync(TimeSpan.FromSeconds(60)), $"stuck at {step}");
        }

        Assert.False(a.Inbox.HasMessages); // nothing came back
    }

    private sealed class Sink : ReceiveActor
    {
        private long _expected;

        public Sink(SemaphoreSlim arrived) => Receive<StepDone>(m =>
        {
            Assert.Equal(_expected++, m.Step);
            if (_expected % Window == 0) arrived.Release();
        });
    }
}
