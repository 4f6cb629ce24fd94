// Certificates that count no longer although their time is not over, as one text that the authority has signed:
//
//     convoy revocations 3
//     worker w7 2026-11-21T10:00:00Z
//     signature <base64: ECDSA with SHA-256 over the lines above>
//
// A line takes back every certificate of that node that was issued until then: a machine that was invited anew has a
// later one. The number grows with each change, so that an old list never replaces a newer one.
using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;

namespace Convoy.Shared.Security;

/// <summary>Which certificates the authority has taken back. Immutable.</summary>
public sealed class RevocationList
{
    public const string FileName = "revoked.txt";
    /// <summary>Nodes in a list; further back goes only with a new authority (cert roll).</summary>
    public const int EntriesMax = 1_024;
    private const int TextBytesMax = 256 << 10;
    private const string Head = "convoy revocations ";
    private const string Foot = "signature ";
    private const string TimeFormat = "yyyy-MM-dd'T'HH:mm:ss'Z'";

    public static readonly RevocationList Empty = new(0, [], "");

    private readonly IReadOnlyList<(NodeIdentity Node, DateTimeOffset Until)> _entries;

    private RevocationList(long number,
        IReadOnlyList<(NodeIdentity Node, DateTimeOffset Until)> entries, string text) =>
        (Number, _entries, Text) = (number, entries, text);

    /// <summary>Grows with each change; 0: nothing was ever taken back.</summary>
    public long Number { get; }

    /// <summary>As it is stored and sent.</summary>
    public string Text { get; }

    public IEnumerable<NodeIdentity> Nodes => _entries.Select(e => e.Node);

    /// <summary>Until when certificates of this node were taken back; null: none, or this one came later.</summary>
    public DateTimeOffset? RevokedUntil(NodeIdentity node, DateTimeOffset issued)
    {
        foreach (var (known, until) in _entries)
            if (known == node && issued <= until) return until;
        return null;
    }

    /// <summary>The next list: this one and the node.</summary>
    /// <exception cref="UserException">The list is full.</exception>
    public RevocationList With(NodeIdentity node, DateTimeOffset now, CertificateAuthority authority)
    {
        var entries = _entries.Where(e => e.Node != node).Append((node, now)).ToList();
        return entries.Count <= EntriesMax ? Signed(Number + 1, entries, authority) : throw new UserException(
            ExitCode.Cluster,
            $"{EntriesMax} nodes are revoked, no more fit: replace the authority with convoy cert roll");
    }

    /// <summary>The same nodes under another authority's signature.</summary>
    public RevocationList SignedBy(CertificateAuthority authority) => Signed(Number + 1, _entries, authority);

    /// <summary>Null: it is damaged, or not signed by one of the authorities.</summary>
    public static RevocationList? TryRead(string text, IReadOnlyList<X509Certificate2> trusted)
    {
        if (text.Length > TextBytesMax
            || text.LastIndexOf("\n" + Foot, StringComparison.Ordinal) is not (> 0 and var foot)) return null;
        var body = text[..(foot + 1)];
        var signature = new byte[128];
        if (!Convert.TryFromBase64String(text[(foot + 1 + Foot.Length)..].Trim(), signature, out var length))
            return null;
        if (!trusted.Any(authority => Verifies(authority, body, signature.AsSpan(0, length)))) return null;
        var lines = body.TrimEnd('\n').Split('\n');
        if (!lines[0].StartsWith(Head, StringComparison.Ordinal) || lines.Length > EntriesMax + 1) return null;
        if (!long.TryParse(lines[0].AsSpan(Head.Length), NumberStyles.None, CultureInfo.InvariantCulture,
            out var number)) return null;
        var entries = new List<(NodeIdentity, DateTimeOffset)>();
        foreach (var line in lines.Skip(1))
        {
            if (line.Split(' ') is not [var role, var name, var until]) return null;
            if (RoleOf(role) is not { } known || NodeIdentity.NameFault(name) is not null) return null;
            if (!DateTimeOffset.TryParseExact(until, TimeFormat, CultureInfo.InvariantCulture,
                DateTimeStyles.AssumeUniversal, out var at)) return null;
            entries.Add((new NodeIdentity(known, name), at));
        }

        return new RevocationList(number, entries, text);
    }

    private static RevocationList Signed(
        long number, IReadOnlyList<(NodeIdentity Node, DateTimeOffset Until)> entries, CertificateAuthority authority)
    {
        var body = new StringBuilder(Head).Append(CultureInfo.InvariantCulture, $"{number}\n");
        foreach (var (node, until) in entries)
            body.Append(CultureInfo.InvariantCulture,
                $"{NodeIdentity.Word(node.Role)} {node.Name} {until.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture)}\n");
        var text = body.ToString();
        return new RevocationList(number, entries,
            $"{text}{Foot}{Convert.ToBase64String(authority.SignData(Encoding.UTF8.GetBytes(text)))}\n");
    }

    private static ClusterRole? RoleOf(string word)
    {
        foreach (var role in Enum.GetValues<ClusterRole>())
            if (NodeIdentity.Word(role) == word) return role;
        return null;
    }

    private static bool Verifies(X509Certificate2 authority, string body, ReadOnlySpan<byte> signature)
    {
        using var key = authority.GetECDsaPublicKey();
        return key is not null && key.VerifyData(Encoding.UTF8.GetBytes(body), signature, HashAlgorithmName.SHA256);
    }
}
