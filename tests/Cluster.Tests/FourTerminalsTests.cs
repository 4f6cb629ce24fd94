using Convoy.Cluster.Tests.Processes;
using Convoy.Coordinator.Api;

namespace Convoy.Cluster.Tests;

// DIST-14: the way of the README with processes started by hand: coordinator, two workers, submit.
public class FourTerminalsTests(ClusterFixture cluster)
{
    [Fact]
    public async Task CoordinatorTwoWorkersAndSubmit()
    {
        var state = Path.Combine(cluster.Folder, "by-hand");
        using var coordinator = ConvoyProcess.Start(cluster.Folder, "coordinator", "--listen", "127.0.0.1:0",
            "--state", state);
        await new RunningJob(state, coordinator).UntilAsync("the coordinator", _ => true);
        var address = EndpointFile.Read(state).Address;
        using var first = ConvoyProcess.Start(cluster.Folder, "worker", "--join", address, "--name", "w0");
        using var second = ConvoyProcess.Start(cluster.Folder, "worker", "--join", address, "--name", "w1");
        await new RunningJob(state, coordinator).UntilAsync("both workers", status => status.Workers.Count == 2);

        var submit = await ConvoyProcess.RunAsync(cluster.Folder, "submit", "job.yaml", "--to", address, "--json");

        Assert.True(submit.Code == 0, submit.ToString());
        Assert.Equal(await cluster.ReferenceHashAsync(), submit.Json.GetProperty("weights_sha256").GetString());
        // The job is over: its workers are let go, the coordinator stays until it is told to end.
        Assert.Equal(0, (await first.EndAsync()).Code);
        Assert.Equal(0, (await second.EndAsync()).Code);
        coordinator.Terminate();
        Assert.Equal(0, (await coordinator.EndAsync()).Code);
    }
}
