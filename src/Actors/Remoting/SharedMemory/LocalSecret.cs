using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Convoy.Actors.Remoting.SharedMemory;

/// <summary>
/// A random number that the acceptor tells the dialler inside the handshake, which TLS protects where there is TLS.
/// With it each side shows on the other road (the mapped file, the Unix socket) that it is the one who shook hands.
/// </summary>
internal sealed class LocalSecret
{
    public const int ProofBytes = HMACSHA256.HashSizeInBytes;
    private const int SecretBytes = 32;

    private readonly byte[] _secret;

    private LocalSecret(byte[] secret) => _secret = secret;

    public string Hex => Convert.ToHexStringLower(_secret);

    public static LocalSecret New() => new(RandomNumberGenerator.GetBytes(SecretBytes));

    /// <summary>Null: this is no secret.</summary>
    public static LocalSecret? Parse(string hex)
    {
        var secret = new byte[SecretBytes];
        var status = Convert.FromHexString(hex, secret, out _, out var written);
        return status == System.Buffers.OperationStatus.Done && written == SecretBytes ? new LocalSecret(secret) : null;
    }

    /// <summary>What only who knows the secret can say, different for the two sides and for each session.</summary>
    public byte[] Proof(bool ofAcceptor, RingKey key)
    {
        Span<byte> text = stackalloc byte[8 + 4 * sizeof(ulong)];
        Encoding.ASCII.GetBytes(ofAcceptor ? "acceptor" : "dialler ", text);
        ReadOnlySpan<ulong> fields = [key.Owner, key.Dialler, key.Link, key.Generation];
        for (var i = 0; i < fields.Length; i++)
            BinaryPrimitives.WriteUInt64LittleEndian(text[(8 + 8 * i)..], fields[i]);
        return HMACSHA256.HashData(_secret, text);
    }

    public bool IsProof(ReadOnlySpan<byte> said, bool ofAcceptor, RingKey key) =>
        CryptographicOperations.FixedTimeEquals(said, Proof(ofAcceptor, key));
}
