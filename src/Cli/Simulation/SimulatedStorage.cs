using Convoy.Cli.Simulation.Checkers;
using Convoy.Shared.Ids;
using Convoy.Shared.Storage;

namespace Convoy.Cli.Simulation;

/// <summary>
/// The shared disk as one process sees it: it may be full, and its server may crash in the middle of something.
/// </summary>
internal sealed class SimulatedDisk(MemoryDisk disk, SimulatedCluster cluster, string host) : IDisk
{
    public void CreateFolder(string path) => Do(() => disk.CreateFolder(path));

    public bool FolderExists(string path) => disk.FolderExists(path);

    public bool FileExists(string path) => disk.FileExists(path);

    public IReadOnlyList<string> List(string folder) => disk.List(folder);

    public IDiskFile Create(string path)
    {
        cluster.Walls?.OnFile(host, path);
        if (cluster.DiskIsFull) throw new IOException("No space left on device");
        IDiskFile? file = null;
        Do(() => file = disk.Create(path));
        return new OpenFile(this, file!);
    }

    public Stream OpenRead(string path)
    {
        cluster.Walls?.OnFile(host, path);
        Stream? stream = null;
        Do(() => stream = disk.OpenRead(path));
        return stream!;
    }

    public void RenameFile(string from, string to) => Do(() => disk.RenameFile(from, to));

    public void RenameFolder(string from, string to) => Do(() => disk.RenameFolder(from, to));

    public void FlushFolder(string path) => Do(() => disk.FlushFolder(path));

    public void DeleteFile(string path) => Do(() => disk.DeleteFile(path));

    public void DeleteFolder(string path) => Do(() => disk.DeleteFolder(path));

    private void Do(Action operation)
    {
        try
        {
            operation();
        }
        catch (DiskStoppedException)
        {
            cluster.OnDiskStopped();
            throw new IOException("Input/output error: the storage does not answer");
        }
    }

    private sealed class OpenFile(SimulatedDisk disk, IDiskFile file) : IDiskFile
    {
        public void Write(ReadOnlySpan<byte> data)
        {
            var copy = data.ToArray();
            disk.Do(() => file.Write(copy));
        }

        public void Flush() => disk.Do(file.Flush);

        public void Dispose() => file.Dispose();
    }
}

/// <summary>The journal, with the checkers looking over its shoulder. It outlives its leaders.</summary>
internal sealed class WatchedJournal(IJournal journal, SimulatedCluster cluster) : IJournal
{
    public LeaseAnswer TryAcquire(string holder, TimeSpan life, Func<string, bool>? isGone = null)
    {
        var answer = journal.TryAcquire(holder, life, isGone);
        if (answer.Lease is { } lease) cluster.Tell(c => c.OnLease(lease.Token.Value));
        return answer;
    }

    public bool Renew(Lease lease, TimeSpan life) => journal.Renew(lease, life);

    public void Release(Lease lease) => journal.Release(lease);

    public AppendResult Append(Lease lease, string stream, long afterSeq, IReadOnlyList<NewEvent> events)
    {
        var result = journal.Append(lease, stream, afterSeq, events);
        if (result != AppendResult.Appended) return result;
        var job = cluster.JobOfStream(stream);
        foreach (var e in events)
        {
            if (cluster.World.Traces) cluster.World.Trace($"journal {lease.Token} {e.Type} {e.Json}");
            var record = new JournalRecord(e.Json);
            cluster.Tell(job, c => c.OnAppended(lease.Token.Value, e.Type, record));
        }

        return result;
    }

    public IReadOnlyList<JournalEvent> Read(string stream, long afterSeq = 0) => journal.Read(stream, afterSeq);

    public IReadOnlyList<string> Streams() => journal.Streams();

    public void Dispose()
    {
        // It belongs to the cluster, not to a leader.
    }
}
