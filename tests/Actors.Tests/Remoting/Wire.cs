using System.Net;
using System.Net.Sockets;

namespace Convoy.Actors.Tests.Remoting;

/// <summary>A relay between two nodes that can be cut, frozen and pointed at another process.</summary>
internal sealed class Wire : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly Lock _lock = new();
    private readonly List<(Socket In, Socket Out)> _open = [];
    private volatile bool _frozen;

    /// <summary>How many bytes a new connection lives for, both ways together; null: for ever.</summary>
    public Func<int?>? BytesOfNext { get; init; }

    /// <summary>The first connection that has lived its bytes takes the others and the listener with it.</summary>
    public bool EndsWithFirstCut { get; init; }

    public Wire(string target)
    {
        Target = target;
        _listener.Start();
        Address = _listener.LocalEndpoint.ToString()!;
        _ = AcceptAsync();
    }

    public string Address { get; }

    public string Target { get; set; }

    /// <summary>Cuts the connection that was made as number <paramref name="index"/> of those that are open.</summary>
    public void Cut(int index)
    {
        lock (_lock)
        {
            if (index >= _open.Count) return;
            Close(_open[index]);
            _open.RemoveAt(index);
        }
    }

    public void CutAll()
    {
        lock (_lock)
        {
            _open.ForEach(Close);
            _open.Clear();
            _frozen = false;
        }
    }

    /// <summary>Bytes stop inside the relay until everything is cut.</summary>
    public void Freeze() => _frozen = true;

    public ValueTask DisposeAsync()
    {
        _listener.Stop();
        CutAll();
        return ValueTask.CompletedTask;
    }

    private static void Close((Socket In, Socket Out) pair)
    {
        pair.In.Dispose();
        pair.Out.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            try
            {
                var incoming = await _listener.AcceptSocketAsync();
                var outgoing = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
                incoming.NoDelay = true;
                await outgoing.ConnectAsync(IPEndPoint.Parse(Target));
                lock (_lock) _open.Add((incoming, outgoing));
                var life = new Life { BytesLeft = BytesOfNext?.Invoke() ?? long.MaxValue };
                _ = CopyAsync(incoming, outgoing, life);
                _ = CopyAsync(outgoing, incoming, life);
            }
            catch (Exception closed) when (closed is SocketException or ObjectDisposedException
                or InvalidOperationException)
            {
                if (!_listener.Server.IsBound) return;
            }
        }
    }

    private sealed class Life
    {
        public long BytesLeft;

        public int Take(int bytes)
        {
            var before = Interlocked.Add(ref BytesLeft, -bytes) + bytes;
            return (int)Math.Clamp(before, 0, bytes);
        }
    }

    private async Task CopyAsync(Socket from, Socket to, Life life)
    {
        var buffer = new byte[16 << 10];
        try
        {
            while (await from.ReceiveAsync(buffer) is > 0 and var read)
            {
                if (_frozen) continue;
                var allowed = life.Take(read);
                for (var sent = 0; sent < allowed;) sent += await to.SendAsync(buffer.AsMemory(sent, allowed - sent));
                if (allowed == read) continue;
                if (EndsWithFirstCut) await DisposeAsync();
                break;
            }
        }
        catch (Exception closed) when (closed is SocketException or ObjectDisposedException)
        {
            // Cut.
        }

        from.Dispose();
        to.Dispose();
    }
}
