using Convoy.Shared.Threading;

namespace Convoy.Shared.Security;

/// <summary>
/// The credential of a running process. It looks at its files at most once a second, when somebody asks, so a renewed
/// certificate counts for new connections; files that cannot be used leave the old one in place. Thread-safe.
/// </summary>
public sealed class CredentialSource
{
    private static readonly TimeSpan LookEvery = TimeSpan.FromSeconds(1);

    private readonly OrderedLock _lock = new("the credentials", LockRank.Storage);
    private readonly string? _folder;
    private readonly TimeProvider _time;
    private readonly Action<string> _note;
    private NodeCredential _current;
    private (DateTime Node, DateTime Trust, DateTime Revoked) _stamp;
    private long _lookedAt;

    /// <param name="folder">Files as <see cref="CredentialFolder"/> has them.</param>
    /// <param name="role">What the certificate must be for.</param>
    /// <param name="time">Says what is expired, and when to look again.</param>
    /// <param name="note">Gets a line when the files changed: what is used now, or why they are not.</param>
    /// <exception cref="UserException">The files cannot be used.</exception>
    public CredentialSource(string folder, ClusterRole role, TimeProvider time, Action<string>? note = null)
    {
        (_folder, _time, _note) = (folder, time, note ?? (_ => { }));
        _stamp = StampOf(folder);
        _current = CredentialFolder.LoadFor(role, folder, time.GetUtcNow());
        _lookedAt = time.GetTimestamp();
    }

    /// <summary>One that never changes.</summary>
    public CredentialSource(NodeCredential credential, TimeProvider time) =>
        (_current, _time, _note) = (credential, time, _ => { }
    );

    public NodeIdentity Identity => _current.Identity;

    public TimeProvider Time => _time;

    /// <summary>Where the files are; null: there are none.</summary>
    public string? Folder => _folder;

    public NodeCredential Current
    {
        get
        {
            using (_lock.Enter())
            {
                if (_folder is not null && _time.GetElapsedTime(_lookedAt) >= LookEvery) LookAgain_NeedsLock(_folder);
                return _current;
            }
        }
    }

    private void LookAgain_NeedsLock(string folder)
    {
        _lookedAt = _time.GetTimestamp();
        var stamp = StampOf(folder);
        if (stamp == _stamp) return;
        _stamp = stamp;
        try
        {
            var renewed = CredentialFolder.LoadFor(_current.Identity.Role, folder, _time.GetUtcNow());
            if (renewed.Identity != _current.Identity)
                throw new UserException(ExitCode.Cluster,
                    $"it is of {renewed.Identity} now; this process is {_current.Identity}");
            _current = renewed;
            _note($"new connections use the certificate that expires on {renewed.Expires.UtcDateTime:yyyy-MM-dd}, revocations {renewed.Revoked.Number}");
        }
        catch (UserException unusable)
        {
            _note($"the changed credential in {folder} is not used: {unusable.Message}");
        }
    }

    private static (DateTime Node, DateTime Trust, DateTime Revoked) StampOf(string folder) =>
        (File.GetLastWriteTimeUtc(Path.Combine(folder, CredentialFolder.NodeFile)),
            File.GetLastWriteTimeUtc(Path.Combine(folder, CredentialFolder.TrustFile)),
            File.GetLastWriteTimeUtc(Path.Combine(folder, RevocationList.FileName)));
}
