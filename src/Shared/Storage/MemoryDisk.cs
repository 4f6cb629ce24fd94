namespace Convoy.Shared.Storage;

/// <summary>A disk that stops: every operation from a chosen one on fails until <see
/// cref="MemoryDisk.Restart"/>.</summary>
public sealed class DiskStoppedException() : Exception("the disk stopped here");

/// <summary>
/// A disk in memory that behaves at a crash as badly as POSIX allows: content that was not flushed may be lost, torn or
/// there; names that were not flushed may be back as they were, up to any point of their history. For tests and
/// simulation.
/// </summary>
public sealed class MemoryDisk : IDisk
{
    private sealed class Node
    {
        public bool IsFolder { get; init; }
        public SortedDictionary<string, Node> Names { get; private set; } = new(StringComparer.Ordinal);
        public SortedDictionary<string, Node> DurableNames { get; } = new(StringComparer.Ordinal);
        public List<byte> Content { get; } = [];
        public byte[] DurableContent { get; set; } = [];

        public void ForgetVolatile() =>
            Names = new SortedDictionary<string, Node>(DurableNames, StringComparer.Ordinal);
    }

    private sealed record NameChange(Node Folder, string? Removed, string? Added, Node? Target);

    private readonly Node _root = new() { IsFolder = true };
    private readonly List<NameChange> _unflushed = [];
    private bool _stopped;

    /// <summary>Operations that change the disk so far.</summary>
    public int Operations { get; private set; }

    /// <summary>The disk stops at this operation (from 1); a write that it hits is torn. 0: never.</summary>
    public int StopAt { get; set; }

    /// <summary>This operation fails once with an <see cref="IOException"/>, as on a full disk. 0: never.</summary>
    public int FailAt { get; set; }

    /// <summary>
    /// The machine comes back: volatile state is gone except what <paramref name="choose"/> (number below n) lets
    /// survive.
    /// </summary>
    public void Restart(Func<int, int> choose)
    {
        // Within a folder name changes keep their order: a prefix of them survives. Between folders nothing is
        // promised.
        foreach (var folder in _unflushed.GroupBy(change => change.Folder).Select(changes => changes.ToList()).ToList())
            foreach (var change in folder.Take(choose(folder.Count + 1))) MakeDurable(change);
        _unflushed.Clear();
        Recover(_root, choose);
        _stopped = false;
        StopAt = 0;
    }

    private static void Recover(Node node, Func<int, int> choose)
    {
        node.ForgetVolatile();
        foreach (var child in node.Names.Values)
        {
            if (child.IsFolder)
            {
                Recover(child, choose);
                continue;
            }

            var written = child.Content.ToArray();
            child.Content.Clear();
            // Flushed, as written, cut short, or of full length with a hole.
            switch (written.AsSpan().SequenceEqual(child.DurableContent) ? 0 : choose(4))
            {
                case 0: child.Content.AddRange(child.DurableContent); break;
                case 1: child.Content.AddRange(written); break;
                case 2: child.Content.AddRange(written.AsSpan(0, choose(written.Length + 1))); break;
                default:
                    child.Content.AddRange(written);
                    for (var i = written.Length / 2; i < written.Length; i++) child.Content[i] = 0;
                    break;
            }

            child.DurableContent = [.. child.Content];
        }
    }

    public void CreateFolder(string path)
    {
        var folder = _root;
        foreach (var part in Parts(path))
        {
            if (!folder.Names.TryGetValue(part, out var next))
            {
                Change();
                next = new Node { IsFolder = true };
                Rename(new NameChange(folder, null, part, next));
            }

            folder = next.IsFolder ? next : throw new IOException($"{path}: a file is in the way");
        }
    }

    public bool FolderExists(string path) => Find(path) is { IsFolder: true };

    public bool FileExists(string path) => Find(path) is { IsFolder: false };

    public IReadOnlyList<string> List(string folder) =>
        Find(folder) is { IsFolder: true } node ? [.. node.Names.Keys] : [];

    public IDiskFile Create(string path)
    {
        Change();
        var folder = Parent(path);
        var name = Path.GetFileName(path);
        if (!folder.Names.TryGetValue(name, out var node))
        {
            node = new Node();
            Rename(new NameChange(folder, null, name, node));
        }

        node.Content.Clear();
        return new MemoryFile(this, node);
    }

    public Stream OpenRead(string path)
    {
        ThrowIfStopped();
        return Find(path) is { IsFolder: false } node ? new MemoryStream([.. node.Content], writable: false)
            : throw new FileNotFoundException($"{path}: there is no such file");
    }

    public void RenameFile(string from, string to) => Move(from, to, mayReplace: true);

    public void RenameFolder(string from, string to) => Move(from, to, mayReplace: false);

    private void Move(string from, string to, bool mayReplace)
    {
        Change();
        var folder = Parent(from);
        var node = folder.Names.GetValueOrDefault(Path.GetFileName(from)) ??
            throw new IOException($"{from}: there is nothing to rename");
        if (Parent(to) != folder) throw new IOException($"{to}: renaming goes within one folder");
        if (!mayReplace && Find(to) is not null) throw new IOException($"{to}: it exists");
        Rename(new NameChange(folder, Path.GetFileName(from), Path.GetFileName(to), node));
    }

    public void FlushFolder(string path)
    {
        Change();
        var folder = Find(path) ?? throw new IOException($"{path}: there is no such folder");
        foreach (var change in _unflushed.Where(c => c.Folder == folder)) MakeDurable(change);
        _unflushed.RemoveAll(c => c.Folder == folder);
    }

    public void DeleteFile(string path)
    {
        Change();
        Rename(new NameChange(Parent(path), Path.GetFileName(path), null, null));
    }

    public void DeleteFolder(string path)
    {
        if (Find(path) is not { } folder) return;
        // As the real thing: files go one by one, and a crash in between leaves a folder with some of them.
        foreach (var name in folder.Names.Keys.ToList())
        {
            var child = $"{path}/{name}";
            if (FolderExists(child)) DeleteFolder(child);
            else DeleteFile(child);
        }

        DeleteFile(path);
    }

    /// <summary>Flips one bit of a file, as a failing disk does.</summary>
    public void Damage(string path, int at) => Find(path)!.Content[at] ^= 1;

    /// <summary>Cuts a file.</summary>
    public void Truncate(string path, int length) =>
        Find(path)!.Content.RemoveRange(length, Find(path)!.Content.Count - length);

    private void Rename(NameChange change)
    {
        Apply(change, change.Folder.Names);
        _unflushed.Add(change);
    }

    private static void MakeDurable(NameChange change) => Apply(change, change.Folder.DurableNames);

    private static void Apply(NameChange change, SortedDictionary<string, Node> names)
    {
        if (change.Removed is { } removed) names.Remove(removed);
        if (change.Added is { } added) names[added] = change.Target!;
    }

    private Node? Find(string path)
    {
        var node = _root;
        foreach (var part in Parts(path))
            if (!node.Names.TryGetValue(part, out node)) return null;
        return node;
    }

    private Node Parent(string path) => Find(Path.GetDirectoryName(path)!) is { IsFolder: true } folder ? folder
        : throw new DirectoryNotFoundException($"{path}: there is no such folder");

    private static string[] Parts(string path) => path.Split(['/', '\\'], StringSplitOptions.RemoveEmptyEntries);

    private void ThrowIfStopped()
    {
        if (_stopped) throw new DiskStoppedException();
    }

    private void Change()
    {
        ThrowIfStopped();
        Operations++;
        if (Operations == FailAt) throw new IOException("No space left on device");
        if (Operations != StopAt) return;
        _stopped = true;
        throw new DiskStoppedException();
    }

    private sealed class MemoryFile(MemoryDisk disk, Node node) : IDiskFile
    {
        public void Write(ReadOnlySpan<byte> data)
        {
            try
            {
                disk.Change();
            }
            catch (Exception)
            {
                // What stops or fails a write may do so in the middle of it.
                node.Content.AddRange(data[..(data.Length / 2)]);
                throw;
            }

            node.Content.AddRange(data);
        }

        public void Flush()
        {
            disk.Change();
            node.DurableContent = [.. node.Content];
        }

        public void Dispose()
        {
        }
    }
}
