// Where the files of shared rings and the names of Unix sockets live, and how none is left behind. A ring's file is
// deleted as soon as both ends have mapped it, so there is a name only for milliseconds. A process that is killed in
// them leaves its file; therefore each process holds a lock on a file of its own, its lease, and whoever starts next
// deletes what belongs to no living lease.
using System.Globalization;
using Convoy.Shared.Ids;

namespace Convoy.Actors.Remoting.SharedMemory;

internal sealed class SharedFolder : IDisposable
{
    private const string LeaseSuffix = ".lease";
    private const string RingSuffix = ".ring";
    private const string SocketSuffix = ".sock";

    private readonly string _folder;
    private readonly string _owner;
    private readonly FileStream _lease;
    private long _rings;

    private SharedFolder(string folder, string owner, FileStream lease) =>
        (_folder, _owner, _lease) = (folder, owner, lease);

    /// <summary>In memory where the system has a place for that; otherwise the folder for temporary files.</summary>
    public static string DefaultFolder { get; } = Path.Combine(
        OperatingSystem.IsLinux() && Directory.Exists("/dev/shm") ? "/dev/shm" : Path.GetTempPath(),
        "convoy-" + Environment.UserName);

    /// <summary>
    /// Null: there is no folder that only this user may write to; peers then talk over their sockets.
    /// </summary>
    public static SharedFolder? Open(string folder, Incarnation owner)
    {
        try
        {
            if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
            else
            {
                const UnixFileMode OwnerOnly =
                    UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
                Directory.CreateDirectory(folder, OwnerOnly);
                if (File.GetUnixFileMode(folder) != OwnerOnly) return null;
            }

            Sweep(folder);
            var name = owner.Value.ToString("x16", CultureInfo.InvariantCulture);
            var lease = new FileStream(Path.Combine(folder, name + LeaseSuffix), FileMode.OpenOrCreate,
                FileAccess.Write, FileShare.None);
            return new SharedFolder(folder, name, lease);
        }
        catch (Exception denied) when (denied is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    public string NextRing() => Next(RingSuffix);

    public string NextSocket() => Next(SocketSuffix);

    /// <summary>Deletes what killed processes left.</summary>
    public void Sweep()
    {
        try
        {
            Sweep(_folder);
        }
        catch (Exception denied) when (denied is IOException or UnauthorizedAccessException)
        {
            // The next start tries again.
        }
    }

    private string Next(string suffix) => Path.Combine(
        _folder, string.Create(CultureInfo.InvariantCulture, $"{_owner}-{Interlocked.Increment(ref _rings)}{suffix}"));

    /// <summary>Gives the lease back; rings that are still named go with it.</summary>
    public void Dispose()
    {
        foreach (var ring in FilesOf(_folder, _owner)) TryDelete(ring);
        TryDelete(_lease.Name); // before the lock goes: nobody else can have taken the name
        _lease.Dispose();
        TryDelete(_lease.Name); // where an open file cannot be deleted
    }

    private static void Sweep(string folder)
    {
        foreach (var lease in Directory.EnumerateFiles(folder, "*" + LeaseSuffix)
            .Order(StringComparer.Ordinal).ToList())
        {
            try
            {
                using (new FileStream(lease, FileMode.Open, FileAccess.Write, FileShare.None))
                {
                    foreach (var ring in FilesOf(folder, Path.GetFileNameWithoutExtension(lease))) TryDelete(ring);
                    if (!OperatingSystem.IsWindows()) TryDelete(lease);
                }

                TryDelete(lease);
            }
            catch (Exception held) when (held is IOException or UnauthorizedAccessException)
            {
                // Its owner lives.
            }
        }

        foreach (var ring in FilesOf(folder, "*"))
            if (!HasLease(folder, ring)) TryDelete(ring);
    }

    private static bool HasLease(string folder, string ring)
    {
        var name = Path.GetFileName(ring);
        return File.Exists(Path.Combine(folder, name[..name.IndexOf('-', StringComparison.Ordinal)] + LeaseSuffix));
    }

    private static List<string> FilesOf(string folder, string owner) =>
        [.. Directory.EnumerateFiles(folder, owner + "-*" + RingSuffix)
            .Concat(Directory.EnumerateFiles(folder, owner + "-*" + SocketSuffix)).Order(StringComparer.Ordinal)];

    public static void TryDelete(string path)
    {
        try
        {
            File.Delete(path);
        }
        catch (Exception kept) when (kept is IOException or UnauthorizedAccessException)
        {
            // The next start tries again.
        }
    }
}
