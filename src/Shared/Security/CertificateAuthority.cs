using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Convoy.Shared.Security;

/// <summary>
/// The certificate authority of one cluster: ECDSA on P-256, self-signed, it signs nodes and nothing else. Holds its
/// private key: only <c>init</c>, <c>cert</c> and the coordinator that admits workers ever make one of these.
/// </summary>
public sealed class CertificateAuthority : IDisposable
{
    public static readonly TimeSpan AuthorityLife = TimeSpan.FromDays(3_650);
    public static readonly TimeSpan NodeLife = TimeSpan.FromDays(365);
    /// <summary>Clocks of machines differ a little; a certificate made now must count there at once.</summary>
    internal static readonly TimeSpan ClockSkew = TimeSpan.FromMinutes(5);
    private const int SerialBytes = 16;
    private static readonly Oid ServerUse = new("1.3.6.1.5.5.7.3.1");
    private static readonly Oid ClientUse = new("1.3.6.1.5.5.7.3.2");

    private readonly ECDsa _key;

    private CertificateAuthority(X509Certificate2 certificate, ECDsa key) => (Certificate, _key) = (certificate, key);

    /// <summary>Without the key: what everybody may see and trusts.</summary>
    public X509Certificate2 Certificate { get; }

    public static CertificateAuthority Create(DateTimeOffset now)
    {
        var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(4));
        var request = new CertificateRequest($"CN=convoy cluster {id}", key, HashAlgorithmName.SHA256);
        // Path length 0: a node's certificate can never sign another one.
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, true, 0, critical: true));
        request.CertificateExtensions.Add(
            new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign | X509KeyUsageFlags.CrlSign, critical: true));
        request.CertificateExtensions.Add(new X509SubjectKeyIdentifierExtension(request.PublicKey, critical: false));
        using var made = request.CreateSelfSigned(now - ClockSkew, now + AuthorityLife);
        return new CertificateAuthority(X509CertificateLoader.LoadCertificate(made.RawData), key);
    }

    /// <summary>Certificate and key, as <see cref="ToPem"/> wrote them.</summary>
    /// <exception cref="CryptographicException">It is not a certificate of an authority with its key.</exception>
    public static CertificateAuthority FromPem(string pem)
    {
        using var whole = X509Certificate2.CreateFromPem(pem, pem);
        var isAuthority = whole.Extensions.OfType<X509BasicConstraintsExtension>().Any(b => b.CertificateAuthority);
        if (!isAuthority) throw new CryptographicException("the certificate is not one of an authority");
        var key = whole.GetECDsaPrivateKey() ?? throw new CryptographicException("the key is not an ECDSA key");
        return new CertificateAuthority(X509CertificateLoader.LoadCertificate(whole.RawData), key);
    }

    /// <summary>ECDSA with SHA-256.</summary>
    public byte[] SignData(byte[] data) => _key.SignData(data, HashAlgorithmName.SHA256);

    public string ToPem() => $"{Certificate.ExportCertificatePem()}\n{_key.ExportPkcs8PrivateKeyPem()}\n";

    /// <summary>A new key and its certificate, for a node of this machine.</summary>
    /// <returns>Certificate and private key in PEM.</returns>
    public string IssueWithKey(NodeIdentity identity, IReadOnlyList<string> hosts, TimeSpan life, DateTimeOffset now)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        using var certificate = Issue(new PublicKey(key), identity, hosts, life, now);
        return $"{certificate.ExportCertificatePem()}\n{key.ExportPkcs8PrivateKeyPem()}\n";
    }

    /// <summary>
    /// Signs the public key of a request (PKCS #10, RFC 2986) for an identity that the caller has decided. The
    /// request's signature proves that the asker has the private key; names and extensions that it asks for are not
    /// looked at.
    /// </summary>
    /// <exception cref="CryptographicException">The request is malformed, its proof is wrong, or its key is of another
    /// kind.</exception>
    public X509Certificate2 Sign(
        byte[] request, NodeIdentity identity, IReadOnlyList<string> hosts, TimeSpan life, DateTimeOffset now) =>
        Issue(KeyRequest.Open(request), identity, hosts, life, now);

    public void Dispose()
    {
        Certificate.Dispose();
        _key.Dispose();
    }

    private X509Certificate2 Issue(
        PublicKey key, NodeIdentity identity, IReadOnlyList<string> hosts, TimeSpan life, DateTimeOffset now)
    {
        if (NodeIdentity.NameFault(identity.Name) is { } fault)
            throw new UserException(ExitCode.Usage, $"'{identity.Name}': {fault}");
        var request = new CertificateRequest(new X500DistinguishedName($"CN={identity.Name}"), key,
            HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(false, false, 0, critical: true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.DigitalSignature,
            critical: true));
        // An operator never listens; the others do both.
        OidCollection uses = identity.Role == ClusterRole.Operator ? [ClientUse] : [ServerUse, ClientUse];
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension(uses, critical: false));
        request.CertificateExtensions.Add(CertificateNames.Write(identity, hosts));
        request.CertificateExtensions.Add(
            X509AuthorityKeyIdentifierExtension.CreateFromCertificate(Certificate, includeKeyIdentifier: true,
                includeIssuerAndSerial: false));
        var end = now + life;
        if (end > Certificate.NotAfter) end = Certificate.NotAfter;
        return request.Create(
            Certificate.SubjectName, X509SignatureGenerator.CreateForECDsa(_key), now - ClockSkew, end, NewSerial());
    }

    private static byte[] NewSerial()
    {
        var serial = RandomNumberGenerator.GetBytes(SerialBytes);
        serial[0] = (byte)((serial[0] & 0x7F) | 0x40); // positive, and of a fixed length
        return serial;
    }
}
