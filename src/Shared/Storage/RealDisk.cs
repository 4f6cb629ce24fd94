using System.Runtime.InteropServices;

namespace Convoy.Shared.Storage;

/// <summary>The file system of this machine.</summary>
public sealed partial class RealDisk : IDisk
{
    public static readonly RealDisk Instance = new();

    private RealDisk()
    {
    }

    public void CreateFolder(string path) => Guard(() => Directory.CreateDirectory(path));

    public bool FolderExists(string path) => Directory.Exists(path);

    public bool FileExists(string path) => File.Exists(path);

    public IReadOnlyList<string> List(string folder)
    {
        if (!Directory.Exists(folder)) return [];
        var names = Directory.EnumerateFileSystemEntries(folder).Select(path => Path.GetFileName(path)).ToList();
        names.Sort(StringComparer.Ordinal);
        return names;
    }

    public IDiskFile Create(string path) => Guard(() => new RealFile(path));

    public Stream OpenRead(string path) => Guard(() =>
        new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete, 1 << 16,
            FileOptions.SequentialScan));

    public void RenameFile(string from, string to) => Guard(() => File.Move(from, to, overwrite: true));

    public void RenameFolder(string from, string to) => Guard(() => Directory.Move(from, to));

    public void FlushFolder(string path)
    {
        // Windows journals names by itself and has no call for it.
        if (OperatingSystem.IsWindows()) return;
        var file = OpenFolder(path, 0);
        if (file < 0) throw new IOException(
            $"{path}: the folder cannot be opened (error {Marshal.GetLastPInvokeError()})");
        var failed = SyncFile(file) != 0;
        var error = Marshal.GetLastPInvokeError();
        _ = CloseFile(file);
        // Some network file systems know no fsync of a folder (EINVAL); there nothing more can be done.
        if (failed && error != 22) throw new IOException($"{path}: the folder cannot be made durable (error {error})");
    }

    public void DeleteFile(string path) => Guard(() => File.Delete(path));

    public void DeleteFolder(string path) => Guard(() =>
    {
        if (Directory.Exists(path)) Directory.Delete(path, recursive: true);
    });

    // A refused access is an operating failure like a full disk; callers know one kind.
    private static void Guard(Action action)
    {
        try
        {
            action();
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    private static T Guard<T>(Func<T> action)
    {
        try
        {
            return action();
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException(e.Message, e);
        }
    }

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int OpenFolder(string path, int flags);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int SyncFile(int file);

    [LibraryImport("libc", EntryPoint = "close", SetLastError = true)]
    private static partial int CloseFile(int file);

    private sealed class RealFile(string path) : IDiskFile
    {
        private readonly FileStream _stream = new(path, FileMode.Create, FileAccess.Write, FileShare.Read, 1 << 16);

        public void Write(ReadOnlySpan<byte> data) => _stream.Write(data);

        public void Flush() => _stream.Flush(flushToDisk: true);

        public void Dispose() => _stream.Dispose();
    }
}
