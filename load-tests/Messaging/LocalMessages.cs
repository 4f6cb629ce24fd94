using System.Diagnostics;
using Convoy.Actors;

namespace Convoy.LoadTests.Messaging;

internal static class LocalMessages
{
    private const int Batch = 50_000;

    private static readonly object Message = new();

    public static void Tell(double seconds)
    {
        using var done = new SemaphoreSlim(0);
        var system = ActorSystem.Create("load");
        var receiver = system.ActorOf(Props.Create(() => new Counter(done)).WithMailboxCapacity(4 * Batch));
        var rates = new List<double>();
        var bytes = GC.GetTotalAllocatedBytes();
        for (var end = Stopwatch.GetTimestamp()
            + (long)(seconds * Stopwatch.Frequency); Stopwatch.GetTimestamp() < end;)
        {
            var start = Stopwatch.GetTimestamp();
            for (var i = 0; i < Batch; i++) receiver.Tell(Message, null);
            done.Wait();
            rates.Add(Batch / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e6);
        }

        bytes = GC.GetTotalAllocatedBytes() - bytes;
        Report.Line(
            "tells to one actor", Report.Median(rates), "M messages/s", atLeast: 10, more:
            [
                ("best", rates.Max()), ("batch", Batch),
                ("allocated_bytes_per_message", bytes / (double)Batch / rates.Count),
            ]);
        system.Terminate().Wait();
    }

    public static void PingPong(double seconds)
    {
        var system = ActorSystem.Create("load");
        var rounds = 0L;
        using var done = new SemaphoreSlim(0);
        var stop = Stopwatch.GetTimestamp() + (long)(seconds * Stopwatch.Frequency);
        var pong = system.ActorOf(Props.Create(() => new Echo()));
        var ping = system.ActorOf(Props.Create(() => new Pinger(pong, stop, n =>
        {
            rounds = n;
            done.Release();
        })));
        var bytes = GC.GetTotalAllocatedBytes();
        var start = Stopwatch.GetTimestamp();
        ping.Tell(Message, pong);
        done.Wait();
        var rate = rounds / Stopwatch.GetElapsedTime(start).TotalSeconds;
        bytes = GC.GetTotalAllocatedBytes() - bytes;
        Report.Line(
            "ping-pong of one pair", rate / 1e6, "M round trips/s", atLeast: 3, more:
            [("allocated_bytes_per_message", bytes / 2.0 / rounds)]);
        system.Terminate().Wait();
    }

    private sealed class Counter : UntypedActor
    {
        private readonly SemaphoreSlim _done;
        private int _count;

        public Counter(SemaphoreSlim done) => _done = done;

        protected override void OnReceive(object message)
        {
            if (++_count % Batch == 0) _done.Release();
        }
    }

    private sealed class Echo : UntypedActor
    {
        protected override void OnReceive(object message) => Sender.Tell(message, Self);
    }

    private sealed class Pinger : UntypedActor
    {
        private readonly IActorRef _pong;
        private readonly long _stop;
        private readonly Action<long> _done;
        private long _rounds;

        public Pinger(IActorRef pong, long stop, Action<long> done) => (_pong, _stop, _done) = (pong, stop, done);

        protected override void OnReceive(object message)
        {
            if (++_rounds % 1_000 == 0 && Stopwatch.GetTimestamp() > _stop) _done(_rounds);
            else _pong.Tell(message, Self);
        }
    }
}
