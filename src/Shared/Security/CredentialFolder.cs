using System.Globalization;
using System.Security.Cryptography;

namespace Convoy.Shared.Security;

/// <summary>
/// The files of one node: <c>node.pem</c> (certificate and private key, one file so that both change at once) and
/// <c>trust.pem</c> (authorities). This folder is all that a machine needs, and what is copied to another one.
/// </summary>
public static class CredentialFolder
{
    public const string NodeFile = "node.pem";
    public const string TrustFile = "trust.pem";
    /// <summary>A key whose certificate has been asked for: a second try asks with the same one.</summary>
    public const string PendingKeyFile = "pending.key";
    private const long FileBytesMax = 256 << 10;

    public static bool Exists(string folder) => File.Exists(Path.Combine(folder, NodeFile));

    /// <exception cref="UserException">Something is missing, unreadable, or open to others.</exception>
    public static NodeCredential Load(string folder)
    {
        var node = Path.Combine(folder, NodeFile);
        if (!File.Exists(node))
            throw new UserException(ExitCode.Cluster,
                $"there is no credential in {folder} (no {NodeFile}): {HowToGetOne}");
        if (PrivateFile.IsOpenToOthers(node))
            throw new UserException(ExitCode.Cluster,
                $"{node} can be read by others than its owner: chmod 600 it, then renew it");
        try
        {
            var revoked = Path.Combine(folder, RevocationList.FileName);
            return NodeCredential.FromPem(
                ReadText(node), ReadText(Path.Combine(folder, TrustFile)), File.Exists(revoked)
                    ? ReadText(revoked) : null);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or CryptographicException
            or ArgumentException)
        {
            throw new UserException(ExitCode.Cluster, $"the credential in {folder} cannot be used: {e.Message}");
        }
    }

    /// <summary>As <see cref="Load"/>, and the certificate must count now and be of the role.</summary>
    public static NodeCredential LoadFor(ClusterRole role, string folder, DateTimeOffset now)
    {
        var credential = Load(folder);
        var verdict = CertificateCheck.Verify(credential.Certificate, credential.Trusted, now, asServer: false,
            credential.Revoked);
        if (verdict.Fault == CertificateFault.Expired)
            throw new UserException(ExitCode.Cluster, string.Create(CultureInfo.InvariantCulture,
                $"the certificate in {folder} expired on {credential.Expires:yyyy-MM-dd}: "
                + $"renew it with convoy cert renew, or join anew with a token"));
        if (verdict.For(role) is { Fault: not CertificateFault.None } bad)
            throw new UserException(ExitCode.Cluster, $"the credential in {folder} cannot be used: {bad.Text}");
        return credential;
    }

    /// <summary>
    /// Writes or replaces a node's files. The trust first: a certificate never stands beside a trust that refuses it.
    /// </summary>
    public static void Save(string folder, string nodePem, string trustPem)
    {
        PrivateFile.EnsureFolder(folder);
        PrivateFile.Replace(Path.Combine(folder, TrustFile), trustPem);
        PrivateFile.Replace(Path.Combine(folder, NodeFile), nodePem);
        File.Delete(Path.Combine(folder, PendingKeyFile));
    }

    /// <summary>Keeps a list that is newer than the one there and signed by somebody who is trusted here.</summary>
    /// <returns>Whether it was newer.</returns>
    public static bool TakeRevocations(string folder, string text)
    {
        var known = Load(folder);
        if (RevocationList.TryRead(text, known.Trusted) is not { } list || list.Number <= known.Revoked.Number)
            return false;
        PrivateFile.Replace(Path.Combine(folder, RevocationList.FileName), text);
        return true;
    }

    /// <summary>The key that waits for its certificate, or a new one.</summary>
    public static KeyRequest PendingKey(string folder)
    {
        PrivateFile.EnsureFolder(folder);
        var path = Path.Combine(folder, PendingKeyFile);
        if (File.Exists(path))
        {
            try
            {
                return KeyRequest.FromPem(ReadText(path));
            }
            catch (CryptographicException)
            {
                // Cut short by a crash: a key that nobody has signed is worth nothing.
            }
        }

        var key = KeyRequest.Create();
        PrivateFile.Replace(path, key.KeyPem);
        return key;
    }

    internal const string HowToGetOne =
        "make one with convoy init, join with a token (convoy worker --token), or name its folder with --credentials";

    private static string ReadText(string path)
    {
        if (new FileInfo(path).Length > FileBytesMax) throw new IOException($"{path} is too large to be one of ours");
        return File.ReadAllText(path);
    }
}
