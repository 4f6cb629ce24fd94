using Convoy.Shared.Checkpoints;
using Convoy.Shared.Ids;
using Convoy.Shared.Jobs;
using Convoy.Shared.Storage;
using Convoy.Shared.Tensors;

namespace Convoy.Cli.Tests;

// CKPT-02: what is damaged is named in one line, whatever was damaged.
public sealed class CkptTests : IDisposable
{
    private readonly string _state = Directory.CreateTempSubdirectory("convoy-ckpt-").FullName;

    private string Checkpoints => Path.Combine(_state, "checkpoints");

    [Fact]
    public async Task GoodCheckpointsAreListedAndVerified()
    {
        Publish(100);
        var newest = Publish(200);

        var list = await CliRun.Of("ckpt", "ls", _state, "--json");
        Assert.Equal(0, list.Code);
        Assert.Equal([100, 200], list.Json.GetProperty("checkpoints").EnumerateArray()
            .Select(c => c.GetProperty("step").GetInt64()));
        Assert.Equal(0, (await CliRun.Of("ckpt", "verify", _state)).Code);
        Assert.Equal(0, (await CliRun.Of("ckpt", "verify", newest)).Code);
    }

    [Theory]
    [InlineData("*.safetensors", -1)]
    [InlineData("*.safetensors", 0)]
    [InlineData("*.safetensors", 9)]
    [InlineData("manifest.json", 30)]
    [InlineData("manifest.json", -1)]
    public async Task DamagedCheckpointIsOneLine(string pattern, int at)
    {
        var path = Publish(100);
        var file = Directory.GetFiles(path, pattern).Single();
        var bytes = File.ReadAllBytes(file);
        if (at < 0) bytes = bytes[..^5];
        else bytes[at] ^= 0x55;
        File.WriteAllBytes(file, bytes);

        var run = await CliRun.Of("ckpt", "verify", _state);

        run.IsOneLine(5);
        Assert.Contains(path, run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task MissingShardIsOneLine()
    {
        var path = Publish(100);
        File.Delete(Directory.GetFiles(path, "*.safetensors").Single());
        (await CliRun.Of("ckpt", "verify", _state)).IsOneLine(5);
    }

    [Fact]
    public async Task NothingThereIsOneLine() => (await CliRun.Of("ckpt", "verify", _state)).IsOneLine(5);

    private string Publish(long step)
    {
        var store = new CheckpointStore(Checkpoints, RealDisk.Instance);
        float[] values = [1, 2, 3, 4];
        var name = ShardPlan.Weights("w");
        var shard = store.WriteShard(new StepNumber(step), new Generation(1), 0, 1,
            [new(name, new Shape(2, 2), values)]);
        return store.Publish(new Manifest
        {
            Step = step,
            Generation = 1,
            Fingerprint = "0123456789abcdef",
            Seed = 1,
            Job = new JobSpec
            {
                Steps = 200,
                Model = new ModelSpec { Layers = [2, 2] },
                Data = new DataSpec { Path = ["/data.csv"] },
            },
            GraphSha256 = new string('0', 64),
            DataSha256 = new string('0', 64),
            Optimizer = "adamw",
            Shards = [shard],
            Tensors = [new SavedTensor { Name = name, DType = "F32", Shape = [2, 2], Shard = 0 }],
        }).Path;
    }

    public void Dispose() => Directory.Delete(_state, recursive: true);
}
