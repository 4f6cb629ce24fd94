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
                _ = CopyAsync(incoming, outgoing);
                _ = CopyAsync(outgoing, incoming);
            }
            catch (Exception closed) when (closed is SocketException or ObjectDisposedException or InvalidOperationException)
            {
                if (!_listener.Server.IsBound) return;
            }
        }
    }

    private async Task CopyAsync(Socket from, Socket to)
    {
        var buffer = new byte[16 << 10];
        try
        {
            while (await from.ReceiveAsync(buffer) is > 0 and var read)
            {
                if (_frozen) continue;
                for (var sent = 0; sent < read;) sent += await to.SendAsync(buffer.AsMemory(sent, read - sent));
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
