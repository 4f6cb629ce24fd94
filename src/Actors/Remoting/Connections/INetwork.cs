using System.Net;

namespace Convoy.Actors.Remoting.Connections;

/// <summary>Where connections come from: the machine's TCP, or a simulated network.</summary>
internal interface INetwork
{
    /// <exception cref="System.Net.Sockets.SocketException">The address is taken, or is none of this
    /// machine.</exception>
    IConnectionListener Listen(IPEndPoint at);

    /// <summary>Throws what <see cref="ConnectionLoss.Is"/> recognises when nobody answers.</summary>
    ValueTask<IConnection> DialAsync(IPEndPoint to, CancellationToken cancel);
}

/// <summary>Takes connections until it is disposed of; then, and never before, a waiting accept gets null.</summary>
internal interface IConnectionListener : IDisposable
{
    /// <summary>With the real port where port 0 was asked for.</summary>
    IPEndPoint LocalAddress { get; }

    /// <summary>
    /// Throws what <see cref="ConnectionLoss.Is"/> recognises when one connection failed: the listener lives on.
    /// </summary>
    ValueTask<IConnection?> AcceptAsync();
}
