using System.Formats.Asn1;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Convoy.Shared.Security;

/// <summary>Writes and reads the subject alternative names of our certificates (RFC 5280, 4.2.1.6).</summary>
internal static class CertificateNames
{
    private const string SubjectAlternativeName = "2.5.29.17";
    private const int NamesMax = 64;
    private static readonly Asn1Tag UriTag = new(TagClass.ContextSpecific, 6);

    /// <param name="identity">Who it is.</param>
    /// <param name="hosts">Addresses and DNS names, for browsers and other clients that compare them.</param>
    public static X509Extension Write(NodeIdentity identity, IReadOnlyList<string> hosts)
    {
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri(identity.ToUri()));
        foreach (var host in hosts)
        {
            if (IPAddress.TryParse(host, out var ip)) names.AddIpAddress(ip);
            else names.AddDnsName(host);
        }

        return names.Build();
    }

    /// <summary>The one identity that the certificate names; null when there is none, or more than one.</summary>
    public static NodeIdentity? Read(X509Certificate2 certificate)
    {
        if (certificate.Extensions[SubjectAlternativeName] is not { } extension) return null;
        try
        {
            return Only(new AsnReader(extension.RawData, AsnEncodingRules.DER).ReadSequence());
        }
        catch (Exception malformed) when (malformed is AsnContentException or CryptographicException)
        {
            // A stranger's certificate may hold anything; one that cannot be read names nobody.
            return null;
        }
    }

    /// <summary>DNS names and addresses, as they were given.</summary>
    public static IReadOnlyList<string> HostsOf(X509Certificate2 certificate)
    {
        if (certificate.Extensions[SubjectAlternativeName] is not { } extension) return [];
        var names = new X509SubjectAlternativeNameExtension(extension.RawData);
        return [.. names.EnumerateDnsNames(), .. names.EnumerateIPAddresses().Select(ip => ip.ToString())];
    }

    private static NodeIdentity? Only(AsnReader names)
    {
        NodeIdentity? found = null;
        for (var i = 0; names.HasData; i++)
        {
            if (i == NamesMax) return null;
            if (names.PeekTag() != UriTag)
            {
                names.ReadEncodedValue();
                continue;
            }

            if (!NodeIdentity.TryParseUri(names.ReadCharacterString(UniversalTagNumber.IA5String, UriTag), out var one))
                continue;
            if (found is not null) return null;
            found = one;
        }

        return found;
    }
}
