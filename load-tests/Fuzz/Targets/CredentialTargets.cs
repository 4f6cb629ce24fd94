using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using Convoy.Shared.Security;

namespace Convoy.Fuzz.Targets;

/// <summary>
/// What strangers show and send before they are believed: tokens, key requests, certificates, names in them.
/// </summary>
internal static class CredentialTargets
{
    public static IReadOnlyList<Target> All(DateTimeOffset now)
    {
        using var authority = CertificateAuthority.Create(now);
        using var key = KeyRequest.Create();
        var request = key.Encode("w0");
        using var certificate = authority.Sign(request, new NodeIdentity(ClusterRole.Worker, "w0"),
            ["host", "10.0.0.1"], TimeSpan.FromDays(1), now);
        var trusted = X509CertificateLoader.LoadCertificate(authority.Certificate.RawData);
        var token = JoinToken.Create(NodeCredential.PinOf(trusted)).ToText();
        return
        [
            new Target("token", [Encoding.UTF8.GetBytes(token)],
                input => JoinToken.TryParse(Encoding.UTF8.GetString(input), out _)) { Share = 40 },
            new Target("identity", [Encoding.UTF8.GetBytes("convoy://node/worker/w0")], Identity) { Share = 40 },
            // The platform's parsers are slow; they get few inputs, and may refuse with their own exception only.
            new Target("key request", [request], Request) { Share = 1 },
            new Target("certificate", [certificate.RawData], input => Certificate(input, trusted, now)) { Share = 1 },
        ];
    }

    private static bool Identity(ReadOnlySpan<byte> input) =>
        NodeIdentity.TryParseUri(Encoding.UTF8.GetString(input), out var identity)
            && NodeIdentity.NameFault(identity.Name) is null;

    private static bool Request(ReadOnlySpan<byte> input)
    {
        try
        {
            return KeyRequest.FingerprintOf(input.ToArray()).Length > 0;
        }
        catch (CryptographicException)
        {
            return false;
        }
    }

    private static bool Certificate(ReadOnlySpan<byte> input, X509Certificate2 trusted, DateTimeOffset now)
    {
        try
        {
            using var shown = X509CertificateLoader.LoadCertificate(input);
            return CertificateCheck.Verify(shown, [trusted], now, asServer: false).Fault == CertificateFault.None;
        }
        catch (CryptographicException)
        {
            return false; // TLS itself refuses what is no certificate
        }
    }
}
