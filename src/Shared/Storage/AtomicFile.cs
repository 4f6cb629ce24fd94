namespace Convoy.Shared.Storage;

/// <summary>Makes folders whose own names are durable.</summary>
public static class DurableFolder
{
    public static void Ensure(IDisk disk, string path)
    {
        if (disk.FolderExists(path)) return;
        var parent = Path.GetDirectoryName(path);
        if (parent is not null) Ensure(disk, parent);
        disk.CreateFolder(path);
        if (parent is not null) disk.FlushFolder(parent);
    }
}

/// <summary>Replaces a file as a whole: after a crash there is the old content or the new, never a mixture.</summary>
public static class AtomicFile
{
    public const string TemporarySuffix = ".writing";

    public static void Write(IDisk disk, string path, ReadOnlySpan<byte> content)
    {
        var temporary = path + TemporarySuffix;
        using (var file = disk.Create(temporary))
        {
            file.Write(content);
            file.Flush();
        }

        disk.RenameFile(temporary, path);
        disk.FlushFolder(Path.GetDirectoryName(path)!);
    }
}
