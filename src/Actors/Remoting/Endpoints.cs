using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Convoy.Actors.Remoting.Addresses;
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

    public override string ToString() => Known?.ToString() ?? $"{Host}:{Port}";
}

/// <summary>Addresses as users write them. Without credentials only this machine may be named (decision 11).</summary>
public static class Endpoints
{
    /// <summary>Whether the address, or each of a list of addresses with commas, is this machine's own.</summary>
    /// <exception cref="UserException">It is not HOST:PORT.</exception>
    public static bool IsLoopback(string address) =>
        EntriesOf(address, "address").All(e => IsThisMachine(Split(e, "address").Host));

    /// <summary>The first of a list of addresses with commas.</summary>
    public static string First(string address) => All(address)[0];

    /// <summary>Each of a list of addresses with commas.</summary>
    public static IReadOnlyList<string> All(string address) => EntriesOf(address, "address");

    /// <summary>
    /// What a process of this machine that listens on [::] tells others to dial; loopback is nobody else's.
    /// </summary>
    public static IReadOnlyList<string> AdvertisedOnAny(int port) =>
        [.. AddressList.Advertised(new IPEndPoint(IPAddress.IPv6Any, port), null, HostAddresses.All())
            .Where(address => !IsLoopback(address))];

    /// <summary>Where a process of this machine finds a listener.</summary>
    public static string OnThisMachine(IPEndPoint listener) =>
        listener.Address.Equals(IPAddress.Any) ? new IPEndPoint(IPAddress.Loopback, listener.Port).ToString()
        : listener.Address.Equals(IPAddress.IPv6Any) ? new IPEndPoint(IPAddress.IPv6Loopback, listener.Port).ToString()
        : listener.ToString();

    internal static IPEndPoint ToListen(string address, bool secure)
    {
        var (host, port) = Split(address, "listen on");
        if (!secure && !IsThisMachine(host)) throw Unprotected("listen on", address);
        if (IpOf(host) is { } ip) return new IPEndPoint(ip, port);
        throw new UserException(ExitCode.Usage,
            $"listen on {address}: an address of this machine is needed, not a name; 0.0.0.0 takes all");
    }

    /// <summary>The places of one node, in the order in which they are written.</summary>
    internal static IReadOnlyList<DialPlace> ToDial(string address, bool secure) =>
        [.. EntriesOf(address, "dial").Select(entry =>
        {
            var (host, port) = Split(entry, "dial");
            if (!secure && !IsThisMachine(host)) throw Unprotected("dial", entry);
            return new DialPlace(host, port, IpOf(host) is { } ip ? new IPEndPoint(ip, port) : null);
        })];

    private static IReadOnlyList<string> EntriesOf(string address, string what)
    {
        var entries = AddressList.Entries(address);
        return entries.Count is > 0 and <= AddressList.EntriesMax ? entries : throw new UserException(ExitCode.Usage,
            $"{what} {address}: {entries.Count} addresses; 1 to {AddressList.EntriesMax} with commas, such as 127.0.0.1:7400");
    }

    private static (string Host, int Port) Split(string address, string what)
    {
        var colon = address.LastIndexOf(':');
        if (colon <= 0 || !ushort.TryParse(address.AsSpan(colon + 1), CultureInfo.InvariantCulture, out var port))
            throw new UserException(ExitCode.Usage,
                $"{what} {address}: an address is host:port, such as 127.0.0.1:7400");
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
