using System.Net;
using System.Net.Sockets;
using Convoy.Actors.Remoting.Connections;

namespace Convoy.Actors.Tests.Remoting;

// R19: [::] is every address of the machine.
public sealed class DualStackTests
{
    [Fact]
    public async Task A_listener_on_all_IPv6_addresses_takes_IPv4_and_knows_it_by_its_own_address()
    {
        Assert.SkipUnless(Socket.OSSupportsIPv6 && Socket.OSSupportsIPv4, "the machine has one family of addresses");
        using var listener = TcpNetwork.Instance.Listen(new IPEndPoint(IPAddress.IPv6Any, 0));
        using var deadline = new CancellationTokenSource(TimeSpan.FromSeconds(20));
        var here = new IPEndPoint(IPAddress.Loopback, listener.LocalAddress.Port);

        using var dialled = await TcpNetwork.Instance.DialAsync(here, deadline.Token);
        using var accepted = await listener.AcceptAsync();

        Assert.StartsWith("127.0.0.1:", accepted!.RemoteAddress, StringComparison.Ordinal);
        Assert.True(((SocketConnection)accepted).IsLoopback);
    }
}
