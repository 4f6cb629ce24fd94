using Convoy.Actors.Remoting.Connections;
using Convoy.Actors.Remoting.Frames;
using Convoy.Actors.Remoting.Session;

namespace Convoy.Actors.Remoting.Lanes;

/// <summary>
/// One connection of a control lane. Writes what the link's session has, in batches; reads and hands over frames.
/// </summary>
internal sealed class ControlLane(Link link, IConnection connection) : IThreadPoolWorkItem
{
    private const int BufferBytes = 64 << 10;
    private const int BufferBytesKept = 1 << 20;
    // Turns are short: on two cores one long turn of a writer or a reader keeps acknowledgements from being read.
    private const int ReadsPerTurn = 2;
    private const int BatchesPerTurn = 2;

    private readonly List<SessionFrame<ControlContent>> _batch = [];
    private byte[] _out = new byte[BufferBytes];
    private readonly FairTurn _turn = new(); // of the reader
    private int _pumping;
    private bool _started; // under the gate of the link
    private Task _reader = Task.CompletedTask;

    /// <summary>Messages are read after the connection before this one has delivered its last: order holds.</summary>
    public void Start(Task previousReader)
    {
        if (_started) return;
        _started = true;
        _reader = ReadAsync(previousReader);
    }

    public Task Reader => _reader;

    /// <summary>There may be something to write.</summary>
    public void Kick()
    {
        if (Interlocked.Exchange(ref _pumping, 1) == 0) ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    /// <summary>
    /// As <see cref="Kick"/>, on this thread, for one batch: an acknowledgement must not wait for a free thread.
    /// </summary>
    public void KickHere()
    {
        if (Interlocked.Exchange(ref _pumping, 1) == 0) _ = PumpAsync(batches: 1);
    }

    public void Execute() => _ = PumpAsync(BatchesPerTurn);

    public void Close() => connection.Dispose();

    private async Task PumpAsync(int batches)
    {
        try
        {
            while (true)
            {
                var goodbye = link.TakeBatch(this, _batch, out var ack);
                if (_batch.Count == 0 && ack is null && !goodbye)
                {
                    if (StopPumping()) return;
                    continue;
                }

                var bytes = Encode(ack, goodbye);
                await connection.SendAsync(_out.AsMemory(0, bytes)).ConfigureAwait(false);
                _batch.Clear();
                if (_out.Length > BufferBytesKept) _out = new byte[BufferBytes];
                if (goodbye)
                {
                    link.OnGoodbyeSent();
                    return;
                }

                if (--batches > 0) continue;
                if (!StopPumping()) ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
                return;
            }
        }
        catch (Exception lost) when (ConnectionLoss.Is(lost))
        {
            link.OnLaneLost(this, lost.Message);
        }
        catch (Exception unexpected)
        {
            // A message that its owner changed after Tell no longer has the size it was announced with.
            link.OnProtocolError(this, $"a control message could not be written: {unexpected.Message}");
        }
    }

    /// <summary>False: there is more to write, and this pump has kept the turn.</summary>
    private bool StopPumping()
    {
        Interlocked.Exchange(ref _pumping, 0);
        return !link.HasOutput(this) || Interlocked.Exchange(ref _pumping, 1) != 0;
    }

    private int Encode(long? ack, bool goodbye)
    {
        var bytes = 2 * ControlCodec.FixedBytes;
        foreach (var frame in _batch) bytes += frame.Bytes;
        if (bytes > _out.Length) _out = new byte[bytes];
        var at = 0;
        foreach (var frame in _batch)
        {
            ControlCodec.Write(_out.AsSpan(at, frame.Bytes), frame.Sequence, frame.Content);
            at += frame.Bytes;
        }

        if (ack is { } received) at += ControlCodec.WriteUnnumbered(_out.AsSpan(at), FrameKind.Ack, received);
        if (goodbye) at += ControlCodec.WriteUnnumbered(_out.AsSpan(at), FrameKind.Goodbye, 0);
        return at;
    }

    private async Task ReadAsync(Task previousReader)
    {
        await previousReader.ConfigureAwait(
            ConfigureAwaitOptions.SuppressThrowing | ConfigureAwaitOptions.ForceYielding);
        var buffer = new byte[BufferBytes];
        var filled = 0;
        var reads = 0;
        try
        {
            while (true)
            {
                var read = await connection.ReceiveAsync(buffer.AsMemory(filled)).ConfigureAwait(false);
                if (read == 0)
                {
                    link.OnLaneLost(this, "the connection was closed");
                    return;
                }

                filled += read;
                if (++reads % ReadsPerTurn == 0) await _turn;
                if (Parse(buffer.AsSpan(0, filled), out var consumed, out var needed) is { } error)
                {
                    link.OnProtocolError(this, error);
                    return;
                }

                link.OnBatchRead(this);
                filled -= consumed;
                Buffer.BlockCopy(buffer, consumed, buffer, 0, filled);
                buffer = Fit(buffer, filled, needed);
            }
        }
        catch (Exception lost) when (ConnectionLoss.Is(lost))
        {
            link.OnLaneLost(this, lost.Message);
        }
    }

    /// <summary>Memory follows the bytes that came, never the length that was announced.</summary>
    private static byte[] Fit(byte[] buffer, int filled, int needed)
    {
        var size = buffer.Length;
        if (needed > size && filled == size) size = Math.Min(needed, size * 2);
        else if (size > BufferBytesKept && filled < BufferBytes && needed <= BufferBytes) size = BufferBytes;
        if (size == buffer.Length) return buffer;
        var other = new byte[size];
        Buffer.BlockCopy(buffer, 0, other, 0, filled);
        return other;
    }

    private string? Parse(ReadOnlySpan<byte> data, out int consumed, out int needed)
    {
        consumed = 0;
        needed = 0;
        var now = link.Remoting.Now;
        while (true)
        {
            var left = data[consumed..];
            if (ControlCodec.TryReadLength(left, out needed) is { } badLength) return badLength;
            if (needed == 0 || left.Length < needed) return null;
            if (ControlCodec.TryRead(left[..needed], out var frame) is { } badFrame) return badFrame;
            if (link.OnFrame(this, in frame, now) is { } error) return error;
            consumed += needed;
            needed = 0;
        }
    }
}
