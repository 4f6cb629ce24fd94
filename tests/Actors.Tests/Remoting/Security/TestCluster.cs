using Convoy.Actors.Remoting;
using Convoy.Actors.Remoting.Security;
using Convoy.Shared.Security;

namespace Convoy.Actors.Tests.Remoting.Security;

/// <summary>An authority and nodes with certificates of it.</summary>
internal sealed class TestCluster : IDisposable
{
    private static readonly TimeSpan Life = TimeSpan.FromDays(1);

    public CertificateAuthority Authority { get; } = CertificateAuthority.Create(TimeProvider.System.GetUtcNow());

    public NodeCredential Credential(ClusterRole role, string name, TimeSpan? age = null) =>
        NodeCredential.FromPem(PemOf(role, name, age ?? TimeSpan.Zero),
            NodeCredential.TrustPem([Authority.Certificate]));

    public string PemOf(ClusterRole role, string name, TimeSpan age) =>
        Authority.IssueWithKey(new NodeIdentity(role, name), [], Life, TimeProvider.System.GetUtcNow() - age);

    public LinkSecurity Security(ClusterRole role, string name, TimeSpan? age = null) => new()
    {
        Credentials = new CredentialSource(Credential(role, name, age), TimeProvider.System),
    };

    public static Func<RemotingOptions, RemotingOptions> With(LinkSecurity security) =>
        o => o with { Security = security };

    /// <summary>
    /// Without <paramref name="roads"/> all bytes go over TLS, also between processes of one machine.
    /// </summary>
    public Task<Node> StartAsync(
        string name, ClusterRole role = ClusterRole.Worker, TimeSpan? age = null, bool roads = true,
        string? folder = null) =>
        Node.StartAsync(name, o => o with
        {
            Security = Security(role, name, age),
            SharedMemory = roads,
            UnixSockets = roads,
            SharedMemoryFolder = folder ?? o.SharedMemoryFolder,
        });

    public void Dispose() => Authority.Dispose();
}
