using Convoy.Cluster.Tests.Jobs;
using Convoy.Cluster.Tests.Processes;
using Convoy.Coordinator.Api;
using Convoy.Shared;
using Convoy.Shared.Checkpoints;
using Convoy.Shared.Storage;

namespace Convoy.Cluster.Tests;

/// <summary>FT-04, R24: processes end in named phases; asked a second time, at once.</summary>
public class ShutdownTests(ClusterFixture cluster)
{
    [Fact]
    public async Task ACoordinatorThatIsAskedToEndSavesItsJobFirst()
    {
        using var run = await RunAsync("saved");
        run.Coordinator.Terminate();
        var ended = await run.Coordinator.EndAsync();

        Assert.True(ended.Code == (int)ExitCode.Finished, ended.ToString());
        Assert.Contains("stopped at step", ended.Out, StringComparison.Ordinal);
        Assert.Equal(["stop-taking-work", "save", "close-lanes", "terminate-actors"], PhasesOf(run.State));
        var store = new CheckpointStore(Path.Combine(run.State, "checkpoints"), RealDisk.Instance);
        Assert.Null(store.Verify(store.List()[^1].Path));
    }

    [Fact]
    public async Task ACoordinatorThatIsAskedTwiceEndsAtOnce()
    {
        using var run = await RunAsync("at-once");
        Signal.Stop(run.Worker.Pid); // nobody answers: the save would wait for its deadline
        run.Coordinator.Terminate();
        await UntilLoggedAsync(run, "begins: asked to end");
        run.Coordinator.Terminate();
        var ended = await run.Coordinator.EndAsync();

        Assert.True(ended.Code == (int)ExitCode.GraceExpired, ended.ToString());
        Assert.Contains("not saved: ended at once", ended.Out, StringComparison.Ordinal);
        Assert.DoesNotContain("save", PhasesOf(run.State));
        Assert.False(File.Exists(Path.Combine(run.State, "endpoint.json")));
    }

    [Fact]
    public async Task AWorkerThatIsAskedTwiceEndsAtOnceToo()
    {
        using var run = await RunAsync("worker-at-once");
        Signal.Stop(run.Coordinator.Pid); // nobody lets it go
        run.Worker.Terminate();
        while (!run.Worker.Snapshot(-1).Error.Contains("draining", StringComparison.Ordinal)) await Task.Yield();
        run.Worker.Terminate();
        Assert.Equal((int)ExitCode.GraceExpired, (await run.Worker.EndAsync()).Code);
    }

    [Fact]
    public async Task AWorkerThatIsAskedOnceIsDrained()
    {
        using var run = await RunAsync("worker-drained");
        run.Worker.Terminate();
        var ended = await run.Worker.EndAsync();
        Assert.True(ended.Code is (int)ExitCode.Drained or (int)ExitCode.DrainedByCheckpoint, ended.ToString());
    }

    private async Task<Running> RunAsync(string name)
    {
        var state = Path.Combine(cluster.Folder, name);
        var coordinator = ConvoyProcess.Start(cluster.Folder, "coordinator", "--listen", "127.0.0.1:0",
            "--state", state);
        await new RunningJob(state, coordinator).UntilAsync("the coordinator", _ => true);
        var address = EndpointFile.Read(state).Address;
        var worker = ConvoyProcess.Start(cluster.Folder, "worker", "--join", address, "--name", "w0");
        var submit = ConvoyProcess.Start(cluster.Folder, "submit", "job.yaml", "--set", EndlessJob.Steps,
            "--to", address);
        await new RunningJob(state, coordinator).AtStepAsync(5);
        return new Running(state, coordinator, worker, submit);
    }

    private static async Task UntilLoggedAsync(Running run, string text)
    {
        using var deadline = new CancellationTokenSource(ConvoyProcess.Deadline);
        while (!Log(run.State).Any(line => line.Contains(text, StringComparison.Ordinal)))
        {
            deadline.Token.ThrowIfCancellationRequested();
            await Task.Yield();
        }
    }

    private static List<string> PhasesOf(string state) => [.. Log(state)
        .Where(line => line.Contains("shutdown: ", StringComparison.Ordinal)
            && line.Contains(" done after", StringComparison.Ordinal))
        .Select(line => line.Split("shutdown: ")[1].Split(' ')[0]).Where(phase => phase != "close-files")];

    private static string[] Log(string state)
    {
        using var file = new FileStream(Path.Combine(state, "logs", "coordinator.log"), FileMode.Open, FileAccess.Read,
            FileShare.ReadWrite | FileShare.Delete);
        using var reader = new StreamReader(file);
        return reader.ReadToEnd().Split('\n');
    }

    private sealed record Running(string State, ConvoyProcess Coordinator, ConvoyProcess Worker, ConvoyProcess Submit)
        : IDisposable
    {
        public void Dispose()
        {
            Submit.Dispose();
            Worker.Dispose();
            Coordinator.Dispose();
        }
    }
}
