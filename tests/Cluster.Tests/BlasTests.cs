using Convoy.Cluster.Tests.Processes;
using Convoy.Kernels;
using Convoy.Shared.Jobs;

namespace Convoy.Cluster.Tests;

// DEV-13: with a BLAS library of the machine a job learns as well, and its weights do not depend on the number of
// workers; they are not those of the managed kernels.
public class BlasTests(ClusterFixture cluster)
{
    [Fact]
    public async Task ALibraryGivesOneHash_ForAnyNumberOfWorkers()
    {
        Assert.SkipWhen(BlasProvider.Find(BlasLibrary.OpenBlas) is null, "there is no OpenBLAS on this machine");
        var hashes = new List<string>();
        foreach (var workers in (int[])[1, 2, 3])
        {
            var ended = await ConvoyProcess.RunAsync(cluster.Folder, "train", "job.yaml", "--workers", $"{workers}",
                "--blas", "openblas", "--state", $"blas-{workers}", "--json");
            Assert.True(ended.Code == 0, ended.ToString());
            Assert.True(ended.Json.GetProperty("metrics").GetProperty("test_accuracy").GetDouble() > 0.9);
            hashes.Add(ended.Json.GetProperty("weights_sha256").GetString()!);
        }

        Assert.Single(hashes.Distinct());
        Assert.NotEqual(await cluster.ReferenceHashAsync(), hashes[0]);
    }

    [Fact]
    public async Task ALibraryThatIsNotThere_EndsTheJobWithOneLine()
    {
        var absent = OperatingSystem.IsMacOS() ? "atlas" : "accelerate";
        var ended = await ConvoyProcess.RunAsync(cluster.Folder, "train", "job.yaml", "--workers", "1",
            "--blas", absent, "--state", "blas-absent");
        Assert.Equal(3, ended.Code);
        Assert.Contains($"blas: {absent} is not on this machine", ended.ToString());
    }
}
