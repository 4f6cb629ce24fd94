using Convoy.Cluster.Tests.Processes;

namespace Convoy.Cluster.Tests;

// Many seeds run in a process of their own, with the compiler set for them; who starts the command sees one.
public class SimulationTests(ClusterFixture cluster)
{
    [Fact]
    public async Task ManySeedsGiveOneResultAndOneExitCode()
    {
        var good = await ConvoyProcess.RunAsync(cluster.Folder, "sim", "--seeds", "1..24", "--workers", "2",
            "--steps", "3", "--faults", "none", "--json");

        Assert.True(good.Code == 0, good.ToString());
        Assert.Equal(24, good.Json.GetProperty("seeds").GetInt32());
        Assert.Equal(0, good.Json.GetProperty("failures").GetInt32());
        Assert.Contains("24 seeds, 0 failures", good.Error, StringComparison.Ordinal);

        var bad = await ConvoyProcess.RunAsync(cluster.Folder, "sim", "--seeds", "1..24", "--steps", "0");
        Assert.Equal(2, bad.Code);
        Assert.Contains("steps 0: 1 to 100000 are possible", bad.Error, StringComparison.Ordinal);
    }
}
