using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Convoy.Shared.Security;

/// <summary>A node's new key, and the request to sign it: the key itself never leaves the machine.</summary>
public sealed class KeyRequest : IDisposable
{
    /// <summary>A request for a P-256 key has about 250 bytes; more is refused unread.</summary>
    public const int BytesMax = 4_096;
    private const string EllipticCurveKey = "1.2.840.10045.2.1";
    private const string P256 = "1.2.840.10045.3.1.7";

    private readonly ECDsa _key;

    private KeyRequest(ECDsa key) => _key = key;

    public static KeyRequest Create() => new(ECDsa.Create(ECCurve.NamedCurves.nistP256));

    /// <summary>A key that was made before and whose certificate has not come yet.</summary>
    /// <exception cref="CryptographicException">It is not such a key.</exception>
    public static KeyRequest FromPem(string pem)
    {
        var key = ECDsa.Create();
        try
        {
            key.ImportFromPem(pem);
            return new KeyRequest(key);
        }
        catch (ArgumentException notPem)
        {
            key.Dispose();
            throw new CryptographicException("the file holds no private key", notPem);
        }
    }

    public string KeyPem => _key.ExportPkcs8PrivateKeyPem();

    /// <summary>
    /// PKCS #10, signed with the key as proof of possession. The name is for people; the signer decides.
    /// </summary>
    public byte[] Encode(string name) =>
        new CertificateRequest(new X500DistinguishedName($"CN={name}"), _key, HashAlgorithmName.SHA256)
            .CreateSigningRequest();

    /// <summary>SHA-256 of the public key: the same key, the same text.</summary>
    public static string FingerprintOf(byte[] request) =>
        Convert.ToHexStringLower(SHA256.HashData(Open(request).ExportSubjectPublicKeyInfo()));

    public void Dispose() => _key.Dispose();

    /// <exception cref="CryptographicException">Too long, malformed, not proved, or a key of another kind.</exception>
    internal static PublicKey Open(byte[] request)
    {
        if (request.Length > BytesMax) throw new CryptographicException($"the request has over {BytesMax} bytes");
        var key = Load(request).PublicKey;
        using var curve = key.Oid.Value == EllipticCurveKey ? key.GetECDsaPublicKey() : null;
        if (curve?.ExportParameters(false).Curve.Oid?.Value != P256)
            throw new CryptographicException("the key is not one on P-256");
        return key;
    }

    private static CertificateRequest Load(byte[] request)
    {
        try
        {
            return CertificateRequest.LoadSigningRequest(request, HashAlgorithmName.SHA256);
        }
        catch (Exception e) when (e is NotSupportedException or ArgumentException)
        {
            // A key or signature of a kind that the platform does not know: found by the fuzzer.
            throw new CryptographicException($"the request is of another kind: {e.Message}", e);
        }
    }
}
