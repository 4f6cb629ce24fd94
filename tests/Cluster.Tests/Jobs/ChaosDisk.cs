namespace Convoy.Cluster.Tests.Jobs;

/// <summary>
/// A disk of its own for a cluster, such as a small tmpfs, that can be filled to its last byte. Where it is: the
/// variable CONVOY_CHAOS_DISK; without it no disk is ever full, since that one would be everybody's.
/// </summary>
internal sealed class ChaosDisk : IDisposable
{
    private const string Variable = "CONVOY_CHAOS_DISK";
    private const string FillerName = "filler";

    private readonly string _folder;

    private ChaosDisk(string folder) => _folder = folder;

    /// <summary>Null: there is none.</summary>
    public static ChaosDisk? TryOpen() =>
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } folder ? new ChaosDisk(folder) : null;

    public string Folder => _folder;

    public bool IsFull { get; private set; }

    public void Fill()
    {
        IsFull = true;
        using var filler = new FileStream(Path.Combine(_folder, FillerName), FileMode.Append, FileAccess.Write,
            FileShare.None, bufferSize: 0);
        foreach (var size in (int[])[1 << 20, 4_096, 1])
        {
            try
            {
                while (true) filler.Write(new byte[size]);
            }
            catch (IOException)
            {
                // no room for so many: fewer
            }
        }
    }

    public void Clear()
    {
        if (!IsFull) return;
        File.Delete(Path.Combine(_folder, FillerName));
        IsFull = false;
    }

    public void Dispose() => Clear();
}
