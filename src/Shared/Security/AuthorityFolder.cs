using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Convoy.Shared.Security;

/// <summary>
/// The folder of the authority, on one machine only: <c>authority.pem</c> signs; <c>next.pem</c> is trusted but does
/// not sign yet; <c>previous.pem</c> has been followed and is trusted until everybody has a certificate of the new one.
/// </summary>
public sealed class AuthorityFolder(string path)
{
    private const string CurrentFile = "authority.pem";
    private const string NextFile = "next.pem";
    private const string PreviousFile = "previous.pem";

    public string FolderPath => path;

    public bool Exists => File.Exists(At(CurrentFile));

    public bool HasNext => File.Exists(At(NextFile));

    public bool HasPrevious => File.Exists(At(PreviousFile));

    /// <exception cref="UserException">There is no authority here, or it cannot be used.</exception>
    public CertificateAuthority Open() => Open(CurrentFile);

    /// <summary>All that nodes trust now, the signing one first.</summary>
    public IReadOnlyList<X509Certificate2> Trusted()
    {
        var trusted = new List<X509Certificate2>();
        foreach (var file in (string[])[CurrentFile, NextFile])
        {
            if (!File.Exists(At(file))) continue;
            using var authority = Open(file);
            trusted.Add(X509CertificateLoader.LoadCertificate(authority.Certificate.RawData));
        }

        if (HasPrevious) trusted.AddRange(NodeCredential.AuthoritiesOf(File.ReadAllText(At(PreviousFile))));
        return trusted;
    }

    public void Create(DateTimeOffset now)
    {
        PrivateFile.EnsureFolder(path);
        using var authority = CertificateAuthority.Create(now);
        PrivateFile.Create(At(CurrentFile), authority.ToPem());
    }

    /// <summary>What was taken back so far.</summary>
    public RevocationList Revoked() => File.Exists(At(RevocationList.FileName))
        ? RevocationList.TryRead(File.ReadAllText(At(RevocationList.FileName)), Trusted())
            ?? throw Refused(
                $"the list of revocations in {At(RevocationList.FileName)} is damaged, or signed by somebody else")
        : RevocationList.Empty;

    /// <summary>Takes back every certificate of the node that was issued until now.</summary>
    public RevocationList Revoke(NodeIdentity node, DateTimeOffset now)
    {
        using var authority = Open();
        return Keep(Revoked().With(node, now, authority));
    }

    private RevocationList Keep(RevocationList list)
    {
        PrivateFile.Replace(At(RevocationList.FileName), list.Text);
        return list;
    }

    /// <summary>A second authority, trusted from now on; the first one goes on signing.</summary>
    public void Begin(DateTimeOffset now)
    {
        if (HasNext || HasPrevious) throw Refused("a roll-over is under way already: go on with --switch or --finish");
        using var next = CertificateAuthority.Create(now);
        PrivateFile.Create(At(NextFile), next.ToPem());
    }

    /// <summary>The second authority signs from now on; the first one loses its key and stays trusted.</summary>
    public void Switch()
    {
        if (!HasNext) throw Refused("no roll-over has begun: use --begin first");
        using (var old = Open()) PrivateFile.Replace(At(PreviousFile), old.Certificate.ExportCertificatePem() + "\n");
        File.Move(At(NextFile), At(CurrentFile), overwrite: true);
        if (Revoked() is not { Number: > 0 } list) return;
        using var authority = Open();
        Keep(list.SignedBy(authority)); // the old signature will not count for ever
    }

    /// <summary>The first authority is trusted no more.</summary>
    public void Finish()
    {
        if (!HasPrevious)
            throw Refused(HasNext ? "the new authority does not sign yet: use --switch first"
                : "no roll-over is under way");
        File.Delete(At(PreviousFile));
    }

    private CertificateAuthority Open(string file)
    {
        if (!File.Exists(At(file)))
            throw Refused(
                $"the cluster's authority is not on this machine (no {At(file)}): run this where convoy init was run");
        try
        {
            return CertificateAuthority.FromPem(File.ReadAllText(At(file)));
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException
            or ArgumentException)
        {
            throw Refused($"the authority in {At(file)} cannot be used: {e.Message}");
        }
    }

    private string At(string file) => Path.Combine(path, file);

    private static UserException Refused(string text) => new(ExitCode.Cluster, text);
}
