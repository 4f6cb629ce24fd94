// Where a node can be reached, as text: host:port, and more of them with commas, best first. A node that listens on all
// interfaces cannot know which of its addresses another one reaches (R19): it advertises all, whoever dials tries them.
// AL-1  0.0.0.0 and [::] are never advertised.
// AL-2  A list has 1 to 16 entries, each once.
// AL-3  The order of trying depends on the list and on the dialler's own addresses only.
using System.Net;
using System.Net.Sockets;
using Convoy.Shared;

namespace Convoy.Actors.Remoting.Addresses;

/// <summary>How near an address is to the one that dials it.</summary>
internal enum Nearness
{
    SameHost,
    SameSubnet,
    Elsewhere,
}

/// <summary>Makes, reads and ranks lists of addresses. Pure.</summary>
internal static class AddressList
{
    public const int EntriesMax = 16;

    /// <param name="bound">Where the process listens.</param>
    /// <param name="advertise">What the user says instead: host[:port] with commas; null: nothing.</param>
    /// <param name="local">All addresses of this machine.</param>
    /// <returns>host:port, best first.</returns>
    /// <exception cref="UserException">The user's list cannot be understood.</exception>
    public static IReadOnlyList<string> Advertised(IPEndPoint bound, string? advertise,
        IReadOnlyList<HostAddress> local)
    {
        if (advertise is not null) return OfUser(advertise, bound.Port);
        var isAny = bound.Address.Equals(IPAddress.Any) || bound.Address.Equals(IPAddress.IPv6Any);
        if (!isAny) return [bound.ToString()];
        var reachable = local
            // [::] takes both families.
            .Where(a => bound.Address.Equals(IPAddress.IPv6Any) || a.Address.AddressFamily == bound.AddressFamily)
            .Where(a => !IPAddress.IsLoopback(a.Address))
            // A link-local address needs the name of an interface, which only counts on this machine.
            .Where(a => !a.Address.IsIPv6LinkLocal)
            .OrderBy(a => IsLinkLocal(a.Address))
            .Select(a => new IPEndPoint(a.Address, bound.Port).ToString())
            .Distinct(StringComparer.Ordinal).Take(EntriesMax).ToList();
        var loopback = bound.AddressFamily == AddressFamily.InterNetwork ? IPAddress.Loopback : IPAddress.IPv6Loopback;
        return reachable.Count > 0 ? reachable : [new IPEndPoint(loopback, bound.Port).ToString()];
    }

    public static IReadOnlyList<string> Entries(string list) =>
        list.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);

    public static string Text(IReadOnlyList<string> entries) => string.Join(',', entries);

    /// <summary>
    /// Indices of the places in the order in which they are tried: the nearest first, else as they stand.
    /// </summary>
    /// <param name="places">Addresses; null: a name, of which nothing is known yet.</param>
    /// <param name="local">Addresses of the dialler's machine.</param>
    public static IReadOnlyList<int> Ranked(IReadOnlyList<IPAddress?> places, IReadOnlyList<HostAddress> local) =>
        [.. Enumerable.Range(0, places.Count).OrderBy(i => NearnessOf(places[i], local))]; // a stable sort

    public static Nearness NearnessOf(IPAddress? place, IReadOnlyList<HostAddress> local)
    {
        if (place is null) return Nearness.Elsewhere;
        if (IPAddress.IsLoopback(place) || local.Any(a => a.Address.Equals(place))) return Nearness.SameHost;
        return local.Any(a => !IPAddress.IsLoopback(a.Address) && SharePrefix(a.Address, place, a.PrefixBits))
            ? Nearness.SameSubnet : Nearness.Elsewhere;
    }

    private static bool SharePrefix(IPAddress a, IPAddress b, int bits)
    {
        if (a.AddressFamily != b.AddressFamily) return false;
        var (left, right) = (a.GetAddressBytes(), b.GetAddressBytes());
        for (var at = 0; at < left.Length && bits > 0; at++, bits -= 8)
        {
            var mask = bits >= 8 ? 0xFF : 0xFF << (8 - bits) & 0xFF;
            if ((left[at] & mask) != (right[at] & mask)) return false;
        }

        return true;
    }

    /// <summary>169.254/16: a machine that got no address has one, and nobody else reaches it.</summary>
    private static bool IsLinkLocal(IPAddress address) =>
        address.AddressFamily == AddressFamily.InterNetwork && address.GetAddressBytes() is [169, 254, ..];

    private static IReadOnlyList<string> OfUser(string advertise, int port)
    {
        var entries = Entries(advertise).Select(entry => WithPort(entry, port))
            .Distinct(StringComparer.Ordinal).ToList();
        if (entries.Count is 0 or > EntriesMax)
            throw Wrong(advertise, $"{entries.Count} addresses; give 1 to {EntriesMax}, with commas");
        foreach (var entry in entries)
        {
            var host = entry[..entry.LastIndexOf(':')].Trim('[', ']');
            if (IPAddress.TryParse(host, out var ip) && (ip.Equals(IPAddress.Any) || ip.Equals(IPAddress.IPv6Any)))
                throw Wrong(advertise, $"{host} is no address that anybody can dial; name one of an interface");
            if (Uri.CheckHostName(host) == UriHostNameType.Unknown)
                throw Wrong(advertise, $"'{host}' is neither an address nor a name");
        }

        return entries;
    }

    private static string WithPort(string entry, int port)
    {
        // An IPv6 address without brackets is full of colons and has no port.
        if (IPAddress.TryParse(entry, out var ip)) return new IPEndPoint(ip, port).ToString();
        var colon = entry.LastIndexOf(':');
        return colon > 0 && ushort.TryParse(entry.AsSpan(colon + 1), out _) ? entry : $"{entry}:{port}";
    }

    private static UserException Wrong(string advertise, string text) =>
        new(ExitCode.Usage, $"advertise {advertise}: {text}");
}
