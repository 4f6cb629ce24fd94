using System.Net.Security;
using System.Runtime.CompilerServices;
using System.Security.Authentication;
using System.Security.Cryptography.X509Certificates;

namespace Convoy.Shared.Security;

/// <summary>
/// How every TLS connection of the cluster is made: version 1.3 and nothing older, both sides show certificates, no
/// session is resumed (so a certificate counts no longer than its time), no host name is compared: a certificate names
/// a role and a node, and these are checked. The check never fails inside TLS; its verdict is asked for afterwards, so
/// that a refused peer can be told why.
/// </summary>
public static class TlsProfile
{
    /// <summary>The application protocol of lanes; everything else is HTTP.</summary>
    public static readonly SslApplicationProtocol Lanes = new("convoy/1");

    private static readonly ConditionalWeakTable<NodeCredential, SslStreamCertificateContext> Contexts = [];

    public static SslServerAuthenticationOptions ForServer(
        NodeCredential credential, DateTimeOffset now, out VerdictHolder verdict)
    {
        var holder = verdict = new VerdictHolder(credential.Trusted, now, asServer: false, credential.Revoked);
        return new SslServerAuthenticationOptions
        {
            EnabledSslProtocols = SslProtocols.Tls13,
            ServerCertificateContext = ContextOf(credential),
            // Asked for, not enforced: a machine that joins has none yet. Without one only the join is answered.
            ClientCertificateRequired = true,
            RemoteCertificateValidationCallback = holder.Take,
            CertificateChainPolicy = CertificateCheck.Policy(credential.Trusted, now, asServer: false),
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            ApplicationProtocols = [Lanes, SslApplicationProtocol.Http11],
            AllowRenegotiation = false,
            AllowTlsResume = false,
            EncryptionPolicy = EncryptionPolicy.RequireEncryption,
        };
    }

    /// <param name="me">Who dials; null: a stranger without a certificate.</param>
    /// <param name="trusted">Authorities that the other side's certificate may be signed by.</param>
    /// <param name="protocol">Lanes or HTTP.</param>
    /// <param name="now">The time to judge by.</param>
    /// <param name="verdict">What became of the other side's certificate; asked for once the handshake is over.</param>
    public static SslClientAuthenticationOptions ForClient(
        NodeCredential? me, IReadOnlyList<X509Certificate2> trusted, SslApplicationProtocol protocol,
        DateTimeOffset now,
        out VerdictHolder verdict)
    {
        var holder = verdict = new VerdictHolder(trusted, now, asServer: true, me?.Revoked);
        return new SslClientAuthenticationOptions
        {
            EnabledSslProtocols = SslProtocols.Tls13,
            TargetHost = "convoy",
            ClientCertificateContext = me is null ? null : ContextOf(me),
            RemoteCertificateValidationCallback = holder.Take,
            CertificateChainPolicy = CertificateCheck.Policy(trusted, now, asServer: true),
            CertificateRevocationCheckMode = X509RevocationMode.NoCheck,
            ApplicationProtocols = [protocol],
            AllowRenegotiation = false,
            AllowTlsResume = false,
            EncryptionPolicy = EncryptionPolicy.RequireEncryption,
        };
    }

    private static SslStreamCertificateContext ContextOf(NodeCredential credential) =>
        Contexts.GetValue(credential, static c =>
            SslStreamCertificateContext.Create(c.Certificate, additionalCertificates: null, offline: true));
}

/// <summary>Keeps what one handshake found out about the other side.</summary>
public sealed class VerdictHolder(
    IReadOnlyList<X509Certificate2> trusted, DateTimeOffset now, bool asServer, RevocationList? revoked = null)
{
    /// <summary>Until the other side has shown something: that it has shown nothing.</summary>
    public CertificateVerdict Verdict { get; private set; } = CertificateVerdict.Missing;

    internal bool Take(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        Verdict = CertificateCheck.Verify(certificate as X509Certificate2, trusted, now, asServer, revoked);
        return true;
    }
}
