using System.Buffers.Text;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;

namespace Convoy.Shared.Security;

/// <summary>
/// What a fresh machine is given to join: a secret that the coordinator knows the hash of, and the hash of the
/// authority's certificate, so that the machine knows whom it talks to before it says the secret. As text
/// <c>cvy1_...</c>: base64url of id (8 bytes), secret (24), pin (32), and the first 4 bytes of SHA-256 of these,
/// against typing errors.
/// </summary>
public sealed class JoinToken
{
    private const string Prefix = "cvy1_";
    private const int IdBytes = 8;
    private const int SecretBytes = 24;
    private const int PinBytes = 32;
    private const int CheckBytes = 4;
    private const int BodyBytes = IdBytes + SecretBytes + PinBytes;

    private readonly byte[] _body;

    private JoinToken(byte[] body) => _body = body;

    /// <summary>Names the token in journals, logs and lists; not secret.</summary>
    public string Id => Convert.ToHexStringLower(_body.AsSpan(0, IdBytes));

    public string Secret => Convert.ToHexStringLower(_body.AsSpan(IdBytes, SecretBytes));

    /// <summary>SHA-256 of the secret: what the coordinator keeps.</summary>
    public string SecretHash => HashOf(Secret);

    public static JoinToken Create(byte[] authorityPin)
    {
        if (authorityPin.Length != PinBytes)
            throw new ArgumentException($"a pin has {PinBytes} bytes", nameof(authorityPin));
        return new JoinToken([.. RandomNumberGenerator.GetBytes(IdBytes + SecretBytes), .. authorityPin]);
    }

    public bool Pins(byte[] authorityPin) => _body.AsSpan(IdBytes + SecretBytes).SequenceEqual(authorityPin);

    public static bool TryParse(string text, [NotNullWhen(true)] out JoinToken? token)
    {
        token = null;
        text = text.Trim();
        if (!text.StartsWith(Prefix, StringComparison.Ordinal) || text.Length > 2 * (BodyBytes + CheckBytes))
            return false;
        if (!Base64Url.IsValid(text.AsSpan(Prefix.Length))) return false;
        var bytes = Base64Url.DecodeFromChars(text.AsSpan(Prefix.Length));
        if (bytes.Length != BodyBytes + CheckBytes) return false;
        var body = bytes[..BodyBytes];
        if (!CheckOf(body).SequenceEqual(bytes.AsSpan(BodyBytes))) return false;
        token = new JoinToken(body);
        return true;
    }

    /// <summary>The whole token with its secret: for its receiver's eyes, never for a log.</summary>
    public string ToText() => Prefix + Base64Url.EncodeToString([.. _body, .. CheckOf(_body)]);

    public override string ToString() => $"token {Id}";

    public static string HashOf(string secret) =>
        Convert.ToHexStringLower(SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(secret)));

    private static byte[] CheckOf(byte[] body) => SHA256.HashData(body)[..CheckBytes];
}
