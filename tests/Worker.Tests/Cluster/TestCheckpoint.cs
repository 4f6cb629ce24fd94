using Convoy.Shared.Checkpoints;
using Convoy.Shared.Protocol;
using Convoy.Shared.Storage;

namespace Convoy.Worker.Tests.Cluster;

/// <summary>Publishes the shards of a step as the coordinator would.</summary>
internal static class TestCheckpoint
{
    public static void Publish(FakeCoordinator c, long step)
    {
        var shards = new List<ShardSaved>();
        for (var w = 1; c.Heard<ShardSaved>($"n{w}") is { Count: > 0 } saved; w++) shards.Add(saved[^1]);
        var store = new CheckpointStore(Path.Combine(c.Folder, "checkpoints"), RealDisk.Instance);
        var place = store.Publish(new Manifest
        {
            Step = step, Generation = shards[0].Generation, Fingerprint = shards[0].Fingerprint.ToString("x16"),
            Seed = c.Job.Seed, Job = c.Job, GraphSha256 = new string('0', 64), DataSha256 = new string('0', 64),
            Optimizer = c.Job.Optimizer.Kind,
            Shards = [.. shards.Select(s => new ShardFile
            {
                File = s.File, Bytes = s.Bytes, Sha256 = Convert.ToHexStringLower(s.Sha256.Span),
            })],
        });
        Directory.Move(place.Path, Path.Combine(c.Folder, "published"));
    }
}
