using Convoy.Cluster.Tests.Processes;
using Convoy.Kernels;

namespace Convoy.Cluster.Tests;

// OPS-13: a job with convolutions has the same weights with and without an accelerator, for any number of workers.
public class AcceleratorTests(ClusterFixture cluster)
{
    [Fact]
    public async Task WeightsAreTheSame_WithAndWithoutAnAccelerator()
    {
        Assert.SkipWhen(Accelerator.Devices(out var missing).Count == 0, missing ?? "");
        var expected = await HashAsync(1, "none");
        Assert.Equal(expected, await HashAsync(1, "opencl"));
        Assert.Equal(expected, await HashAsync(3, "opencl"));
    }

    [Fact]
    public async Task ADeviceThatIsNotThere_EndsTheJobWithOneLine()
    {
        var ended = await RunAsync(1, "opencl:63");
        Assert.True(ended.Code == 9, ended.ToString());
        Assert.Contains("accelerator opencl:63", ended.ToString());
    }

    private async Task<string> HashAsync(int workers, string accelerator)
    {
        var ended = await RunAsync(workers, accelerator);
        Assert.True(ended.Code == 0, ended.ToString());
        return ended.Json.GetProperty("weights_sha256").GetString()!;
    }

    private Task<Ended> RunAsync(int workers, string accelerator)
    {
        var job = File.ReadAllText(Path.Combine(cluster.Folder, "job.yaml")).Replace(
            "{ family: mlp, layers: [16, 256, 256, 4], activation: relu }",
            "{ family: cnn, image: [1, 4, 4], network: [conv8, conv12, pool, 4], activation: relu }",
            StringComparison.Ordinal);
        File.WriteAllText(Path.Combine(cluster.Folder, "images.yaml"), job);
        return ConvoyProcess.RunAsync(cluster.Folder, "train", "images.yaml", "--workers", $"{workers}", "--steps", "60",
            "--accelerator", accelerator, "--state", $"accelerator-{workers}-{accelerator.Replace(':', '-')}", "--json");
    }
}
