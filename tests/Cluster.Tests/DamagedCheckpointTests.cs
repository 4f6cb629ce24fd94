using Convoy.Cluster.Tests.Processes;

namespace Convoy.Cluster.Tests;

// CKPT-02, R9: resuming from what is damaged falls back to the newest good checkpoint, and is refused when there is
// none: it never begins anew in silence.
public class DamagedCheckpointTests(ClusterFixture cluster)
{
    [Fact]
    public async Task FallsBackThenRefuses()
    {
        var first = await TrainAsync("--steps", "250");
        Assert.True(first.Code == 0, first.ToString());
        Damage(first.Json.GetProperty("checkpoint").GetString()!);

        var second = await TrainAsync("--steps", "260", "--resume");
        Assert.True(second.Code == 0, second.ToString());
        Assert.Contains("resumed from the checkpoint of step 200", second.Error, StringComparison.Ordinal);

        foreach (var folder in Directory.GetDirectories(Path.Combine(cluster.Folder, "damaged", "checkpoints")))
            Damage(folder);
        var third = await TrainAsync("--resume");
        Assert.True(third.Code == 5, third.ToString());
        Assert.Equal(5, third.Json.GetProperty("exit_code").GetInt32());
        Assert.DoesNotContain("   at ", third.Error, StringComparison.Ordinal);
    }

    private Task<Ended> TrainAsync(params string[] more) => ConvoyProcess.RunAsync(cluster.Folder,
        ["train", "job.yaml", "--workers", "1", "--state", "damaged", "--json", .. more]);

    private static void Damage(string checkpoint)
    {
        var shard = Directory.GetFiles(checkpoint, "*.safetensors")[0];
        var bytes = File.ReadAllBytes(shard);
        bytes[^7]++;
        File.WriteAllBytes(shard, bytes);
    }
}
