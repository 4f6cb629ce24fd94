using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Convoy.LoadTests.Messaging;

/// <summary>
/// The yardstick of bulk frames: two blocking sockets, one thread sends whole frames, one receives them into the memory
/// of whole frames. It moves the same bytes between as many buffers as the lane, without header, checksum or bound.
/// </summary>
internal sealed class RawPair : IDisposable
{
    private readonly Socket _to;
    private readonly Socket _from;
    private readonly byte[][] _out;
    private readonly byte[][] _into;
    private readonly SemaphoreSlim _turns = new(0);
    private readonly SemaphoreSlim _done = new(0);
    private long _target = long.MaxValue;
    private long _received;

    public RawPair(int bytes, int buffers)
    {
        (_out, _into) = (Buffers(bytes, buffers), Buffers(bytes, buffers));
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        _to = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        _to.Connect(listener.LocalEndpoint);
        _from = listener.AcceptSocket();
        new Thread(Receive) { IsBackground = true }.Start();
    }

    /// <summary>Memory as a gradient has it: written, and not all zero pages.</summary>
    public static byte[][] Buffers(int bytes, int count) =>
        [.. Enumerable.Range(0, count).Select(n => Enumerable.Range(n, bytes).Select(i => (byte)(i * 31)).ToArray())];

    /// <summary>GB/s.</summary>
    public double Run(double seconds)
    {
        Volatile.Write(ref _received, 0);
        Volatile.Write(ref _target, long.MaxValue);
        _turns.Release();
        var frames = 0L;
        var start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < seconds) _to.Send(_out[frames++ % _out.Length]);
        Volatile.Write(ref _target, frames);
        _to.Send(_out[frames % _out.Length]); // the last one lets the receiver see the target
        _done.Wait();
        return (frames + 1) * (double)_out[0].Length / Stopwatch.GetElapsedTime(start).TotalSeconds / 1e9;
    }

    /// <summary>The floor of any message: one byte there and back between two blocking threads, median.</summary>
    public static double RoundTripMicroseconds(double seconds)
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        using var here = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        here.Connect(listener.LocalEndpoint);
        using var there = listener.AcceptSocket();
        there.NoDelay = true;
        var echo = new Thread(() =>
        {
            var one = new byte[1];
            while (there.Receive(one) > 0) there.Send(one);
        });
        echo.Start();
        var micros = new List<double>();
        var mine = new byte[1];
        for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start).TotalSeconds < seconds;)
        {
            var sent = Stopwatch.GetTimestamp();
            here.Send(mine);
            here.Receive(mine);
            micros.Add(Stopwatch.GetElapsedTime(sent).TotalMicroseconds);
        }

        here.Shutdown(SocketShutdown.Send);
        echo.Join();
        return Report.Median(micros);
    }

    public void Dispose()
    {
        _to.Dispose();
        _from.Dispose();
    }

    private void Receive()
    {
        try
        {
            while (true)
            {
                _turns.Wait();
                for (var frames = 0L; frames <= Volatile.Read(ref _target); frames++)
                {
                    var frame = _into[frames % _into.Length].AsSpan();
                    while (frame.Length > 0)
                    {
                        var read = _from.Receive(frame);
                        if (read == 0) return;
                        frame = frame[read..];
                    }
                }

                _done.Release();
            }
        }
        catch (SocketException)
        {
            // Disposed of: the measurement is over.
        }
    }
}
