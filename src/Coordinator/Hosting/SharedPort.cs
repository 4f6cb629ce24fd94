using System.Net;
using System.Net.Sockets;
using System.Threading.Channels;
using Convoy.Actors.Remoting.Security;
using Convoy.Shared.Security;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Server.Kestrel.Transport.Sockets;
using Microsoft.Extensions.Logging.Abstractions;

namespace Convoy.Coordinator.Hosting;

/// <summary>
/// Lets Kestrel serve connections that another listener accepted: remoting and HTTP share one port, told apart by their
/// first bytes, which are not consumed.
/// </summary>
internal sealed class SharedPort : IConnectionListenerFactory, IConnectionListener
{
    private const int WaitingMax = 256;
    private const int StrangersMax = 64;
    private const int KnownMax = 1_024;

    private readonly Channel<ConnectionContext> _accepted = Channel.CreateBounded<ConnectionContext>(WaitingMax);
    private readonly SocketConnectionContextFactory _connections =
        new(new SocketConnectionFactoryOptions(), NullLogger.Instance);

    private int _strangers;
    private int _known;

    public EndPoint EndPoint { get; private set; } = new IPEndPoint(IPAddress.Loopback, 0);

    /// <summary>Takes the socket when it speaks HTTP.</summary>
    public bool TryTake(Socket socket, ReadOnlyMemory<byte> firstBytes)
    {
        if (!IsHttp(firstBytes.Span)) return false;
        var connection = _connections.Create(socket);
        if (_accepted.Writer.TryWrite(connection)) return true;
        connection.Abort();
        return true;
    }

    /// <summary>Takes HTTPS. Strangers, who may only join, have few connections of their own.</summary>
    public bool TryTakeSecure(SecureStream secure)
    {
        var isStranger = secure.Peer.Fault != CertificateFault.None;
        if (!Count(isStranger, 1)) return false;
        var connection = new StreamConnection(secure, () => Count(isStranger, -1));
        if (_accepted.Writer.TryWrite(connection)) return true;
        Count(isStranger, -1);
        return false;
    }

    private bool Count(bool isStranger, int change)
    {
        ref var open = ref isStranger ? ref _strangers : ref _known;
        if (Interlocked.Add(ref open, change) <= (isStranger ? StrangersMax : KnownMax)) return true;
        Interlocked.Add(ref open, -change);
        return false;
    }

    /// <summary>The first bytes of every method that the API answers, and of those that it refuses politely.</summary>
    private static bool IsHttp(ReadOnlySpan<byte> first)
    {
        ReadOnlySpan<string> methods = ["GET ", "POST", "HEAD", "PUT ", "DELE", "OPTI", "PATC"];
        foreach (var method in methods)
        {
            var length = Math.Min(first.Length, method.Length);
            if (length >= 3 && System.Text.Encoding.ASCII.GetString(first[..length]) == method[..length]) return true;
        }

        return false;
    }

    public ValueTask<IConnectionListener> BindAsync(EndPoint endpoint, CancellationToken cancellationToken = default)
    {
        EndPoint = endpoint;
        return new ValueTask<IConnectionListener>(this);
    }

    public async ValueTask<ConnectionContext?> AcceptAsync(CancellationToken cancellationToken = default)
    {
        while (await _accepted.Reader.WaitToReadAsync(cancellationToken))
            if (_accepted.Reader.TryRead(out var connection)) return connection;
        return null;
    }

    public ValueTask UnbindAsync(CancellationToken cancellationToken = default)
    {
        _accepted.Writer.TryComplete();
        return ValueTask.CompletedTask;
    }

    public ValueTask DisposeAsync()
    {
        _accepted.Writer.TryComplete();
        _connections.Dispose();
        return ValueTask.CompletedTask;
    }
}
