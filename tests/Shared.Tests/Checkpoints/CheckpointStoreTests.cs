using Convoy.Shared.Checkpoints;
using Convoy.Shared.Ids;
using Convoy.Shared.Jobs;
using Convoy.Shared.Storage;
using Convoy.Shared.Tensors;

namespace Convoy.Shared.Tests.Checkpoints;

// CKPT-02, CKPT-03: what is saved loads; what is damaged is found; old ones go, the newest good one stays.
public sealed class CheckpointStoreTests
{
    private static readonly JobSpec Job = new()
    {
        Model = new ModelSpec { Layers = [2, 3] }, Data = new DataSpec { Path = ["/d.csv"] }, Steps = 10,
    };

    internal static Manifest Draft(long step, long generation, IReadOnlyList<ShardFile> shards) => new()
    {
        Step = step, Generation = generation, Fingerprint = new Fingerprint((ulong)step * 77).ToString(), Seed = 7,
        Job = Job,
        GraphSha256 = "aa", DataSha256 = "bb", Optimizer = "adamw", Shards = shards,
        SavedBy = new SavedBy { Utc = DateTimeOffset.UnixEpoch, Host = "h", Workers = 2 },
    };

    internal static CheckpointPlace Save(CheckpointStore store, long step, long generation = 1, float add = 0)
    {
        var (s, g) = (new StepNumber(step), new Generation(generation));
        return store.Publish(Draft(step, generation,
        [
            store.WriteShard(s, g, 0, 2, [new("weights/a", new Shape(2, 2), Values(step + add, 4))]),
            store.WriteShard(s, g, 1, 2,
                [new("weights/b", new Shape(3), Values(step + add + 0.5f, 3)),
                new("m/a", new Shape(2, 2), Values(9, 4))]),
        ]));
    }

    private static float[] Values(float first, int count) =>
        [.. Enumerable.Range(0, count).Select(i => first + (i * 1000))];

    internal static float[] LoadWeights(Checkpoint checkpoint)
    {
        var flat = new float[32];
        checkpoint.Load(new FlatVector(flat,
            [new("weights/a", new Shape(2, 2), 0), new("weights/b", new Shape(3), 16)]));
        return flat;
    }

    private readonly MemoryDisk _disk = new();

    private CheckpointStore Open() => new("/state/checkpoints", _disk);

    private static string Refusal(Action action)
    {
        var e = Assert.Throws<UserException>(action);
        Assert.Equal(ExitCode.BadCheckpoint, e.Code);
        Assert.DoesNotContain('\n', e.Message);
        return e.Message;
    }

    [Fact]
    public void A_saved_state_loads_into_flat_vectors()
    {
        Assert.Equal("/state/checkpoints/step-00000100", Save(Open(), 100).Path);
        var checkpoint = Open().NewestGood()!;
        Assert.Equal(100, checkpoint.Manifest.Step);
        Assert.Equal(["m/a", "weights/a", "weights/b"],
            checkpoint.Manifest.Tensors.Select(t => t.Name).Order(StringComparer.Ordinal));
        Assert.Equal(JobJson.Write(Job), JobJson.Write(checkpoint.Manifest.Job));
        var flat = LoadWeights(checkpoint);
        Assert.Equal([100, 1100, 2100, 3100, 0], flat[..5]);
        Assert.Equal([100.5f, 1100.5f, 2100.5f, 0], flat[16..20]);
        Assert.Equal(["step-00000100"], _disk.List("/state/checkpoints"));
    }

    [Fact]
    public void A_state_that_does_not_fit_is_refused_by_the_tensor()
    {
        var checkpoint = Open().Open(Save(Open(), 1).Path);
        var flat = new float[64];
        Assert.Contains("it has no tensor weights/c",
            Refusal(() => checkpoint.Load(new FlatVector(flat, [new("weights/c", new Shape(3), 0)]))),
            StringComparison.Ordinal);
        Assert.Contains("tensor weights/a is F32 [2, 2], the model needs F32 [4]",
            Refusal(() => checkpoint.Load(new FlatVector(flat, [new("weights/a", new Shape(4), 0)]))),
                StringComparison.Ordinal);
    }

    [Fact]
    public void Every_damaged_byte_of_a_checkpoint_is_found()
    {
        var path = Save(Open(), 1).Path;
        foreach (var name in _disk.List(path))
        {
            var file = $"{path}/{name}";
            int length;
            using (var stream = _disk.OpenRead(file)) length = (int)stream.Length;
            for (var at = 0; at < length; at++)
            {
                _disk.Damage(file, at);
                var why = Open().Verify(path);
                // A flipped space between two tokens of the manifest may leave the same document.
                if (name != Manifest.FileName || why is not null)
                    Assert.StartsWith(path, Assert.IsType<string>(why), StringComparison.Ordinal);
                _disk.Damage(file, at);
            }
        }

        Assert.Null(Open().Verify(path));
    }

    [Fact]
    public void A_cut_or_missing_shard_is_found_and_named()
    {
        var path = Save(Open(), 1).Path;
        _disk.Truncate($"{path}/shard-00002-of-00002.safetensors", 100);
        Assert.Contains("shard-00002-of-00002.safetensors: byte 100: the shard has 100 bytes", Open().Verify(path),
            StringComparison.Ordinal);
        _disk.DeleteFile($"{path}/shard-00002-of-00002.safetensors");
        Assert.Contains("shard-00002-of-00002.safetensors: the shard is missing", Open().Verify(path),
            StringComparison.Ordinal);
        _disk.DeleteFile($"{path}/manifest.json");
        Assert.Contains("not a checkpoint", Open().Verify(path), StringComparison.Ordinal);
        Assert.Contains("not a checkpoint", Refusal(() => Open().Open("/nowhere")), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("[]", "not the manifest")]
    [InlineData("{}", "not the manifest")]
    [InlineData("{\"format\":\"convoy-checkpoint\",\"version\":2}", "format version 2 is not read here")]
    [InlineData("{\"format\":\"convoy-checkpoint\",\"version\":1}", "the manifest cannot be read")]
    [InlineData("{\"format\":7}", "not the manifest")]
    [InlineData("xx", "the manifest cannot be read")]
    public void A_wrong_manifest_is_refused(string json, string reason)
    {
        _disk.CreateFolder("/c");
        using (var file = _disk.Create("/c/manifest.json")) file.Write(System.Text.Encoding.UTF8.GetBytes(json));
        Assert.Contains(reason, Refusal(() => Open().Open("/c")), StringComparison.Ordinal);
    }

    [Fact]
    public void A_manifest_of_a_version_that_lacked_a_key_is_read()
    {
        var now = System.Text.Encoding.UTF8.GetString(Draft(1, 1, []).Encode());
        var seal = now[(now.LastIndexOf(": \"", StringComparison.Ordinal) + 3)..][..64];
        var then = string.Join('\n', now.Replace(seal, "", StringComparison.Ordinal).Split('\n')
            .Where(line => !line.Contains("micro_batches", StringComparison.Ordinal)));
        Assert.NotEqual(now.Length - 64, then.Length);
        var sealedThen = then.Replace("\"manifest_sha256\": \"\"", $"\"manifest_sha256\": \"{Sha256(then)}\"",
            StringComparison.Ordinal);
        Assert.Equal(1, Decode(sealedThen).Job.MicroBatches);
        Assert.Contains("own SHA-256", Refusal(() => Decode(sealedThen.Replace("\"step\": 1", "\"step\": 2",
            StringComparison.Ordinal))), StringComparison.Ordinal);

        static Manifest Decode(string json) =>
            Manifest.Decode(new MemoryStream(System.Text.Encoding.UTF8.GetBytes(json)), "m");
        static string Sha256(string text) => Convert.ToHexStringLower(
            System.Security.Cryptography.SHA256.HashData(System.Text.Encoding.UTF8.GetBytes(text)));
    }

    [Fact]
    public void A_shard_outside_the_folder_is_refused()
    {
        var shard = new ShardFile { File = "../x", Bytes = 1, Sha256 = "" };
        var bytes = Draft(1, 1, [shard]).Encode();
        Assert.Contains("is not the name of a shard", Refusal(() => Manifest.Decode(new MemoryStream(bytes), "m")),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_shard_that_changed_before_publication_is_never_published()
    {
        var store = Open();
        var shard = store.WriteShard(new StepNumber(1), new Generation(1), 0, 1,
            [new("weights/a", new Shape(1), Values(1, 1))]);
        _disk.Damage("/state/checkpoints/step-00000001.g1.partial/" + shard.File, (int)shard.Bytes - 1);
        Assert.Contains("SHA-256", Refusal(() => store.Publish(Draft(1, 1, [shard]))), StringComparison.Ordinal);
        Assert.Empty(store.List());
    }

    [Fact]
    public void Keep_last_keeps_the_newest_that_verifies()
    {
        var store = Open();
        for (var step = 1; step <= 5; step++) Save(store, step);
        store.KeepLast(3);
        Assert.Equal([3, 4, 5], store.List().Select(p => p.Step.Value));
        _disk.Damage("/state/checkpoints/step-00000005/manifest.json", 200);
        var reopened = Open();
        reopened.KeepLast(1);
        Assert.Equal([4, 5], reopened.List().Select(p => p.Step.Value));
        Assert.Equal(4, reopened.NewestGood()!.Manifest.Step);
    }

    [Fact]
    public void A_damaged_checkpoint_of_the_same_step_is_replaced_and_a_good_one_is_kept()
    {
        var path = Save(Open(), 1).Path;
        Save(Open(), 1, generation: 2);
        Assert.Equal(1, Open().NewestGood()!.Manifest.Generation);
        _disk.Damage(path + "/manifest.json", 200);
        Save(Open(), 1, generation: 3);
        Assert.Equal(3, Open().NewestGood()!.Manifest.Generation);
        Assert.Equal(["step-00000001"], _disk.List("/state/checkpoints"));
    }

    [Fact]
    public void Recovery_clears_partial_folders_of_the_past_only()
    {
        var store = Open();
        store.WriteShard(new StepNumber(5), new Generation(1), 0, 1, []);
        store.WriteShard(new StepNumber(5), new Generation(2), 0, 1, []);
        _disk.CreateFolder("/state/checkpoints/step-00000001.deleted");
        _disk.CreateFolder("/state/checkpoints/something else");
        store.Recover(new Generation(2));
        Assert.Equal(["something else", "step-00000005.g2.partial"], _disk.List("/state/checkpoints"));
        store.Abandon(new StepNumber(5), new Generation(2));
        Assert.Equal(["something else"], _disk.List("/state/checkpoints"));
    }

    [Theory]
    [InlineData("step-00000100", true)]
    [InlineData("step-123456789", true)]
    [InlineData("step-100", false)]
    [InlineData("step-00000100.g3.partial", false)]
    [InlineData("step-0000010x", false)]
    [InlineData("step--0000100", false)]
    public void Names_of_checkpoints_are_exact(string name, bool isOne) =>
        Assert.Equal(isOne, CheckpointNames.TryReadPublished(name, out _));

    [Fact]
    public void The_real_disk_does_the_same()
    {
        var folder = Directory.CreateTempSubdirectory("convoy-ckpt-").FullName;
        try
        {
            var store = new CheckpointStore(Path.Combine(folder, "a", "b"), RealDisk.Instance);
            Assert.Empty(store.List());
            Assert.Null(store.NewestGood());
            for (var step = 1; step <= 3; step++) Save(store, step);
            store.KeepLast(2);
            Assert.Equal(3, LoadWeights(new CheckpointStore(store.Root, RealDisk.Instance).NewestGood()!)[0]);
            Assert.Equal(2, Directory.GetFileSystemEntries(store.Root).Length);
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }
}
