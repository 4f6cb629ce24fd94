// Bounds what one address can make this process do before it has proved anything.
// AG-1  No address has more than its share of handshakes in flight.
// AG-2  An address whose connections are refused runs out of tries; each refusal costs one, tries come back with time.
//       Connections that shake hands cost nothing, so a cluster that restarts as a whole is never held up.
// AG-3  The table has a bound: addresses with nothing in flight are forgotten, the longest silent one first.
using System.Net;
using System.Net.Sockets;
using Convoy.Shared;
using Convoy.Shared.Time;

namespace Convoy.Actors.Remoting.Security;

internal sealed record GuardLimits(int InFlightMax, int RefusalsMax, double RefusalsPerSecond);

internal sealed class AddressGuard(GuardLimits limits)
{
    public const int AddressesMax = 4_096;
    private const int Ipv6PrefixBytes = 8;

    private readonly Dictionary<string, Record> _records = new(StringComparer.Ordinal);

    public int AddressesCount => _records.Count;

    /// <summary>Null: it may shake hands, and <see cref="Leave"/> follows. Otherwise which limit it is over.</summary>
    public string? TryEnter(string host, Instant now)
    {
        if (!_records.TryGetValue(host, out var record))
        {
            if (_records.Count >= AddressesMax && !ForgetOne()) return $"{AddressesMax} addresses shake hands";
            _records.Add(host, record = new Record { Tries = limits.RefusalsMax, At = now });
        }

        record.Refill(limits, now);
        if (record.InFlight >= limits.InFlightMax) return $"{record.InFlight} handshakes from there are under way";
        if (record.Tries < 1) return "too many of its connections were refused";
        record.InFlight++;
        return null;
    }

    public void Leave(string host, bool refused, Instant now)
    {
        var record = _records[host];
        Invariant.Check(record.InFlight > 0, "AG-1 leaves follow entries");
        record.Refill(limits, now);
        record.InFlight--;
        if (refused) record.Tries = Math.Max(0, record.Tries - 1);
    }

    /// <summary>The part of host:port that one party controls: the address, of IPv6 the first half.</summary>
    public static string HostOf(string remoteAddress)
    {
        if (!IPEndPoint.TryParse(remoteAddress, out var endPoint)) return remoteAddress;
        var ip = endPoint.Address.IsIPv4MappedToIPv6 ? endPoint.Address.MapToIPv4() : endPoint.Address;
        if (ip.AddressFamily != AddressFamily.InterNetworkV6 || IPAddress.IsLoopback(ip)) return ip.ToString();
        var bytes = ip.GetAddressBytes();
        bytes.AsSpan(Ipv6PrefixBytes).Clear();
        return $"{new IPAddress(bytes)}/64";
    }

    private bool ForgetOne()
    {
        string? oldest = null;
        var at = Instant.Never;
        foreach (var (host, record) in _records)
        {
            if (record.InFlight > 0 || record.At >= at) continue;
            (oldest, at) = (host, record.At);
        }

        return oldest is not null && _records.Remove(oldest);
    }

    private sealed class Record
    {
        public int InFlight;
        public double Tries;
        public Instant At;

        public void Refill(GuardLimits limits, Instant now)
        {
            Tries = Math.Min(limits.RefusalsMax, Tries + (now - At).TotalSeconds * limits.RefusalsPerSecond);
            At = now;
        }
    }
}
