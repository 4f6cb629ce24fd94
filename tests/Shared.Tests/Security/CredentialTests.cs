using Convoy.Shared.Security;

namespace Convoy.Shared.Tests.Security;

public sealed class CredentialTests : IDisposable
{
    private const UnixFileMode OwnerFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private static readonly TimeSpan Day = TimeSpan.FromDays(1);

    private readonly TestFolder _folder = new();
    private readonly TestClock _clock = new();
    private readonly CredentialRoot _root;

    public CredentialTests()
    {
        _root = new CredentialRoot(Path.Combine(_folder.Path, "credentials"));
        _root.Init(["host.example"], "ann", 30 * Day, _clock.Now);
    }

    [Fact]
    public void Init_makes_two_credentials_that_believe_each_other()
    {
        var coordinator = CredentialFolder.LoadFor(ClusterRole.Coordinator,
            _root.FolderOf(ClusterRole.Coordinator), _clock.Now);
        var person = CredentialFolder.LoadFor(ClusterRole.Operator, _root.FolderOf(ClusterRole.Operator), _clock.Now);
        Assert.Equal("operator ann", person.Identity.ToString());
        Assert.Equal(CertificateFault.None,
            CertificateCheck.Verify(person.Certificate, coordinator.Trusted, _clock.Now, asServer: false).Fault);
        Assert.Equal(CertificateFault.None,
            CertificateCheck.Verify(coordinator.Certificate, person.Trusted, _clock.Now, asServer: true).Fault);
        Assert.Contains("host.example", CertificateNames.HostsOf(coordinator.Certificate));
    }

    [Fact]
    public void Init_never_overwrites()
    {
        var before = File.ReadAllText(Path.Combine(_root.FolderOf(ClusterRole.Operator), "node.pem"));
        Directory.Delete(_root.Authority.FolderPath, recursive: true);
        var refused = Assert.Throws<UserException>(() => _root.Init([], "bob", Day, _clock.Now));
        Assert.Equal(ExitCode.Usage, refused.Code);
        Assert.Equal(before, File.ReadAllText(Path.Combine(_root.FolderOf(ClusterRole.Operator), "node.pem")));
        Assert.False(_root.Authority.Exists);
    }

    [Fact]
    public void Keys_are_for_their_owner_alone()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "modes are of Unix; Windows has an access list");
        foreach (var file in Directory.EnumerateFiles(_root.FolderPath, "*.pem", SearchOption.AllDirectories))
            Assert.Equal(OwnerFile, ModeOf(file));
        foreach (var folder in Directory.EnumerateDirectories(_root.FolderPath).Append(_root.FolderPath))
            Assert.Equal(OwnerFile | UnixFileMode.UserExecute, ModeOf(folder));
    }

    [Fact]
    public void A_key_that_others_can_read_is_not_used()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "modes are of Unix");
        var folder = _root.FolderOf(ClusterRole.Operator);
        Open(Path.Combine(folder, "node.pem"));
        var refused = Assert.Throws<UserException>(() => CredentialFolder.Load(folder));
        Assert.Contains("can be read by others", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_running_process_takes_a_renewed_certificate()
    {
        var notes = new List<string>();
        var source = new CredentialSource(_root.FolderOf(ClusterRole.Coordinator), ClusterRole.Coordinator,
            _clock, notes.Add);
        var first = source.Current;
        _clock.Advance(20 * Day);
        _root.RenewLocal(30 * Day, _clock.Now);
        TouchLater();
        var second = source.Current;
        Assert.NotEqual(first.Certificate.SerialNumber, second.Certificate.SerialNumber);
        Assert.Contains("expires on 2026-02-20", Assert.Single(notes), StringComparison.Ordinal);
        Assert.Contains("host.example", CertificateNames.HostsOf(second.Certificate));
    }

    [Fact]
    public void A_renewal_that_cannot_be_used_leaves_the_old_one()
    {
        var notes = new List<string>();
        var folder = _root.FolderOf(ClusterRole.Coordinator);
        var source = new CredentialSource(folder, ClusterRole.Coordinator, _clock, notes.Add);
        var first = source.Current;
        PrivateFile.Replace(Path.Combine(folder, "node.pem"), "half a fi");
        TouchLater();
        _clock.Advance(TimeSpan.FromSeconds(2));
        Assert.Same(first, source.Current);
        Assert.Contains("is not used", Assert.Single(notes), StringComparison.Ordinal);
        Assert.DoesNotContain("half a fi", notes[0], StringComparison.Ordinal);
    }

    [Fact]
    public void Wrong_role_expired_and_missing_are_one_line_each()
    {
        var folder = _root.FolderOf(ClusterRole.Operator);
        Assert.Contains("may not act as worker",
            Assert.Throws<UserException>(() =>
                CredentialFolder.LoadFor(ClusterRole.Worker, folder, _clock.Now)).Message,
            StringComparison.Ordinal);
        Assert.Contains("expired on 2026-01-31",
            Assert.Throws<UserException>(() =>
                CredentialFolder.LoadFor(ClusterRole.Operator, folder, _clock.Now + 31 * Day)).Message,
            StringComparison.Ordinal);
        Assert.Contains("convoy init", Assert.Throws<UserException>(() => CredentialFolder.Load(_folder.Path)).Message,
            StringComparison.Ordinal);
    }

    [Fact] // two authorities for a while: at no moment does anybody refuse anybody
    public void An_authority_is_followed_by_another()
    {
        var old = Load(ClusterRole.Operator);
        _root.Authority.Begin(_clock.Now);
        _root.SpreadTrust();
        AssertEachBelieves(Load(ClusterRole.Coordinator), old);
        Assert.Equal(2, Load(ClusterRole.Coordinator).Trusted.Count);
        Assert.Throws<UserException>(() => _root.Authority.Begin(_clock.Now));
        Assert.Throws<UserException>(() => _root.Authority.Finish());

        var told = Load(ClusterRole.Operator);
        _root.Authority.Switch();
        _root.RenewLocal(30 * Day, _clock.Now);
        AssertEachBelieves(Load(ClusterRole.Coordinator), told);
        AssertEachBelieves(Load(ClusterRole.Coordinator), Load(ClusterRole.Operator));

        _root.Authority.Finish();
        _root.SpreadTrust();
        Assert.Single(Load(ClusterRole.Coordinator).Trusted);
        AssertEachBelieves(Load(ClusterRole.Coordinator), Load(ClusterRole.Operator));
        Assert.Equal(CertificateFault.WrongAuthority,
            CertificateCheck.Verify(old.Certificate, Load(ClusterRole.Coordinator).Trusted, _clock.Now, false).Fault);
    }

    [Fact]
    public void A_pending_key_is_asked_with_again()
    {
        var folder = _root.FolderOfWorker("w0");
        using var first = CredentialFolder.PendingKey(folder);
        using var second = CredentialFolder.PendingKey(folder);
        Assert.Equal(first.KeyPem, second.KeyPem);
        File.WriteAllText(Path.Combine(folder, CredentialFolder.PendingKeyFile), "-----BEGIN PRI");
        using var third = CredentialFolder.PendingKey(folder);
        Assert.NotEqual(first.KeyPem, third.KeyPem);
    }

    [Fact]
    public void A_copied_folder_is_a_credential_by_itself()
    {
        var copy = new CredentialRoot(_root.FolderOf(ClusterRole.Operator));
        Assert.Equal(copy.FolderPath, copy.FolderOf(ClusterRole.Operator));
        Assert.Equal(copy.FolderPath, Assert.Single(copy.Folders()));
    }

    private NodeCredential Load(ClusterRole role) => CredentialFolder.LoadFor(role, _root.FolderOf(role), _clock.Now);

    private void AssertEachBelieves(NodeCredential server, NodeCredential client)
    {
        Assert.Equal(CertificateFault.None,
            CertificateCheck.Verify(client.Certificate, server.Trusted, _clock.Now, asServer: false).Fault);
        Assert.Equal(CertificateFault.None,
            CertificateCheck.Verify(server.Certificate, client.Trusted, _clock.Now, asServer: true).Fault);
    }

    // Two writes may fall into one tick of the disk's clock; a renewal by hand never does.
    private void TouchLater() => File.SetLastWriteTimeUtc(
        Path.Combine(_root.FolderOf(ClusterRole.Coordinator), "node.pem"),
        new DateTime(2030, 1, 1, 0, 0, 0, DateTimeKind.Utc));

    private static UnixFileMode ModeOf(string path) =>
        OperatingSystem.IsWindows() ? default : File.GetUnixFileMode(path);

    private static void Open(string path)
    {
        if (!OperatingSystem.IsWindows())
            File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead);
    }

    public void Dispose() => _folder.Dispose();
}
