using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Convoy.Shared.Security;

/// <summary>
/// What one node proves itself with and whom it believes: its certificate with the private key, and the certificates of
/// the authorities. Immutable; connections that were made with an older one go on.
/// </summary>
public sealed class NodeCredential
{
    private const int AuthoritiesMax = 8;

    private NodeCredential(
        NodeIdentity identity, X509Certificate2 certificate, IReadOnlyList<X509Certificate2> trusted,
        RevocationList revoked) =>
        (Identity, Certificate, Trusted, Revoked) = (identity, certificate, trusted, revoked);

    public NodeIdentity Identity { get; }

    /// <summary>With its private key.</summary>
    public X509Certificate2 Certificate { get; }

    /// <summary>One authority, or two while one follows the other.</summary>
    public IReadOnlyList<X509Certificate2> Trusted { get; }

    /// <summary>What the authorities have taken back, as far as this node knows.</summary>
    public RevocationList Revoked { get; }

    public DateTimeOffset Expires => Certificate.NotAfter;

    public DateTimeOffset Issued => IssuedAt(Certificate);

    /// <param name="nodePem">Certificate and private key.</param>
    /// <param name="trustPem">Certificates of authorities, without keys.</param>
    /// <param name="revokedText">A revocation list; one that no trusted authority has signed does not count.</param>
    /// <exception cref="CryptographicException">One of them is not that; the text says which.</exception>
    public static NodeCredential FromPem(string nodePem, string trustPem, string? revokedText = null)
    {
        var trusted = AuthoritiesOf(trustPem);
        X509Certificate2 certificate;
        try
        {
            certificate = Usable(X509Certificate2.CreateFromPem(nodePem, nodePem));
        }
        catch (CryptographicException unreadable)
        {
            throw new CryptographicException($"certificate and key: {unreadable.Message}", unreadable);
        }

        return CertificateNames.Read(certificate) is { } identity
            ? new NodeCredential(identity, certificate, trusted,
                revokedText is null ? RevocationList.Empty : RevocationList.TryRead(revokedText, trusted)
                    ?? RevocationList.Empty)
            : throw new CryptographicException("the certificate names no node of a cluster");
    }

    public static IReadOnlyList<X509Certificate2> AuthoritiesOf(string trustPem)
    {
        var authorities = new X509Certificate2Collection();
        authorities.ImportFromPem(trustPem);
        return authorities.Count is > 0 and <= AuthoritiesMax
            ? [.. authorities]
            : throw new CryptographicException(
                $"there are {authorities.Count} trusted authorities, not 1 to {AuthoritiesMax}");
    }

    public static string TrustPem(IEnumerable<X509Certificate2> authorities) =>
        string.Concat(authorities.Select(a => a.ExportCertificatePem() + "\n"));

    /// <summary>Certificates count from a little before they are issued, because clocks differ.</summary>
    internal static DateTimeOffset IssuedAt(X509Certificate2 certificate) =>
        certificate.NotBefore + CertificateAuthority.ClockSkew;

    /// <summary>SHA-256 of an authority's certificate: what a join token pins.</summary>
    public static byte[] PinOf(X509Certificate2 authority) => authority.GetCertHash(HashAlgorithmName.SHA256);

    // Windows cannot use a key in TLS that only lives in this object: it has to be imported.
    private static X509Certificate2 Usable(X509Certificate2 certificate)
    {
        if (!OperatingSystem.IsWindows()) return certificate;
        using (certificate) return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pkcs12), null);
    }
}
