using System.Globalization;
using System.Net;
using Convoy.Shared;

namespace Convoy.Actors.Remoting;

/// <summary>Addresses as users write them. Until the cluster has credentials only this machine may be named (decision 11).</summary>
internal static class Endpoints
{
    public static IPEndPoint Loopback(string address, string what)
    {
        var colon = address.LastIndexOf(':');
        if (colon <= 0 || !ushort.TryParse(address.AsSpan(colon + 1), CultureInfo.InvariantCulture, out var port))
            throw new UserException(ExitCode.Usage, $"{what} {address}: an address is host:port, such as 127.0.0.1:7400");
        var host = address[..colon].Trim('[', ']');
        if (host.Equals("localhost", StringComparison.OrdinalIgnoreCase)) return new IPEndPoint(IPAddress.Loopback, port);
        if (IPAddress.TryParse(host, out var ip) && IPAddress.IsLoopback(ip)) return new IPEndPoint(ip, port);
        throw new UserException(
            ExitCode.Cluster,
            $"{what} {address}: only loopback addresses (127.0.0.1, localhost, [::1]) are open without cluster credentials; "
            + "use 127.0.0.1, or a tunnel, until this cluster has certificates");
    }
}
