using System.Diagnostics;
using Convoy.Actors.Remoting;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Tensors;

namespace Convoy.LoadTests.Messaging;

internal static class BulkFrames
{
    private const double TurnSeconds = 0.1;

    private static readonly int[] Sizes = [4 << 20, 256 << 10, 4 << 10];

    /// <summary>
    /// The lane over TCP and raw sockets take short turns: a shared machine is never the same for long.
    /// </summary>
    public static void Run(double seconds, int only)
    {
        foreach (var bytes in Sizes.Where(s => only == 0 || s == only))
        {
            using var raw = new RawPair(bytes, BuffersOf(bytes));
            using var sink = new Sink(bytes, BuffersOf(bytes), sharedMemory: false);
            Compare($"bulk frames of {bytes >> 10} KB over TCP beside a raw socket pair", sink.Run,
                raw.Run, seconds, 0.95);
        }
    }

    /// <summary>Shared memory and TCP take turns, both through the lane, both with its checksums.</summary>
    public static void RunShared(double seconds, int only)
    {
        foreach (var bytes in Sizes.Where(s => only == 0 || s == only))
        {
            using var tcp = new Sink(bytes, BuffersOf(bytes), sharedMemory: false);
            using var shared = new Sink(bytes, BuffersOf(bytes), sharedMemory: true);
            Compare($"bulk frames of {bytes >> 10} KB over shared memory beside TCP", shared.Run, tcp.Run, seconds, 2);
        }
    }

    private static int BuffersOf(int bytes) => Math.Clamp((4 << 20) / bytes, 2, 256);

    private static void Compare(
        string what, Func<double, double> one, Func<double, double> yardstick, double seconds, double atLeast)
    {
        var turns = new List<(double One, double Other, double OneCost, double OtherCost)>();
        for (var turn = 0; turn < Math.Max(3, seconds / TurnSeconds / 2); turn++)
        {
            var (otherRate, otherCost) = Measure(() => yardstick(TurnSeconds));
            var (oneRate, oneCost) = Measure(() => one(TurnSeconds));
            if (turn > 0) turns.Add((oneRate, otherRate, oneCost, otherCost)); // the first one compiles
        }

        Report.Line(
            what, Report.Median(turns.Select(t => t.One / t.Other)), "ratio", atLeast, more:
            [
                ("gb_s", Report.Median(turns.Select(t => t.One))),
                ("yardstick_gb_s", Report.Median(turns.Select(t => t.Other))),
                ("cpu_ns_per_byte", Report.Median(turns.Select(t => t.OneCost))),
                ("yardstick_cpu_ns_per_byte", Report.Median(turns.Select(t => t.OtherCost))),
                ("turns", turns.Count),
            ]);
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

        public Sink(int bytes, int buffers, bool sharedMemory)
        {
            _out = RawPair.Buffers(bytes, buffers);
            _into = RawPair.Buffers(bytes, buffers);
            _pair = Pair.Start(this, sharedMemory);
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
