using Convoy.Cluster.Tests.Processes;

namespace Convoy.Cluster.Tests;

// The four terminals with certificates: init, token, two fresh machines, submit; the same bits as without (decision
// 11).
public class SecureClusterTests(ClusterFixture cluster)
{
    [Fact]
    public async Task FreshMachinesJoinWithATokenAndTrainOverTls()
    {
        var folder = Directory.CreateDirectory(Path.Combine(cluster.Folder, "secure")).FullName;
        var (home, state) = (Path.Combine(folder, "home"), Path.Combine(folder, "state"));
        await DoneAsync("init", "--credentials", home);
        using var coordinator = ConvoyProcess.Start(
            cluster.Folder, "coordinator", "--listen", "127.0.0.1:0", "--tls", "--state", state, "--credentials", home);
        var address = (await EndpointAsync(state, coordinator)).Address;

        var token = await DoneAsync("token", "create", "--state", state, "--credentials",
            home, "--uses", "2", "--json");
        var secret = token.Json.GetProperty("token").GetString()!;
        using var first = Worker(folder, address, "w0", secret);
        using var second = Worker(folder, address, "w1", secret);
        var submit = await DoneAsync("submit", "job.yaml", "--to", address, "--tls", "--credentials", home, "--json");
        Assert.Equal(await cluster.ReferenceHashAsync(), submit.Json.GetProperty("weights_sha256").GetString());
        Assert.Equal(0, (await first.EndAsync()).Code);
        Assert.Equal(0, (await second.EndAsync()).Code);

        // The token is used up; plain is refused; a worker's certificate is no operator's.
        var third = await ConvoyProcess.RunAsync(cluster.Folder, "worker", "--join", address, "--tls", "--name", "w2",
            "--credentials", Path.Combine(folder, "w2"), "--token", secret);
        Assert.Equal(6, third.Code);
        Assert.Contains("is used up (2 of 2 uses)", third.Error, StringComparison.Ordinal);
        var plain = await ConvoyProcess.RunAsync(cluster.Folder, "status", "--to", address);
        Assert.Equal(6, plain.Code);
        Assert.Contains("speaks TLS only", plain.Error, StringComparison.Ordinal);
        await DoneAsync("status", "--state", state, "--credentials", home);
        coordinator.Terminate();
        Assert.Equal(0, (await coordinator.EndAsync()).Code);
    }

    // R19: listening on all interfaces, nobody is told 0.0.0.0, and everybody finds everybody.
    [Fact]
    public async Task NodesThatListenOnAllInterfacesFindEachOther()
    {
        var folder = Directory.CreateDirectory(Path.Combine(cluster.Folder, "everywhere")).FullName;
        var (home, state) = (Path.Combine(folder, "home"), Path.Combine(folder, "state"));
        await DoneAsync("init", "--credentials", home);
        using var coordinator = ConvoyProcess.Start(
            cluster.Folder, "coordinator", "--listen", "0.0.0.0:0", "--tls", "--state", state, "--credentials", home);
        var local = (await EndpointAsync(state, coordinator)).Address;
        var token = await DoneAsync("token", "create", "--state", state, "--credentials",
            home, "--uses", "2", "--json");
        var secret = token.Json.GetProperty("token").GetString()!;
        while (!coordinator.Snapshot(-1).Out.Contains("join with: ", StringComparison.Ordinal)) await Task.Yield();
        var advertised = coordinator.Snapshot(-1).Out.Split("--join ")[1].Split(' ')[0];
        Assert.DoesNotContain("0.0.0.0", advertised, StringComparison.Ordinal);

        using var first = Worker(folder, advertised, "w0", secret, "--listen", "0.0.0.0:0");
        using var second = Worker(folder, advertised, "w1", secret, "--listen", "0.0.0.0:0");
        var submit = await DoneAsync("submit", "job.yaml", "--to", local, "--tls", "--credentials", home, "--json");
        Assert.Equal(await cluster.ReferenceHashAsync(), submit.Json.GetProperty("weights_sha256").GetString());
        Assert.Equal(0, (await first.EndAsync()).Code);
        Assert.Equal(0, (await second.EndAsync()).Code);
        coordinator.Terminate();
        Assert.Equal(0, (await coordinator.EndAsync()).Code);
    }

    private ConvoyProcess Worker(string folder, string address, string name, string token, params string[] more) =>
        ConvoyProcess.Start(cluster.Folder, [
            "worker", "--join", address, "--tls", "--name", name, "--credentials", Path.Combine(folder, name),
            "--token", token, .. more]);

    private async Task<Ended> DoneAsync(params string[] words)
    {
        var ended = await ConvoyProcess.RunAsync(cluster.Folder, words);
        Assert.True(ended.Code == 0, ended.ToString());
        return ended;
    }

    private static async Task<Coordinator.Api.EndpointFile> EndpointAsync(string state, ConvoyProcess process)
    {
        using var deadline = new CancellationTokenSource(ConvoyProcess.Deadline);
        using var pace = new PeriodicTimer(TimeSpan.FromMilliseconds(20));
        while (await pace.WaitForNextTickAsync(deadline.Token))
            if (Coordinator.Api.EndpointFile.TryRead(state) is { } endpoint) return endpoint;
        throw new TimeoutException($"no coordinator\n{process.Snapshot(-1)}");
    }
}
