using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text.Json;
using Convoy.Coordinator.Api;

namespace Convoy.Cli.Simulation.Checkers;

/// <summary>
/// A published checkpoint always loads, and has the reference's bits (CK-1 to CK-3): looked at when it is published,
/// after every crash of the storage, and at the end. Files are read here by the format's definition.
/// </summary>
internal sealed class CheckpointsChecker : Checker
{
    private string? _newest;
    private long _step;

    public override void OnAppended(long token, string type, JournalRecord record)
    {
        if (type != "checkpoint_published") return;
        (_newest, _step) = (record.Text("path"), record.Number("step"));
        Look("when it was published");
    }

    public override void OnDiskRecovered() => Look("after a crash of the storage");

    public override void OnJobOver(StatusReport report)
    {
        // A coordinator that lost its lease may have published one that its journal never heard of; its successor finds
        // it, and it has to be as good as any other.
        if (report.Checkpoint is { } found && found.Step > _step) (_newest, _step) = (found.Path, found.Step);
        Look("at the end");
        if (report.Outcome == "finished")
            Check(_step == Job.Plan.Steps,
                $"the job is over at step {Job.Plan.Steps}, the newest checkpoint is of {_step}");
    }

    private void Look(string when)
    {
        // while the server is down nobody reads; it is looked at when it is back
        if (_newest is null || Cluster.IsDiskDown) return;
        try
        {
            if (WhyBad(_newest) is { } why) Fail($"the checkpoint of step {_step} does not load {when}: {why}");
        }
        catch (Exception e) when (e is IOException or JsonException or KeyNotFoundException or ArgumentException
            or InvalidOperationException)
        {
            Fail($"the checkpoint of step {_step} does not load {when}: {e.Message}");
        }
    }

    private string? WhyBad(string folder)
    {
        using var manifest = JsonDocument.Parse(Read(Path.Combine(folder, "manifest.json")));
        if (manifest.RootElement.GetProperty("step").GetInt64() != _step) return "its manifest is of another step";
        var found = new SortedDictionary<string, float[]>(StringComparer.Ordinal);
        foreach (var shard in manifest.RootElement.GetProperty("shards").EnumerateArray())
            ReadShard(Read(Path.Combine(folder, shard.GetProperty("file").GetString()!)), found);
        if (Job.Replicas.WeightsOf(_step) is not { } weights
            || Job.Replicas.MomentumOf(_step) is not { } momentum)
            return _step == 0 ? null : "nobody has reached its step";
        var at = 0;
        foreach (var (name, length) in new[] { ("a", 160), ("b", weights.Length - 163) })
        {
            if (Differs(found, name, weights.AsSpan(at, length))) return $"{name} has other bits than the reference";
            if (Differs(found, "momentum", name, momentum.AsSpan(at, length)))
                return $"the momentum of {name} has other bits than the reference";
            at += length;
        }

        return null;
    }

    private byte[] Read(string path)
    {
        using var stream = Cluster.Disk.OpenRead(path);
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }

    /// <summary>safetensors: length of the header, header as JSON, data.</summary>
    private static void ReadShard(byte[] bytes, SortedDictionary<string, float[]> into)
    {
        var header = (int)BinaryPrimitives.ReadInt64LittleEndian(bytes);
        using var json = JsonDocument.Parse(bytes.AsMemory(8, header));
        foreach (var tensor in json.RootElement.EnumerateObject())
        {
            if (tensor.Name == "__metadata__") continue;
            var offsets = tensor.Value.GetProperty("data_offsets");
            var (from, end) = (offsets[0].GetInt32(), offsets[1].GetInt32());
            into[tensor.Name] = MemoryMarshal.Cast<byte, float>(bytes.AsSpan(8 + header + from, end - from)).ToArray();
        }
    }

    private static bool Differs(SortedDictionary<string, float[]> found, string name, ReadOnlySpan<float> expected) =>
        !found.Keys.Any(k => IsNameOf(k, name)) || !Same(found.First(f => IsNameOf(f.Key, name)).Value, expected);

    private static bool Differs(SortedDictionary<string, float[]> found, string state, string name,
        ReadOnlySpan<float> expected) =>
        !found.Keys.Any(k => k.Contains(state, StringComparison.Ordinal) && k.EndsWith(name, StringComparison.Ordinal))
        || !Same(found.First(f => f.Key.Contains(state, StringComparison.Ordinal)
            && f.Key.EndsWith(name, StringComparison.Ordinal)).Value, expected);

    private static bool IsNameOf(string key, string name) =>
        key == name
            || (key.EndsWith(name, StringComparison.Ordinal) && !key.Contains("momentum", StringComparison.Ordinal));

    private static bool Same(float[] found, ReadOnlySpan<float> expected) =>
        MemoryMarshal.Cast<float, uint>(found.AsSpan()).SequenceEqual(MemoryMarshal.Cast<float, uint>(expected));
}
