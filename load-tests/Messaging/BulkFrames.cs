using System.Diagnostics;
using Convoy.Actors.Remoting;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Tensors;

namespace Convoy.LoadTests.Messaging;

internal static class BulkFrames
{
    private const double TurnSeconds = 0.1;

    /// <summary>The lane and raw sockets take short turns: a shared machine is never the same for long.</summary>
    public static void Run(double seconds)
    {
        foreach (var bytes in (int[])[4 << 20, 256 << 10, 4 << 10])
        {
            var buffers = Math.Clamp((4 << 20) / bytes, 2, 256);
            using var raw = new RawPair(bytes, buffers);
            using var sink = new Sink(bytes, buffers);
            var turns = new List<(double Lane, double Raw, double LaneCost, double RawCost)>();
            for (var turn = 0; turn < Math.Max(3, seconds / TurnSeconds / 2); turn++)
            {
                var (rawRate, rawCost) = Measure(() => raw.Run(TurnSeconds));
                var (laneRate, laneCost) = Measure(() => sink.Run(TurnSeconds));
                if (turn > 0) turns.Add((laneRate, rawRate, laneCost, rawCost)); // the first one compiles
            }

            Report.Line(
                $"bulk frames of {bytes >> 10} KB, ratio to a raw socket pair", Report.Median(turns.Select(t => t.Lane / t.Raw)),
                "ratio", atLeast: 0.95, more:
                [
                    ("lane_gb_s", Report.Median(turns.Select(t => t.Lane))),
                    ("raw_gb_s", Report.Median(turns.Select(t => t.Raw))),
                    ("lane_cpu_ns_per_byte", Report.Median(turns.Select(t => t.LaneCost))),
                    ("raw_cpu_ns_per_byte", Report.Median(turns.Select(t => t.RawCost))),
                    ("turns", turns.Count),
                ]);
        }
    }

    /// <summary>GB/s, and processor time for a byte: the second is steadier on a machine that others use too.</summary>
    private static (double Rate, double CpuNs) Measure(Func<double> run)
    {
        var (cpu, start) = (Environment.CpuUsage.TotalTime, Stopwatch.GetTimestamp());
        var rate = run();
        var used = Environment.CpuUsage.TotalTime - cpu;
        return (rate, used.TotalSeconds / (rate * Stopwatch.GetElapsedTime(start).TotalSeconds));
    }

    /// <summary>Sends a buffer again as soon as its owner has it back: the queue of the lane is never empty.</summary>
    private sealed class Sink : IBulkReceiver, IBulkCompletion, IDisposable
    {
        private static readonly BulkHeader Header =
            new(BulkKind.Partial, 0, new TreeNode(0, 0), new Generation(1), new StepNumber(1), 0, 0, 0, 0, 0);

        private readonly byte[][] _into;
        private readonly byte[][] _out;
        private readonly SemaphoreSlim _done = new(0);
        private readonly Pair _pair;
        private long _start;
        private double _seconds;
        private long _sent;
        private long _back;
        private long _received;
        private long _target;

        public Sink(int bytes, int buffers)
        {
            _out = RawPair.Buffers(bytes, buffers);
            _into = RawPair.Buffers(bytes, buffers);
            _pair = Pair.Start(this);
        }

        public double Run(double seconds)
        {
            (_seconds, _start) = (seconds, Stopwatch.GetTimestamp());
            (_sent, _back) = (_out.Length, 0);
            Volatile.Write(ref _received, 0);
            Volatile.Write(ref _target, long.MaxValue);
            foreach (var buffer in _out) Send(buffer);
            _done.Wait();
            return _received * (double)_out[0].Length / Stopwatch.GetElapsedTime(_start).TotalSeconds / 1e9;
        }

        public Memory<byte> Rent(Peer from, in BulkHeader header) => _into[_received % _into.Length];

        public void Received(Peer from, in BulkHeader header, Memory<byte> payload)
        {
            if (++_received == Volatile.Read(ref _target)) _done.Release();
        }

        public void Damaged(Peer from, in BulkHeader header, string why) => Console.Error.WriteLine($"damaged: {why}");

        public void Completed(in BulkHeader header, bool sent)
        {
            var buffer = _out[_back++ % _out.Length];
            var isOver = Stopwatch.GetElapsedTime(_start).TotalSeconds > _seconds;
            if (isOver && Volatile.Read(ref _target) != long.MaxValue) return;
            _sent++;
            if (isOver) Volatile.Write(ref _target, _sent); // the one that is sent now is the last
            Send(buffer);
        }

        public void Dispose() => _pair.Dispose();

        private void Send(byte[] buffer)
        {
            if (!_pair.Peer.TrySendBulk(Header, buffer, this)) throw new InvalidOperationException("queue full");
        }
    }
}
