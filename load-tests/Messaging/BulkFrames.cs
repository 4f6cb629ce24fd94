using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Convoy.Actors.Remoting;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Tensors;

namespace Convoy.LoadTests.Messaging;

internal static class BulkFrames
{
    private const int Rounds = 5;

    public static void Run(double seconds)
    {
        foreach (var bytes in (int[])[4 << 20, 256 << 10, 4 << 10])
        {
            var (lane, raw, ratios, cost) = (new List<double>(), new List<double>(), new List<double>(), new List<double>());
            using var sink = new Sink(bytes);
            for (var round = 0; round < Rounds; round++)
            {
                var (rawRate, rawCost) = Measure(() => Raw(bytes, seconds / Rounds));
                var (laneRate, laneCost) = Measure(() => sink.Run(seconds / Rounds));
                raw.Add(rawRate);
                lane.Add(laneRate);
                ratios.Add(laneRate / rawRate);
                cost.Add(laneCost / rawCost);
            }

            Console.WriteLine(
                $"bulk frames of {bytes >> 10,5} KB              {Median(lane),8:F2} GB/s, raw sockets {Median(raw):F2} GB/s, median ratio {Median(ratios):F2}, "
                + $"processor time per byte {Median(cost):F2} of raw");
        }
    }

    /// <summary>GB/s, and processor time for a GB: the second is steadier on a machine that others use too.</summary>
    private static (double Rate, double Cost) Measure(Func<double> run)
    {
        var (cpu, start) = (Environment.CpuUsage.TotalTime, Stopwatch.GetTimestamp());
        var rate = run();
        var used = Environment.CpuUsage.TotalTime - cpu;
        return (rate, used.TotalSeconds / (rate * Stopwatch.GetElapsedTime(start).TotalSeconds));
    }

    private static double Median(List<double> values)
    {
        var sorted = values.Order().ToList();
        return sorted[sorted.Count / 2];
    }

    /// <summary>The yardstick: one thread sends frames, one receives them, both with the whole frame per call.</summary>
    private static double Raw(int bytes, double seconds)
    {
        var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var to = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        to.Connect(listener.LocalEndpoint);
        using var from = listener.AcceptSocket();
        listener.Stop();
        var received = 0L;
        var reader = new Thread(() =>
        {
            var buffer = new byte[bytes];
            while (from.Receive(buffer) is > 0 and var read) received += read;
        });
        reader.Start();
        var frame = new byte[bytes];
        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds) to.Send(frame);
        to.Shutdown(SocketShutdown.Send);
        reader.Join();
        return received / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9;
    }

    private sealed class Sink : IBulkReceiver, IBulkCompletion, IDisposable
    {
        private readonly int _bytes;
        private readonly byte[] _into;
        private readonly byte[][] _out;
        private readonly SemaphoreSlim _credits;
        private readonly Pair _pair;
        private long _received;

        public Sink(int bytes)
        {
            _bytes = bytes;
            _into = new byte[bytes];
            var inFlight = Math.Clamp((1 << 20) / bytes, 2, 256);
            _credits = new SemaphoreSlim(inFlight);
            _out = [.. Enumerable.Range(0, inFlight).Select(_ => new byte[bytes])];
            _pair = Pair.Start(this);
        }

        public double Run(double seconds)
        {
            var header = new BulkHeader(
                BulkKind.Partial, 0, new TreeNode(0, 0), new Generation(1), new StepNumber(1), 0, 0, 0, 0, 0);
            Interlocked.Exchange(ref _received, 0);
            var sent = 0L;
            var start = Stopwatch.GetTimestamp();
            while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds)
            {
                _credits.Wait();
                if (!_pair.Peer.TrySendBulk(header, _out[sent % _out.Length], this)) throw new InvalidOperationException("queue full");
                sent++;
            }

            while (Interlocked.Read(ref _received) != sent * _bytes) Thread.Yield();
            return sent * (double)_bytes / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9;
        }

        public Memory<byte> Rent(Peer from, in BulkHeader header) => _into;

        public void Received(Peer from, in BulkHeader header, Memory<byte> payload) =>
            Interlocked.Add(ref _received, payload.Length);

        public void Damaged(Peer from, in BulkHeader header, string why) => Console.Error.WriteLine($"damaged: {why}");

        public void Completed(in BulkHeader header, bool sent) => _credits.Release();

        public void Dispose() => _pair.Dispose();
    }
}
