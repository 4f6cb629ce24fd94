using Convoy.Coordinator.Api;
using Convoy.Coordinator.Hosting;
using Convoy.Shared;
using Convoy.Shared.Jobs;

namespace Convoy.Coordinator.Tests.Hosting;

public sealed class CoordinatorHostTests : IDisposable
{
    private readonly string _state = Path.Combine(Path.GetTempPath(), "convoy-host-" + Path.GetRandomFileName());

    private CoordinatorOptions Options => new() { StateDirectory = _state };

    [Fact]
    public async Task One_port_answers_status_health_and_refusals()
    {
        await using var host = await CoordinatorHost.StartAsync(Options);
        Assert.Equal(host.Address, EndpointFile.Read(_state).Address);
        using var client = ConvoyClient.OfState(_state);
        var status = await client.StatusAsync();
        Assert.Equal(("none", "forming"), (status.State, status.Membership));

        using var http = new HttpClient();
        Assert.Equal("ok\n", await http.GetStringAsync($"http://{host.Address}/healthz"));
        var stop = await Assert.ThrowsAsync<UserException>(() => client.StopAsync(new StopRequest()));
        Assert.Equal((ExitCode.Cluster, "no job runs here: there is nothing to stop"), (stop.Code, stop.Message));
        Assert.Equal(1, (await client.StepsAsync(1)).Next);
    }

    [Fact]
    public async Task A_submitted_job_waits_for_workers_and_says_so()
    {
        await using var host = await CoordinatorHost.StartAsync(Options);
        using var client = new ConvoyClient(host.Address);
        var reply = await client.SubmitAsync(Request());
        Assert.Equal("digits-1", reply.JobId);
        var status = await client.StatusAsync();
        Assert.Equal("preparing", status.State);
        Assert.Contains(status.Reasons, r => r.Contains("no worker is with this job", StringComparison.Ordinal));
        var second = await Assert.ThrowsAsync<UserException>(() => client.SubmitAsync(Request()));
        Assert.Contains("is here already, as digits-1", second.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_job_that_breaks_a_rule_is_refused_in_one_line()
    {
        await using var host = await CoordinatorHost.StartAsync(Options);
        using var client = new ConvoyClient(host.Address);
        var refused = await Assert.ThrowsAsync<UserException>(() => client.SubmitAsync(Request() with { Graph = [] }));
        Assert.Equal(ExitCode.BadJob, refused.Code);
        Assert.DoesNotContain('\n', refused.Message);
    }

    [Fact]
    public async Task A_second_coordinator_on_the_same_folder_is_refused()
    {
        await using var host = await CoordinatorHost.StartAsync(Options);
        var refused = await Assert.ThrowsAsync<UserException>(() => CoordinatorHost.StartAsync(Options));
        Assert.Equal(ExitCode.Cluster, refused.Code);
        Assert.Contains(host.Address, refused.Message, StringComparison.Ordinal);
        Assert.Equal("none", host.Status.State);
    }

    [Fact]
    public async Task A_restart_takes_the_folder_over_with_a_higher_token()
    {
        var first = await CoordinatorHost.StartAsync(Options);
        using (var client = new ConvoyClient(first.Address)) await client.SubmitAsync(Request());
        await first.StopAsync();
        Assert.Null(EndpointFile.TryRead(_state));

        await using var second = await CoordinatorHost.StartAsync(Options);
        using var next = new ConvoyClient(second.Address);
        Assert.Equal("digits-2", (await next.SubmitAsync(Request() with { Resume = true })).JobId);
    }

    [Fact]
    public async Task Nobody_there_is_one_line_with_the_address()
    {
        using var client = new ConvoyClient("127.0.0.1:1");
        var refused = await Assert.ThrowsAsync<UserException>(() => client.StatusAsync());
        Assert.Equal(ExitCode.Cluster, refused.Code);
        Assert.Contains("127.0.0.1:1", refused.Message, StringComparison.Ordinal);
    }

    public void Dispose()
    {
        if (Directory.Exists(_state)) Directory.Delete(_state, recursive: true);
    }

    private static SubmitRequest Request() => new()
    {
        Graph = [1, 2, 3],
        Job = new JobSpec
        {
            Job = "digits", Epochs = 1, Model = new ModelSpec { Family = "mlp", Layers = [64, 10] },
            Data = new DataSpec { Format = "csv", Path = ["/data/digits.csv"] },
        },
    };
}
