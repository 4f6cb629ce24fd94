using Convoy.Shared.Diagnostics;
using Convoy.Shared.Ids;
using Convoy.Shared.Storage;

namespace Convoy.Shared.Checkpoints;

/// <summary>A published checkpoint by name; nothing of it is read yet.</summary>
public sealed record CheckpointPlace(StepNumber Step, string Path);

// Durable before visible (decision 9, R9).
// CK-1  A folder step-N is complete: every shard and the manifest were flushed and verified before the one rename that
// made it.
// CK-2  After a crash at any operation the previous or the new checkpoint loads.
// CK-3  The newest verified checkpoint is never deleted.
// CK-4  What is half-written or half-deleted has a name that no reader takes for a checkpoint.

/// <summary>The folder of a job's checkpoints. Workers write shards into a partial folder; the coordinator publishes
/// it.</summary>
public sealed class CheckpointStore(string root, IDisk disk, ILogSink? log = null)
{
    private const string Source = "checkpoints";

    private readonly ILogSink _log = log ?? NullLogSink.Instance;
    // Verified by this process; hashing all of them again at each save would cost more than the save.
    private readonly HashSet<string> _verified = new(StringComparer.Ordinal);

    public string Root { get; } = Path.GetFullPath(root);

    /// <summary>
    /// A worker that writes whole checkpoints alone, when nobody publishes: several may at a time. Empty: the members
    /// of a generation write, the coordinator publishes.
    /// </summary>
    public string Writer { get; init; } = "";

    /// <summary>Writes shard <paramref name="index"/> of <paramref name="count"/>; returns when it is
    /// durable.</summary>
    public ShardFile WriteShard(StepNumber step, Generation generation, int index, int count,
        IReadOnlyList<ShardTensor> tensors)
    {
        Invariant.Check((uint)index < (uint)count, "CK-5 a shard has a place among its siblings");
        var folder = Path.Combine(Root, CheckpointNames.Partial(step, generation, Writer));
        DurableFolder.Ensure(disk, Root);
        disk.CreateFolder(folder);
        return ShardWriter.Write(disk, folder, CheckpointNames.Shard(index, count), tensors,
            [("format", "pt"), ("step", step.ToString()), ("generation", generation.ToString())]);
    }

    /// <summary>Rows of steps that nobody led, beside the shards; returns when they are durable.</summary>
    public void WriteRows(StepNumber step, Generation generation, SavedRows rows)
    {
        var folder = Path.Combine(Root, CheckpointNames.Partial(step, generation, Writer));
        using var file = disk.Create(Path.Combine(folder, SavedRows.FileName));
        file.Write(rows.Encode());
        file.Flush();
    }

    /// <summary>
    /// Publishes the partial folder of the manifest's step and generation. The list of tensors is taken from the shards
    /// themselves; every shard is read back and hashed before the rename. Publishing the same state twice has one
    /// effect.
    /// </summary>
    public CheckpointPlace Publish(Manifest draft)
    {
        var (step, generation) = (new StepNumber(draft.Step), new Generation(draft.Generation));
        var partial = Path.Combine(Root, CheckpointNames.Partial(step, generation, Writer));
        var target = Path.Combine(Root, CheckpointNames.Published(step));
        if (IsSameState(target, draft))
        {
            disk.DeleteFolder(partial);
            return new CheckpointPlace(step, target);
        }

        WriteManifest(partial, draft with { Tensors = ListTensors(partial, draft.Shards) });
        Checkpoint.Open(disk, partial).Verify();
        disk.FlushFolder(partial);
        // The partial folder's own name must be durable before the rename gives it another.
        disk.FlushFolder(Root);
        MakeRoom(target);
        disk.RenameFolder(partial, target);
        disk.FlushFolder(Root);
        _verified.Add(target);
        _log.Write(LogLevel.Info, Source, $"published {target}");
        Sweep(name => name.EndsWith(CheckpointNames.ReplacedSuffix, StringComparison.Ordinal));
        return new CheckpointPlace(step, target);
    }

    private void WriteManifest(string partial, Manifest manifest)
    {
        using var file = disk.Create(Path.Combine(partial, Manifest.FileName));
        file.Write(manifest.Encode());
        file.Flush();
    }

    private List<SavedTensor> ListTensors(string partial, IReadOnlyList<ShardFile> shards)
    {
        var tensors = new List<SavedTensor>();
        for (var i = 0; i < shards.Count; i++)
        {
            var file = Path.Combine(partial, shards[i].File);
            if (!disk.FileExists(file)) throw Damage.Because(file, "the shard is missing");
            using var stream = disk.OpenRead(file);
            foreach (var t in SafetensorsHeader.Read(stream, file).Tensors)
                tensors.Add(new SavedTensor
                {
                    Name = t.Name, DType = SafetensorsHeader.NameOf(t.DType),
                    Shape = t.Shape.Dims.ToArray(), Shard = i
                });
        }

        return tensors;
    }

    private bool IsSameState(string target, Manifest draft)
    {
        if (!disk.FolderExists(target)) return false;
        try
        {
            var there = Checkpoint.Open(disk, target);
            var same = there.Manifest.Fingerprint == draft.Fingerprint
                && there.Manifest.GraphSha256 == draft.GraphSha256
                && there.Manifest.Seed == draft.Seed;
            return same && IsGood(target);
        }
        catch (UserException)
        {
            // Damaged: it is replaced.
            return false;
        }
    }

    // A damaged or different checkpoint of the same step makes room by a rename; Recover undoes it after a crash in
    // between.
    private void MakeRoom(string target)
    {
        if (!disk.FolderExists(target)) return;
        _verified.Remove(target);
        var aside = target + CheckpointNames.ReplacedSuffix;
        disk.DeleteFolder(aside);
        disk.RenameFolder(target, aside);
        disk.FlushFolder(Root);
    }

    /// <summary>Published checkpoints, oldest first.</summary>
    public IReadOnlyList<CheckpointPlace> List()
    {
        var places = new List<CheckpointPlace>();
        foreach (var name in disk.List(Root))
            if (CheckpointNames.TryReadPublished(name, out var step))
                places.Add(new CheckpointPlace(step, Path.Combine(Root, name)));
        places.Sort((a, b) => a.Step.CompareTo(b.Step));
        return places;
    }

    /// <summary>The newest checkpoint that verifies, or null. Newer ones that do not are logged with their
    /// reason.</summary>
    public Checkpoint? NewestGood()
    {
        foreach (var place in List().Reverse())
        {
            if (WhyBad(place.Path) is not { } why) return Checkpoint.Open(disk, place.Path);
            _log.Write(LogLevel.Warning, Source, $"skipped: {why}");
        }

        return null;
    }

    public Checkpoint Open(string path) => Checkpoint.Open(disk, path);

    /// <summary>Reads everything again; returns what is wrong in one line, or null.</summary>
    public string? Verify(string path)
    {
        _verified.Remove(path);
        return WhyBad(path);
    }

    private bool IsGood(string path) => WhyBad(path) is null;

    private string? WhyBad(string path)
    {
        if (_verified.Contains(path)) return null;
        try
        {
            Checkpoint.Open(disk, path).Verify();
            _verified.Add(path);
            return null;
        }
        catch (UserException e)
        {
            return e.Message;
        }
    }

    /// <summary>Deletes all but the newest <paramref name="keep"/>, and never the newest one that verifies
    /// (CK-3).</summary>
    public void KeepLast(int keep)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(keep, 1);
        var places = List();
        var kept = places.Skip(Math.Max(0, places.Count - keep)).ToList();
        var old = places.Take(places.Count - kept.Count).Reverse().ToList();
        var haveGood = kept.AsEnumerable().Reverse().Any(place => IsGood(place.Path));
        foreach (var place in old)
        {
            if (!haveGood && IsGood(place.Path))
            {
                haveGood = true;
                continue;
            }

            Delete(place.Path);
        }
    }

    private void Delete(string path)
    {
        _verified.Remove(path);
        var aside = path + CheckpointNames.DeletedSuffix;
        disk.DeleteFolder(aside);
        disk.RenameFolder(path, aside);
        // Its files may vanish on the disk before its name changes there: the name goes first (CK-4).
        disk.FlushFolder(Root);
        disk.DeleteFolder(aside);
    }

    /// <summary>
    /// Clears what a crash left: a replaced checkpoint whose successor did not come is put back; half-deleted ones go;
    /// partial folders of generations before <paramref name="current"/> go, and those of workers that wrote alone.
    /// </summary>
    public void Recover(Generation current)
    {
        foreach (var name in disk.List(Root).Where(
            n => n.EndsWith(CheckpointNames.ReplacedSuffix, StringComparison.Ordinal)))
        {
            var original = Path.Combine(Root, name[..^CheckpointNames.ReplacedSuffix.Length]);
            if (disk.FolderExists(original)) continue;
            disk.RenameFolder(Path.Combine(Root, name), original);
            disk.FlushFolder(Root);
        }

        Sweep(name => name.EndsWith(CheckpointNames.ReplacedSuffix, StringComparison.Ordinal)
            || name.EndsWith(CheckpointNames.DeletedSuffix, StringComparison.Ordinal)
            || CheckpointNames.IsAlone(name)
            || (CheckpointNames.TryReadPartial(name, out _, out var generation) && generation < current));
    }

    /// <summary>Gives up one save: its partial folder goes.</summary>
    public void Abandon(StepNumber step, Generation generation) =>
        disk.DeleteFolder(Path.Combine(Root, CheckpointNames.Partial(step, generation, Writer)));

    private void Sweep(Func<string, bool> isRubbish)
    {
        foreach (var name in disk.List(Root).Where(isRubbish)) disk.DeleteFolder(Path.Combine(Root, name));
    }
}
