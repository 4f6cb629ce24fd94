using System.Net;
using System.Net.Sockets;
using Convoy.Actors.Remoting;
using Convoy.Coordinator.Api;
using Convoy.Shared;
using Convoy.Shared.Security;

namespace Convoy.Cli.Launch;

/// <summary>
/// How a machine comes by its certificate: with a token the first time, with the old certificate afterwards.
/// </summary>
internal static class Enrolment
{
    /// <summary>
    /// Asks for the authorities without believing anybody, keeps the one that the token pins, and only to a coordinator
    /// with a certificate of that authority says the token's secret. The key is made here and stays here.
    /// </summary>
    public static async Task JoinAsync(
        string address, JoinToken token, string name, string folder, TimeProvider time, CancellationToken cancel)
    {
        using var stranger = ConvoyClient.OfStranger(address, null, time);
        var offered = NodeCredential.AuthoritiesOf((await stranger.TrustAsync(cancel)).TrustPem);
        var pinned = offered.FirstOrDefault(authority => token.Pins(NodeCredential.PinOf(authority)))
            ?? throw new UserException(ExitCode.Cluster,
                $"{address} is not the cluster that {token} was made for: a wrong address, an old token, or somebody in between; "
                + "the token was not sent");
        using var key = CredentialFolder.PendingKey(folder);
        using var client = ConvoyClient.OfStranger(address, [pinned], time);
        var reply = await client.JoinAsync(
            new JoinRequest { TokenId = token.Id, Secret = token.Secret, Name = name, Request = key.Encode(name) },
            cancel);
        CredentialFolder.Save(folder, $"{reply.CertificatePem}\n{key.KeyPem}\n", reply.TrustPem);
    }

    public static async Task RenewAsync(string address, string folder, TimeProvider time, CancellationToken cancel)
    {
        var old = CredentialFolder.Load(folder);
        var source = new CredentialSource(folder, old.Identity.Role, time);
        using var key = CredentialFolder.PendingKey(folder);
        using var client = new ConvoyClient(address, source);
        var reply = await client.RenewAsync(new RenewRequest { Request = key.Encode(old.Identity.Name) }, cancel);
        CredentialFolder.Save(folder, $"{reply.CertificatePem}\n{key.KeyPem}\n", reply.TrustPem);
    }

    /// <summary>As <see cref="RenewAsync"/>, by whichever of a list of addresses answers.</summary>
    public static async Task RenewByAnyAsync(string addresses, string folder, TimeProvider time,
        CancellationToken cancel)
    {
        var left = Endpoints.All(addresses);
        for (var at = 0; ; at++)
        {
            try
            {
                await RenewAsync(left[at], folder, time, cancel);
                return;
            }
            catch (UserException) when (at < left.Count - 1)
            {
                // The next address may lead there.
            }
        }
    }

    /// <summary>
    /// The address of this machine that others at <paramref name="towards"/> see; nothing is sent to find it.
    /// </summary>
    public static IPAddress AddressTowards(string towards)
    {
        var host = towards[..towards.LastIndexOf(':')].Trim('[', ']');
        try
        {
            var target = IPAddress.TryParse(host, out var ip) ? ip : Dns.GetHostAddresses(host)[0];
            using var probe = new Socket(target.AddressFamily, SocketType.Dgram, ProtocolType.Udp);
            probe.Connect(target, 9);
            return ((IPEndPoint)probe.LocalEndPoint!).Address;
        }
        catch (SocketException e)
        {
            throw new UserException(ExitCode.Cluster,
                $"no way to {towards} was found ({e.Message}): is the name right? --listen names an address of this machine");
        }
    }
}
