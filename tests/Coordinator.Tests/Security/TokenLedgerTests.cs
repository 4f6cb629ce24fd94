using Convoy.Coordinator.Recovery;
using Convoy.Coordinator.Security;
using Convoy.Shared.Security;
using Convoy.Shared.Storage;

namespace Convoy.Coordinator.Tests.Security;

public sealed class TokenLedgerTests
{
    private static readonly DateTimeOffset Noon = new(2026, 1, 1, 12, 0, 0, TimeSpan.Zero);
    private readonly JoinToken _token = JoinToken.Create(new byte[32]);
    private readonly TokenLedger _ledger = new();

    [Fact] // TK-1
    public void A_token_admits_as_many_keys_as_it_has_uses()
    {
        Make(uses: 2);
        Use("key a");
        Use("key a"); // the answer was lost: the same machine asks again
        Use("key b");
        Assert.Equal($"token {_token.Id} is used up (2 of 2 uses)", Ignore("key c"));
        Assert.Null(Ignore("key b"));
    }

    [Fact] // TK-2
    public void An_expired_token_admits_nobody()
    {
        Make(uses: 2);
        Use("key a");
        Assert.Null(Ignore("key a", after: TimeSpan.FromMinutes(59)));
        Assert.Equal($"token {_token.Id} expired on 2026-01-01 13:00 UTC",
            Ignore("key a", after: TimeSpan.FromHours(1)));
    }

    [Fact]
    public void A_wrong_secret_and_a_wrong_id_say_the_same()
    {
        Make(uses: 1);
        var other = JoinToken.Create(new byte[32]);
        var wrongSecret = _ledger.IgnoreUse(_token.Id, other.Secret, "key", Noon);
        Assert.Equal("this cluster knows no such token", wrongSecret);
        Assert.Equal(wrongSecret, _ledger.IgnoreUse(other.Id, _token.Secret, "key", Noon));
        Assert.Equal(wrongSecret, _ledger.IgnoreUse("", "", "key", Noon));
    }

    [Theory]
    [InlineData(0, 3_600)]
    [InlineData(10_001, 3_600)]
    [InlineData(1, 0)]
    [InlineData(1, 1e9)]
    public void Tokens_have_bounds(int uses, double seconds) =>
        Assert.NotNull(_ledger.IgnoreCreate(uses, TimeSpan.FromSeconds(seconds), Noon));

    [Fact]
    public void Expired_tokens_make_room()
    {
        for (var i = 0; i < TokenLedger.TokensMax; i++)
            _ledger.Apply(new TokenCreated($"{i}", "00", 1, Noon + TimeSpan.FromHours(i % 2 + 1)));
        Assert.NotNull(_ledger.IgnoreCreate(1, TimeSpan.FromHours(1), Noon));
        Assert.Null(_ledger.IgnoreCreate(1, TimeSpan.FromHours(1), Noon + TimeSpan.FromMinutes(90)));
        Assert.Equal(TokenLedger.TokensMax / 2, _ledger.Count);
    }

    [Fact] // TK-1, TK-3: a restart forgets neither uses nor, of course, learns the secret
    public void Uses_are_counted_across_restarts()
    {
        var journal = new MemoryJournal(TimeProvider.System);
        ControlJournal Lead() => new(journal, journal.TryAcquire("test", TimeSpan.FromSeconds(3), _ => true).Lease!);
        var first = Lead();
        first.Append(new TokenCreated(_token.Id, _token.SecretHash, 1, Noon + TimeSpan.FromHours(1)));
        first.Append(new TokenUsed(_token.Id, "key a", "w0"));
        Assert.All(journal.Read("tokens"), e => Assert.DoesNotContain(_token.Secret, e.Json, StringComparison.Ordinal));

        var again = Lead().FoldTokens();
        Assert.Null(again.IgnoreUse(_token.Id, _token.Secret, "key a", Noon));
        Assert.Contains("used up", again.IgnoreUse(_token.Id, _token.Secret, "key b", Noon), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET", "/healthz", null, true)]
    [InlineData("POST", "/api/join", null, true)]
    [InlineData("GET", "/api/status", null, false)]
    [InlineData("GET", "/api/status", ClusterRole.Operator, true)]
    [InlineData("GET", "/api/status", ClusterRole.Worker, false)]
    [InlineData("POST", "/api/jobs", ClusterRole.Worker, false)]
    [InlineData("POST", "/api/tokens", ClusterRole.Worker, false)]
    [InlineData("POST", "/api/renew", ClusterRole.Worker, true)]
    [InlineData("POST", "/api/renew", null, false)]
    [InlineData("GET", "/api/something/new", ClusterRole.Worker, false)]
    [InlineData("GET", "/api/something/new", null, false)]
    public void What_no_rule_names_is_an_operators(string method, string path, ClusterRole? role, bool allowed)
    {
        var peer = role is { } r ? new CertificateVerdict(CertificateFault.None, new NodeIdentity(r, "x"), "")
            : CertificateVerdict.Missing;
        Assert.Equal(allowed, AccessRules.Refusal(method, path, peer) is null);
    }

    private void Make(int uses)
    {
        Assert.Null(_ledger.IgnoreCreate(uses, TimeSpan.FromHours(1), Noon));
        _ledger.Apply(new TokenCreated(_token.Id, _token.SecretHash, uses, Noon + TimeSpan.FromHours(1)));
    }

    private void Use(string key)
    {
        Assert.Null(Ignore(key));
        if (!_ledger.IsRepeat(_token.Id, key)) _ledger.Apply(new TokenUsed(_token.Id, key, "w0"));
    }

    private string? Ignore(string key, TimeSpan after = default) =>
        _ledger.IgnoreUse(_token.Id, _token.Secret, key, Noon + after);
}
