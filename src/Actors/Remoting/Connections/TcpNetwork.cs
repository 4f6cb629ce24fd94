using System.Net;
using System.Net.Sockets;

namespace Convoy.Actors.Remoting.Connections;

internal sealed class TcpNetwork : INetwork
{
    private const int Backlog = 512;

    public static readonly TcpNetwork Instance = new();

    public IConnectionListener Listen(IPEndPoint at)
    {
        var socket = NewSocket(at.AddressFamily);
        try
        {
            // [::] is every address of the machine, those of IPv4 too; whether it is by itself, systems differ.
            if (at.Address.Equals(IPAddress.IPv6Any)) socket.DualMode = true;
            socket.Bind(at);
            socket.Listen(Backlog);
        }
        catch (SocketException)
        {
            socket.Dispose();
            throw;
        }

        return new Listener(socket);
    }

    public async ValueTask<IConnection> DialAsync(IPEndPoint to, CancellationToken cancel)
    {
        var socket = NewSocket(to.AddressFamily);
        try
        {
            if (QuietWait.IsNeeded) await QuietWait.ConnectAsync(socket, to, cancel).ConfigureAwait(false);
            else await socket.ConnectAsync(to, cancel).ConfigureAwait(false);
            return new SocketConnection(socket);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    private static Socket NewSocket(AddressFamily family) =>
        new(family, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };

    private sealed class Listener(Socket socket) : IConnectionListener
    {
        public IPEndPoint LocalAddress { get; } = (IPEndPoint)socket.LocalEndPoint!;

        public async ValueTask<IConnection?> AcceptAsync()
        {
            try
            {
                var accepted = await socket.AcceptAsync().ConfigureAwait(false);
                accepted.NoDelay = true;
                return new SocketConnection(accepted);
            }
            catch (Exception closed) when (
                closed is ObjectDisposedException or SocketException { SocketErrorCode: SocketError.OperationAborted })
            {
                return null;
            }
        }

        public void Dispose() => socket.Dispose();
    }
}
