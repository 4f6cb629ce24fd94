using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Convoy.Shared;

namespace Convoy.Actors.Remoting;

/// <summary>A place to dial: an address, or a name that is looked up at each attempt, because it may move.</summary>
internal readonly record struct DialPlace(string Host, int Port, IPEndPoint? Known)
{
    /// <summary>Throws SocketException when the name is not known.</summary>
    public async ValueTask<IPEndPoint> ResolveAsync(CancellationToken cancel)
    {
        if (Known is not null) return Known;
        var found = await Dns.GetHostAddressesAsync(Host, cancel).ConfigureAwait(false);
        var best = found.FirstOrDefault(a => a.AddressFamily == AddressFamily.InterNetwork) ?? found.FirstOrDefault()
            ?? throw new SocketException((int)SocketError.HostNotFound);
        return new IPEndPoint(best, Port);
    }
}

/// <summary>Addresses as users write them. Without credentials only this machine may be named (decision 11).</summary>
public static class Endpoints
{
    /// <exception cref="UserException">It is not HOST:PORT.</exception>
    public static bool IsLoopback(string address) => IsThisMachine(Split(address, "address").Host);

    internal static IPEndPoint ToListen(string address, bool secure)
    {
        var (host, port) = Split(address, "listen on");
        if (!secure && !IsThisMachine(host)) throw Unprotected("listen on", address);
        if (IpOf(host) is { } ip) return new IPEndPoint(ip, port);
        throw new UserException(ExitCode.Usage, $"listen on {address}: an address of this machine is needed, not a name; 0.0.0.0 takes all");
    }

    internal static DialPlace ToDial(string address, bool secure)
    {
        var (host, port) = Split(address, "dial");
        if (!secure && !IsThisMachine(host)) throw Unprotected("dial", address);
        return new DialPlace(host, port, IpOf(host) is { } ip ? new IPEndPoint(ip, port) : null);
    }

    private static (string Host, int Port) Split(string address, string what)
    {
        var colon = address.LastIndexOf(':');
        if (colon <= 0 || !ushort.TryParse(address.AsSpan(colon + 1), CultureInfo.InvariantCulture, out var port))
            throw new UserException(ExitCode.Usage, $"{what} {address}: an address is host:port, such as 127.0.0.1:7400");
        return (address[..colon].Trim('[', ']'), port);
    }

    private static bool IsThisMachine(string host) => IpOf(host) is { } ip && IPAddress.IsLoopback(ip);

    private static IPAddress? IpOf(string host) =>
        host.Equals("localhost", StringComparison.OrdinalIgnoreCase) ? IPAddress.Loopback
        : IPAddress.TryParse(host, out var ip) ? ip : null;

    private static UserException Unprotected(string what, string address) => new(
        ExitCode.Cluster,
        $"{what} {address}: only loopback addresses (127.0.0.1, localhost, [::1]) are open without cluster credentials; "
        + "make them with convoy init, join with a token (convoy worker --token), or name their folder with --credentials");
}
