using System.Diagnostics;
using Convoy.Actors;
using Convoy.Shared.Protocol;

namespace Convoy.LoadTests.Messaging;

internal static class RemoteMessages
{
    private const int Window = 20_000;
    private const int RoundTripsMax = 4_000_000;

    public static void Run(double seconds)
    {
        using var pair = Pair.Start();
        using var arrived = new SemaphoreSlim(0);
        pair.B.Register("sink", pair.SystemB.ActorOf(Props.Create(() => new Sink(arrived))));
        pair.B.Register("echo", pair.SystemB.ActorOf(Props.Create(() => new Echo())));
        RoundTrips(pair, seconds);
        OneWay(pair, arrived, seconds / 4, report: false); // queues and rings grow to what they need
        OneWay(pair, arrived, seconds, report: true);
    }

    private static void RoundTrips(Pair pair, double seconds)
    {
        var micros = new List<double>(RoundTripsMax);
        using var done = new SemaphoreSlim(0);
        var stop = Stopwatch.GetTimestamp() + (long)(seconds * Stopwatch.Frequency);
        var pinger = pair.SystemA.ActorOf(Props.Create(() => new Pinger(pair.Peer.Actor("echo"), micros, stop, done)));
        var bytes = GC.GetTotalAllocatedBytes();
        pinger.Tell(Message(0), null);
        done.Wait();
        bytes = GC.GetTotalAllocatedBytes() - bytes;
        micros.Sort();
        Report.Line(
            "control round trip", micros[micros.Count / 2], "us", atMost: 60, more:
            [
                ("p99_us", micros[micros.Count * 99 / 100]), ("count", micros.Count),
                ("allocated_bytes_per_message", bytes / 2.0 / micros.Count), ("message_bytes", BytesOf(Message(0))),
                ("raw_socket_round_trip_us", RawPair.RoundTripMicroseconds(seconds / 4)),
            ]);
    }

    private static void OneWay(Pair pair, SemaphoreSlim arrived, double seconds, bool report)
    {
        var sink = pair.Peer.Actor("sink");
        var message = Message(1);
        var count = 0L;
        var refused = pair.SystemA.DeadLetterCount;
        var cpu = Environment.CpuUsage.TotalTime;
        var bytes = GC.GetTotalAllocatedBytes();
        var contentions = Monitor.LockContentionCount;
        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds)
        {
            for (var i = 0; i < Window; i++) sink.Tell(message, null);
            count += Window;
            if (count > Window) Await(pair, sink, message, arrived, ref refused); // at most two windows under way
        }

        Await(pair, sink, message, arrived, ref refused);
        var rate = count / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e6;
        cpu = Environment.CpuUsage.TotalTime - cpu;
        if (!report) return;
        var allocated = (GC.GetTotalAllocatedBytes() - bytes) / (double)count;
        Report.Line(
            "control messages one way", rate, "M messages/s", atLeast: 1, more:
            [
                ("cpu_us_per_message", cpu.TotalMicroseconds / count),
                ("allocated_bytes_per_message", allocated),
                ("of_that_not_the_message", allocated - BytesOf(message)),
                ("lock_contentions_per_1000", (Monitor.LockContentionCount - contentions) * 1_000.0 / count),
            ]);
    }

    /// <summary>What a full link hands back is told again: on a busy machine acknowledgements come late.</summary>
    private static void Await(Pair pair, IActorRef sink, StepDone message, SemaphoreSlim arrived, ref long refused)
    {
        for (var waits = 0; !arrived.Wait(TimeSpan.FromMilliseconds(20)); waits++)
        {
            if (waits > 1_000)
                throw new TimeoutException(
                    $"messages did not arrive: {pair.Peer.State}, {refused} not sent, {pair.SystemB.DeadLetterCount} not handled");
            for (var handedBack = pair.SystemA.DeadLetterCount; refused < handedBack; refused++)
                sink.Tell(message, null);
        }
    }

    /// <summary>What a received message takes by itself.</summary>
    private static double BytesOf(StepDone message)
    {
        const int Copies = 10_000;
        var before = GC.GetAllocatedBytesForCurrentThread();
        for (var i = 0; i < Copies; i++) _ = message.Clone();
        return (GC.GetAllocatedBytesForCurrentThread() - before) / (double)Copies;
    }

    private static StepDone Message(long step) => new() { Generation = 1, Step = step, Fingerprint = 42 };

    private sealed class Sink : ReceiveActor
    {
        private int _count;

        public Sink(SemaphoreSlim arrived) => Receive<StepDone>(_ =>
        {
            if (++_count % Window == 0) arrived.Release();
        });
    }

    private sealed class Echo : ReceiveActor
    {
        public Echo() => Receive<StepDone>(m => Sender.Tell(m));
    }

    private sealed class Pinger : ReceiveActor
    {
        private long _sent;

        public Pinger(IActorRef echo, List<double> micros, long stop, SemaphoreSlim done) => Receive<StepDone>(m =>
        {
            var now = Stopwatch.GetTimestamp();
            if (_sent != 0 && micros.Count < RoundTripsMax)
                micros.Add(Stopwatch.GetElapsedTime(_sent, now).TotalMicroseconds);
            if (now > stop)
            {
                done.Release();
                return;
            }

            _sent = now;
            echo.Tell(m);
        });
    }
}
