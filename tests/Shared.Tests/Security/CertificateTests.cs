using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Convoy.Shared.Security;

namespace Convoy.Shared.Tests.Security;

public sealed class CertificateTests : IDisposable
{
    private readonly TestClock _clock = new();
    private readonly CertificateAuthority _ours;
    private readonly CertificateAuthority _theirs;
    private static readonly NodeIdentity Worker = new(ClusterRole.Worker, "w0");
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    public CertificateTests()
    {
        _ours = CertificateAuthority.Create(_clock.Now);
        _theirs = CertificateAuthority.Create(_clock.Now);
    }

    [Theory]
    [InlineData(ClusterRole.Coordinator)]
    [InlineData(ClusterRole.Worker)]
    [InlineData(ClusterRole.Operator)]
    public void A_certificate_names_its_node_and_role(ClusterRole role)
    {
        var identity = new NodeIdentity(role, "node-1.rack_2");
        using var signed = Signed(_ours, identity);
        var verdict = Verify(signed, _ours);
        Assert.Equal((CertificateFault.None, identity), (verdict.Fault, verdict.Identity));
    }

    [Fact]
    public void What_does_not_count_is_refused_by_name()
    {
        using var good = Signed(_ours, Worker);
        Assert.Equal(CertificateFault.WrongAuthority, Verify(good, _theirs).Fault);
        Assert.Equal(CertificateFault.Missing, Verify(null, _ours).Fault);
        _clock.Advance(Day + TimeSpan.FromSeconds(1));
        var expired = Verify(good, _ours);
        Assert.Equal(CertificateFault.Expired, expired.Fault);
        Assert.Contains("2026-01-02", expired.Text, StringComparison.Ordinal);
        _clock.Advance(-Day - TimeSpan.FromHours(1));
        Assert.Equal(CertificateFault.NotYetValid, Verify(good, _ours).Fault);
    }

    [Fact]
    public void An_operator_cannot_stand_as_a_server()
    {
        using var signed = Signed(_ours, new NodeIdentity(ClusterRole.Operator, "ann"));
        Assert.Equal(CertificateFault.None, Verify(signed, _ours).Fault);
        Assert.Equal(CertificateFault.NotANode, Verify(signed, _ours, asServer: true).Fault);
    }

    [Fact]
    public void A_role_may_do_only_what_it_is_for()
    {
        using var signed = Signed(_ours, Worker);
        var verdict = Verify(signed, _ours);
        Assert.Same(verdict, verdict.For(ClusterRole.Worker, ClusterRole.Operator));
        var refused = verdict.For(ClusterRole.Coordinator);
        Assert.Equal(CertificateFault.WrongRole, refused.Fault);
        Assert.Equal("the certificate of worker w0 may not act as coordinator", refused.Text);
    }

    [Fact] // path length 0: a node's key signs nothing that anybody believes
    public void A_node_cannot_sign_another_node()
    {
        var pem = _ours.IssueWithKey(Worker, [], Day, _clock.Now);
        using var signer = X509Certificate2.CreateFromPem(pem, pem);
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=evil", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(CertificateNames.Write(new NodeIdentity(ClusterRole.Coordinator, "evil"),
            []));
        using var signerKey = signer.GetECDsaPrivateKey()!;
        using var evil = request.Create(signer.SubjectName, X509SignatureGenerator.CreateForECDsa(signerKey),
            _clock.Now - TimeSpan.FromMinutes(1), _clock.Now + TimeSpan.FromHours(1), [1, 2, 3]);
        Assert.Equal(CertificateFault.WrongAuthority, Verify(evil, _ours, asServer: true).Fault);
    }

    [Fact] // what a request asks for is not looked at: the signer decides
    public void A_request_gets_the_identity_of_the_signer()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var greedy = new CertificateRequest("CN=coordinator", key, HashAlgorithmName.SHA256);
        greedy.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        greedy.CertificateExtensions.Add(CertificateNames.Write(new NodeIdentity(ClusterRole.Coordinator, "me"), []));
        using var signed = _ours.Sign(greedy.CreateSigningRequest(), Worker, [], Day, _clock.Now);
        Assert.Equal(Worker, Verify(signed, _ours).Identity);
        Assert.False(signed.Extensions.OfType<X509BasicConstraintsExtension>().Single().CertificateAuthority);
    }

    [Fact]
    public void Requests_that_prove_nothing_are_refused()
    {
        using var own = KeyRequest.Create();
        var good = own.Encode("w0");
        using (var signed = _ours.Sign(good, Worker, [], Day, _clock.Now)) Assert.Equal("CN=w0", signed.Subject);
        Assert.Equal(KeyRequest.FingerprintOf(good), KeyRequest.FingerprintOf(own.Encode("w1")));
        var forged = (byte[])good.Clone();
        forged[^4] ^= 1; // in the signature
        Assert.ThrowsAny<CryptographicException>(() => _ours.Sign(forged, Worker, [], Day, _clock.Now));
        Assert.ThrowsAny<CryptographicException>(() =>
            _ours.Sign([.. good, .. new byte[KeyRequest.BytesMax]], Worker, [], Day, _clock.Now));
        using var weak = RSA.Create(2048);
        var other = new CertificateRequest("CN=w0", weak, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSigningRequest();
        Assert.ThrowsAny<CryptographicException>(() => _ours.Sign(other, Worker, [], Day, _clock.Now));
        using var curve = ECDsa.Create(ECCurve.NamedCurves.nistP384);
        var p384 = new CertificateRequest("CN=w0", curve, HashAlgorithmName.SHA256).CreateSigningRequest();
        Assert.ThrowsAny<CryptographicException>(() => _ours.Sign(p384, Worker, [], Day, _clock.Now));
    }

    [Fact]
    public void Two_identities_in_one_certificate_are_none()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=both", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddUri(new Uri("convoy://node/worker/w0"));
        names.AddUri(new Uri("convoy://node/coordinator/c"));
        request.CertificateExtensions.Add(names.Build());
        using var both = request.CreateSelfSigned(_clock.Now - Day, _clock.Now + Day);
        Assert.Null(CertificateNames.Read(both));
    }

    [Theory]
    [InlineData("")]
    [InlineData("a/b")]
    [InlineData("..")]
    [InlineData("zwei worte")]
    [InlineData("w\n0")]
    public void Names_that_could_be_something_else_are_refused(string name) =>
        Assert.NotNull(NodeIdentity.NameFault(name));

    [Theory]
    [InlineData("convoy://node/worker/")]
    [InlineData("convoy://node/king/w0")]
    [InlineData("convoy://node/worker/w0/x")]
    [InlineData("http://node/worker/w0")]
    public void Other_names_are_nobody(string uri) => Assert.False(NodeIdentity.TryParseUri(uri, out _));

    [Fact]
    public void A_node_lives_no_longer_than_its_authority()
    {
        using var key = KeyRequest.Create();
        using var signed = _ours.Sign(key.Encode("w0"), Worker, [],
            CertificateAuthority.AuthorityLife + Day, _clock.Now);
        Assert.Equal(_ours.Certificate.NotAfter, signed.NotAfter);
    }

    private X509Certificate2 Signed(CertificateAuthority by, NodeIdentity identity)
    {
        using var key = KeyRequest.Create();
        return by.Sign(key.Encode("whoever"), identity, [], Day, _clock.Now);
    }

    private CertificateVerdict Verify(X509Certificate2? certificate, CertificateAuthority trusted,
        bool asServer = false) =>
        CertificateCheck.Verify(certificate, [trusted.Certificate], _clock.Now, asServer);

    public void Dispose()
    {
        _ours.Dispose();
        _theirs.Dispose();
    }
}
