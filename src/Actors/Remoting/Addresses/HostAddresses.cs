using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;

namespace Convoy.Actors.Remoting.Addresses;

/// <summary>An address of this machine, with the bits that its subnet shares.</summary>
public sealed record HostAddress(IPAddress Address, int PrefixBits, string Interface);

/// <summary>What the operating system says of this machine's network: the only place where it is asked.</summary>
public static class HostAddresses
{
    /// <summary>
    /// Addresses of interfaces that are up, loopback too; just loopback where the system does not tell.
    /// </summary>
    public static IReadOnlyList<HostAddress> All()
    {
        try
        {
            return [.. NetworkInterface.GetAllNetworkInterfaces()
                .Where(i => i.OperationalStatus is OperationalStatus.Up or OperationalStatus.Unknown)
                .SelectMany(i =>
                    i.GetIPProperties().UnicastAddresses.Select(a => new HostAddress(a.Address, BitsOf(a), i.Name)))];
        }
        catch (NetworkInformationException)
        {
            return [new HostAddress(IPAddress.Loopback, 8, "loopback")];
        }
    }

    // Not every platform knows the prefix: then the address shares a subnet with nobody but itself.
    private static int BitsOf(UnicastIPAddressInformation address)
    {
        var whole = address.Address.AddressFamily == AddressFamily.InterNetwork ? 32 : 128;
        try
        {
            return address.PrefixLength is > 0 and var bits && bits <= whole ? bits : whole;
        }
        catch (PlatformNotSupportedException)
        {
            return whole;
        }
    }
}
