using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Convoy.Shared.Security;

/// <summary>Why a certificate was not believed. Logs count by these, so they are few.</summary>
public enum CertificateFault
{
    None,
    /// <summary>The other side showed none.</summary>
    Missing,
    /// <summary>Signed by somebody whom this cluster does not trust.</summary>
    WrongAuthority,
    Expired,
    NotYetValid,
    /// <summary>Names no node of a cluster, or is not made for this use.</summary>
    NotANode,
    /// <summary>The authority has taken it back.</summary>
    Revoked,
    /// <summary>Good, but of a role that may not do this.</summary>
    WrongRole,
    /// <summary>Good, but the node calls itself by another name.</summary>
    WrongName,
}

/// <summary>What became of checking a certificate.</summary>
/// <param name="Fault">None: the identity is proved.</param>
/// <param name="Identity">Who it is; not null when there is no fault.</param>
/// <param name="Text">For people: what is wrong; empty when nothing is. Never holds key material.</param>
public sealed record CertificateVerdict(CertificateFault Fault, NodeIdentity? Identity, string Text)
{
    public static readonly CertificateVerdict Missing = new(CertificateFault.Missing, null, "no certificate was shown");

    /// <summary>This verdict, or the fault that the role may not do this.</summary>
    public CertificateVerdict For(params ReadOnlySpan<ClusterRole> roles)
    {
        if (Fault != CertificateFault.None || roles.Contains(Identity!.Role)) return this;
        return new(CertificateFault.WrongRole, Identity,
            $"the certificate of {Identity} may not act as {Words(roles)}");
    }

    private static string Words(ReadOnlySpan<ClusterRole> roles)
    {
        var words = new List<string>();
        foreach (var role in roles) words.Add(NodeIdentity.Word(role));
        return string.Join(" or ", words);
    }
}

/// <summary>
/// Checks certificates against the authorities that a node trusts, at a given time; nothing is downloaded.
/// </summary>
public static class CertificateCheck
{
    private static readonly Oid ServerUse = new("1.3.6.1.5.5.7.3.1");
    private static readonly Oid ClientUse = new("1.3.6.1.5.5.7.3.2");

    /// <param name="certificate">What the other side showed; null: nothing.</param>
    /// <param name="trusted">Certificates of authorities; two of them while one follows the other.</param>
    /// <param name="now">The time to judge by.</param>
    /// <param name="asServer">The other side was dialled; otherwise it dialled.</param>
    /// <param name="revoked">What the authorities have taken back; null: nothing.</param>
    public static CertificateVerdict Verify(
        X509Certificate2? certificate, IReadOnlyList<X509Certificate2> trusted, DateTimeOffset now, bool asServer,
        RevocationList? revoked = null)
    {
        if (certificate is null) return CertificateVerdict.Missing;
        // The dates first: a chain tells only that some date in it is wrong.
        if (now > certificate.NotAfter)
            return new(CertificateFault.Expired, null, $"the certificate expired on {Utc(certificate.NotAfter)}");
        if (now < certificate.NotBefore)
            return new(CertificateFault.NotYetValid, null,
                $"the certificate is valid from {Utc(certificate.NotBefore)}: do the clocks agree?");
        using var chain = new X509Chain { ChainPolicy = Policy(trusted, now, asServer) };
        var good = chain.Build(certificate);
        var flags = chain.ChainStatus.Aggregate(X509ChainStatusFlags.NoError, (all, s) => all | s.Status);
        foreach (var element in chain.ChainElements) element.Certificate.Dispose();
        if (!good) return Bad(flags, certificate);
        if (CertificateNames.Read(certificate) is not { } identity)
            return new(CertificateFault.NotANode, null, "the certificate names no node of a cluster");
        return revoked?.RevokedUntil(identity, NodeCredential.IssuedAt(certificate)) is { } until
            ? new(CertificateFault.Revoked, null,
                $"the certificate of {identity} was revoked on {Utc(until.UtcDateTime)}: join anew with a token")
            : new(CertificateFault.None, identity, "");
    }

    /// <summary>How chains are built, here and inside TLS.</summary>
    public static X509ChainPolicy Policy(IReadOnlyList<X509Certificate2> trusted, DateTimeOffset now, bool asServer)
    {
        var policy = new X509ChainPolicy
        {
            TrustMode = X509ChainTrustMode.CustomRootTrust,
            RevocationMode = X509RevocationMode.NoCheck,
            // A stranger's certificate must not make this process fetch what it names.
            DisableCertificateDownloads = true,
            VerificationTimeIgnored = false,
            VerificationTime = now.UtcDateTime,
        };
        foreach (var authority in trusted) policy.CustomTrustStore.Add(authority);
        policy.ApplicationPolicy.Add(asServer ? ServerUse : ClientUse);
        return policy;
    }

    private static CertificateVerdict Bad(X509ChainStatusFlags flags, X509Certificate2 certificate)
    {
        const X509ChainStatusFlags Untrusted = X509ChainStatusFlags.UntrustedRoot | X509ChainStatusFlags.PartialChain
            | X509ChainStatusFlags.NotSignatureValid;
        if ((flags & Untrusted) != 0)
            return new(CertificateFault.WrongAuthority, null,
                $"the certificate was signed by '{Short(certificate.IssuerName)}', which this cluster does not trust");
        return (flags & X509ChainStatusFlags.NotTimeValid) != 0
            ? new(CertificateFault.Expired, null, "the authority that signed the certificate has expired")
            : new(CertificateFault.NotANode, null, $"the certificate is not made for this use ({flags})");
    }

    private static string Short(X500DistinguishedName name)
    {
        var text = name.Name;
        return text.Length <= 64 ? text : text[..64];
    }

    private static string Utc(DateTime local) =>
        local.ToUniversalTime().ToString("yyyy-MM-dd HH:mm 'UTC'", CultureInfo.InvariantCulture);
}
