using System.Security.Cryptography;
using Convoy.Coordinator.Api;
using Convoy.Coordinator.Recovery;
using Convoy.Shared.Threading;
using Convoy.Shared;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Security;

namespace Convoy.Coordinator.Security;

/// <summary>
/// Makes join tokens and signs what comes with them: shell of <see cref="TokenLedger"/>. The authority's key is read
/// for each signature and not kept. Thread-safe; calls block on the journal.
/// </summary>
internal sealed class AdmissionDesk
{
    private const string Source = "admission";

    private readonly OrderedLock _lock = new("the admission of workers", LockRank.Service);
    private readonly TokenLedger _ledger;
    private readonly ControlJournal _journal;
    private readonly AuthorityFolder _authority;
    private readonly TimeProvider _time;
    private readonly ILogSink _log;

    public AdmissionDesk(ControlJournal journal, AuthorityFolder authority, TimeProvider time, ILogSink log)
    {
        (_journal, _authority, _time, _log) = (journal, authority, time, log);
        _ledger = journal.FoldTokens();
    }

    public TokenReply Create(TokenRequest request)
    {
        using var authority = _authority.Open();
        var now = _time.GetUtcNow();
        var life = TimeSpan.FromSeconds(request.TtlSeconds);
        var token = JoinToken.Create(NodeCredential.PinOf(authority.Certificate));
        var created = new TokenCreated(token.Id, token.SecretHash, request.Uses, default);
        using (_lock.Enter())
        {
            if (_ledger.IgnoreCreate(request.Uses, life, now) is { } fault)
                throw new UserException(ExitCode.Usage, fault);
            created = created with { Expires = now + life };
            _journal.Append(created);
            _ledger.Apply(created);
        }

        _log.Write(LogLevel.Info, Source,
            $"{token} made: {request.Uses} uses until {created.Expires.UtcDateTime:yyyy-MM-dd HH:mm} UTC");
        return new TokenReply { Token = token.ToText(), Id = token.Id, Uses = request.Uses, Expires = created.Expires };
    }

    /// <summary>What everybody here trusts: the answer to a stranger who knows only a token's pin.</summary>
    public TrustReply Trust() => new() { TrustPem = NodeCredential.TrustPem(_authority.Trusted()) };

    public CertificateReply Join(JoinRequest request)
    {
        if (NodeIdentity.NameFault(request.Name) is { } fault) throw Refused($"'{request.Name}': {fault}");
        var key = FingerprintOf(request.Request);
        using (_lock.Enter())
        {
            if (_ledger.IgnoreUse(request.TokenId, request.Secret, key, _time.GetUtcNow()) is { } reason)
                throw Refused(reason);
            if (!_ledger.IsRepeat(request.TokenId, key))
            {
                var used = new TokenUsed(request.TokenId, key, request.Name);
                _journal.Append(used);
                _ledger.Apply(used);
            }
        }

        return Sign(request.Request, new NodeIdentity(ClusterRole.Worker, request.Name),
            "joined with " + request.TokenId);
    }

    /// <summary>A new certificate for somebody who has a good one: the same identity, nothing else.</summary>
    public CertificateReply Renew(NodeIdentity identity, RenewRequest request)
    {
        FingerprintOf(request.Request);
        return Sign(request.Request, identity, "renewed");
    }

    private CertificateReply Sign(byte[] request, NodeIdentity identity, string why)
    {
        using var authority = _authority.Open();
        using var certificate = authority.Sign(request, identity, [], CertificateAuthority.NodeLife, _time.GetUtcNow());
        _log.Write(LogLevel.Info, Source, $"certificate {certificate.SerialNumber} for {identity}: {why}");
        return new CertificateReply
        {
            CertificatePem = certificate.ExportCertificatePem(),
            TrustPem = NodeCredential.TrustPem(_authority.Trusted()),
        };
    }

    private static string FingerprintOf(byte[] request)
    {
        try
        {
            return KeyRequest.FingerprintOf(request);
        }
        catch (CryptographicException malformed)
        {
            throw Refused($"the certificate request cannot be used: {malformed.Message}");
        }
    }

    private static UserException Refused(string text) => new(ExitCode.Cluster, text);
}
