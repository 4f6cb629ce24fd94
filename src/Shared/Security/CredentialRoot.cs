using System.Net;

namespace Convoy.Shared.Security;

/// <summary>
/// A folder with one or more credentials:
/// <code>
///   ca/                 the authority; only where init was run
///   coordinator/        node.pem, trust.pem
///   operator/
///   worker-NAME/
/// </code>
/// A folder that itself has a node.pem (copied from another machine) is a credential and is used as it is.
/// </summary>
public sealed class CredentialRoot(string path)
{
    private const string CoordinatorName = "coordinator";
    private const string WorkerPrefix = "worker-";

    public string FolderPath { get; } = Path.GetFullPath(path);

    public AuthorityFolder Authority => new(Path.Combine(FolderPath, "ca"));

    /// <summary>What init leaves behind for a role.</summary>
    public string FolderOf(ClusterRole role) => CredentialFolder.Exists(FolderPath)
        ? FolderPath
        : Path.Combine(FolderPath, NodeIdentity.Word(role));

    /// <summary>Where the worker of this name keeps its credential.</summary>
    /// <param name="name">Null: the only worker that has one here, or this machine's name.</param>
    public string FolderOfWorker(string? name)
    {
        if (CredentialFolder.Exists(FolderPath)) return FolderPath;
        if (name is null && WorkerFolders() is [var only]) return only;
        return Path.Combine(FolderPath, WorkerPrefix + (name ?? Environment.MachineName));
    }

    /// <summary>Every credential here.</summary>
    public IReadOnlyList<string> Folders() => CredentialFolder.Exists(FolderPath) ? [FolderPath]
        : [.. ((string[])[FolderOf(ClusterRole.Coordinator), FolderOf(ClusterRole.Operator), .. WorkerFolders()])
            .Where(CredentialFolder.Exists)];

    /// <summary>
    /// Makes the authority, the coordinator's and an operator's certificate. Nothing that exists is changed.
    /// </summary>
    /// <exception cref="UserException">There is something already.</exception>
    public void Init(IReadOnlyList<string> hosts, string operatorName, TimeSpan life, DateTimeOffset now)
    {
        foreach (var there in (string[])[Authority.FolderPath, FolderOf(ClusterRole.Coordinator),
            FolderOf(ClusterRole.Operator)])
        {
            if (File.Exists(there) || (Directory.Exists(there) && Directory.EnumerateFileSystemEntries(there).Any()))
                throw new UserException(ExitCode.Usage,
                    $"{there} exists already and init changes nothing: renew with convoy cert renew, or name another folder");
        }

        PrivateFile.EnsureFolder(FolderPath);
        Authority.Create(now);
        IssueLocal(hosts, operatorName, life, now);
    }

    /// <summary>New keys and certificates for coordinator and operator, signed here.</summary>
    public void RenewLocal(TimeSpan life, DateTimeOffset now)
    {
        var operatorFolder = FolderOf(ClusterRole.Operator);
        var operatorName = CredentialFolder.Exists(operatorFolder)
            ? CredentialFolder.Load(operatorFolder).Identity.Name : NodeIdentity.Word(ClusterRole.Operator);
        var coordinator = CredentialFolder.Load(FolderOf(ClusterRole.Coordinator)).Certificate;
        IssueLocal(CertificateNames.HostsOf(coordinator), operatorName, life, now);
    }

    /// <summary>Gives every credential of this machine the authorities that are trusted now.</summary>
    public void SpreadTrust()
    {
        var trust = NodeCredential.TrustPem(Authority.Trusted());
        var revoked = Authority.Revoked();
        foreach (var folder in Folders())
        {
            PrivateFile.Replace(Path.Combine(folder, CredentialFolder.TrustFile), trust);
            if (revoked.Number > 0) PrivateFile.Replace(Path.Combine(folder, RevocationList.FileName), revoked.Text);
        }
    }

    /// <summary>Names for the coordinator's certificate besides those that were given.</summary>
    public static IReadOnlyList<string> HostsOf(IEnumerable<string> given)
    {
        var hosts = new List<string> { "localhost", "127.0.0.1", "::1" };
        foreach (var host in given.Prepend(Environment.MachineName))
        {
            if (!IPAddress.TryParse(host, out _) && Uri.CheckHostName(host) != UriHostNameType.Dns)
                throw new UserException(ExitCode.Usage, $"'{host}' is neither an address nor a DNS name");
            if (!hosts.Contains(host, StringComparer.OrdinalIgnoreCase)) hosts.Add(host);
        }

        return hosts;
    }

    private void IssueLocal(IReadOnlyList<string> hosts, string operatorName, TimeSpan life, DateTimeOffset now)
    {
        using var authority = Authority.Open();
        var trust = NodeCredential.TrustPem(Authority.Trusted());
        CredentialFolder.Save(FolderOf(ClusterRole.Coordinator),
            authority.IssueWithKey(new NodeIdentity(ClusterRole.Coordinator, CoordinatorName), hosts, life, now),
            trust);
        CredentialFolder.Save(FolderOf(ClusterRole.Operator),
            authority.IssueWithKey(new NodeIdentity(ClusterRole.Operator, operatorName), [], life, now), trust);
    }

    private IReadOnlyList<string> WorkerFolders() => !Directory.Exists(FolderPath) ? []
        : [.. Directory.EnumerateDirectories(FolderPath, WorkerPrefix + "*").Where(CredentialFolder.Exists)
            .Order(StringComparer.Ordinal)];
}
