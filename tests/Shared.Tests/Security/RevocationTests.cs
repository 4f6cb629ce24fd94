using Convoy.Shared.Security;

namespace Convoy.Shared.Tests.Security;

public sealed class RevocationTests : IDisposable // R26, PROD-01
{
    private static readonly NodeIdentity Stolen = new(ClusterRole.Worker, "w7");
    private readonly TestClock _clock = new();
    private readonly string _folder = Directory.CreateTempSubdirectory("convoy-revoked-").FullName;
    private readonly CredentialRoot _root;

    public RevocationTests()
    {
        _root = new CredentialRoot(_folder);
        _root.Init([], "ann", TimeSpan.FromDays(30), _clock.Now);
    }

    [Fact]
    public void What_was_issued_until_then_is_revoked_and_what_comes_later_counts()
    {
        var before = Issue(Stolen);
        var other = Issue(new NodeIdentity(ClusterRole.Worker, "w8"));
        _clock.Advance(TimeSpan.FromMinutes(1));
        var list = _root.Authority.Revoke(Stolen, _clock.Now);
        _clock.Advance(TimeSpan.FromSeconds(2));
        var after = Issue(Stolen);

        var refused = Verify(before, list);
        Assert.Equal(CertificateFault.Revoked, refused.Fault);
        Assert.Equal("the certificate of worker w7 was revoked on 2026-01-01 12:01 UTC: join anew with a token",
            refused.Text);
        Assert.Equal(CertificateFault.None, Verify(other, list).Fault);
        Assert.Equal(CertificateFault.None, Verify(after, list).Fault);
        // The same name in another role is another node.
        Assert.Equal(CertificateFault.None, Verify(Issue(new NodeIdentity(ClusterRole.Operator, "w7")), list).Fault);
    }

    [Fact]
    public void A_list_that_was_changed_or_signed_by_somebody_else_does_not_count()
    {
        var list = _root.Authority.Revoke(Stolen, _clock.Now);
        var trusted = _root.Authority.Trusted();
        Assert.Equal(1, RevocationList.TryRead(list.Text, trusted)!.Number);
        Assert.Null(RevocationList.TryRead(list.Text.Replace("w7", "w8", StringComparison.Ordinal), trusted));
        Assert.Null(RevocationList.TryRead(list.Text.Replace("revocations 1", "revocations 9",
            StringComparison.Ordinal), trusted));
        Assert.Null(RevocationList.TryRead("", trusted));
        Assert.Null(RevocationList.TryRead("signature AAAA", trusted));
        using var theirs = CertificateAuthority.Create(_clock.Now);
        Assert.Null(RevocationList.TryRead(list.SignedBy(theirs).Text, trusted));
    }

    [Fact]
    public void A_node_keeps_the_newest_list_that_it_can_verify()
    {
        var folder = _root.FolderOf(ClusterRole.Coordinator);
        var first = _root.Authority.Revoke(Stolen, _clock.Now);
        var second = _root.Authority.Revoke(new NodeIdentity(ClusterRole.Worker, "w9"), _clock.Now);
        Assert.True(CredentialFolder.TakeRevocations(folder, second.Text));
        Assert.False(CredentialFolder.TakeRevocations(folder, first.Text));
        Assert.False(CredentialFolder.TakeRevocations(folder, "garbage"));
        Assert.Equal(2, CredentialFolder.Load(folder).Revoked.Number);
    }

    [Fact]
    public void A_running_process_takes_a_new_list_up()
    {
        var source = new CredentialSource(_root.FolderOf(ClusterRole.Coordinator), ClusterRole.Coordinator, _clock);
        Assert.Equal(0, source.Current.Revoked.Number);
        _root.Authority.Revoke(Stolen, _clock.Now);
        _root.SpreadTrust();
        _clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(1, source.Current.Revoked.Number);
    }

    [Fact]
    public void A_new_authority_signs_the_list_anew()
    {
        _root.Authority.Revoke(Stolen, _clock.Now);
        _root.Authority.Begin(_clock.Now);
        _root.Authority.Switch();
        _root.Authority.Finish();
        Assert.Equal([Stolen], _root.Authority.Revoked().Nodes);
    }

    [Theory] // hours of a certificate's life that are over, hours to wait
    [InlineData(0, 12)]
    [InlineData(470, 10)]
    [InlineData(480, 0)]
    [InlineData(719, 0)]
    public void A_certificate_is_renewed_when_two_thirds_of_its_time_are_over(int over, int wait)
    {
        var credential = CredentialFolder.Load(_root.FolderOf(ClusterRole.Coordinator)); // 30 days
        Assert.Equal(wait, RenewalPlan.Wait(credential, _clock.Now + TimeSpan.FromHours(over)).TotalHours, 0.01);
    }

    [Theory]
    [InlineData(0, 3_600)]
    [InlineData(29.9, 864)]
    [InlineData(31, 1)]
    public void A_renewal_that_failed_is_tried_more_often_the_nearer_the_end_is(double daysOver, int seconds)
    {
        var credential = CredentialFolder.Load(_root.FolderOf(ClusterRole.Coordinator));
        Assert.Equal(seconds, RenewalPlan.Retry(credential, _clock.Now + TimeSpan.FromDays(daysOver)).TotalSeconds,
            1.0);
    }

    private NodeCredential Issue(NodeIdentity identity)
    {
        using var authority = _root.Authority.Open();
        return NodeCredential.FromPem(
            authority.IssueWithKey(identity, [], TimeSpan.FromDays(30), _clock.Now),
            NodeCredential.TrustPem(_root.Authority.Trusted()));
    }

    private CertificateVerdict Verify(NodeCredential credential, RevocationList list) =>
        CertificateCheck.Verify(credential.Certificate, credential.Trusted, _clock.Now, asServer: false, list);

    public void Dispose() => Directory.Delete(_folder, recursive: true);
}
