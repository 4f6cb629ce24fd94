using System.Security.AccessControl;
using System.Security.Principal;

namespace Convoy.Shared.Security;

/// <summary>
/// The one place that writes files with private keys: readable by their owner alone from the first byte on, and
/// replaced as a whole. Unix: modes 0700 and 0600. Windows: an access list with the owner alone.
/// </summary>
public static class PrivateFile
{
    private const UnixFileMode OwnerFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OwnerFolder = OwnerFile | UnixFileMode.UserExecute;

    /// <summary>Makes a folder that only its owner may enter; one that exists keeps its mode.</summary>
    public static void EnsureFolder(string path)
    {
        if (Directory.Exists(path)) return;
        if (!OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(path, OwnerFolder);
            return;
        }

        var security = new DirectorySecurity();
        security.SetAccessRuleProtection(isProtected: true, preserveInheritance: false);
        security.AddAccessRule(new FileSystemAccessRule(Owner(), FileSystemRights.FullControl,
            InheritanceFlags.ContainerInherit | InheritanceFlags.ObjectInherit, PropagationFlags.None,
            AccessControlType.Allow));
        security.CreateDirectory(path);
    }

    /// <summary>A new file; fails where it exists.</summary>
    public static void Create(string path, string content) => WriteNew(path, content);

    /// <summary>Replaces the file: a reader sees the old content or the new.</summary>
    public static void Replace(string path, string content)
    {
        var beside = path + ".new";
        File.Delete(beside);
        WriteNew(beside, content);
        File.Move(beside, path, overwrite: true);
    }

    /// <summary>Whether others than the owner may read the file; where that cannot be told, false.</summary>
    public static bool IsOpenToOthers(string path)
    {
        const UnixFileMode Others =
            UnixFileMode.GroupRead | UnixFileMode.GroupWrite | UnixFileMode.OtherRead | UnixFileMode.OtherWrite;
        return !OperatingSystem.IsWindows() && (File.GetUnixFileMode(path) & Others) != 0;
    }

    private static void WriteNew(string path, string content)
    {
        using var file = Open(path);
        using var writer = new StreamWriter(file);
        writer.Write(content);
        writer.Flush();
        file.Flush(flushToDisk: true);
    }

    private static FileStream Open(string path)
    {
        if (!OperatingSystem.IsWindows())
        {
            return new FileStream(path, new FileStreamOptions
            {
                Mode = FileMode.CreateNew, Access = FileAccess.Write, Share = FileShare.None,
                UnixCreateMode = OwnerFile,
            });
        }

        var security = new FileSecurity();
        security.SetAccessRuleProtection(isProtected: true, preserveInheritance: false);
        security.AddAccessRule(new FileSystemAccessRule(Owner(), FileSystemRights.FullControl,
            AccessControlType.Allow));
        return new FileInfo(path).Create(
            FileMode.CreateNew, FileSystemRights.Write, FileShare.None, bufferSize: 4_096, FileOptions.None, security);
    }

    [System.Runtime.Versioning.SupportedOSPlatform("windows")]
    private static SecurityIdentifier Owner() => WindowsIdentity.GetCurrent().User!;
}
