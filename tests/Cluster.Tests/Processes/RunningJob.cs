using Convoy.Coordinator.Api;

namespace Convoy.Cluster.Tests.Processes;

/// <summary>Looks at a running job from outside, as `status --state` does, and waits for what a test needs.</summary>
internal sealed class RunningJob(string state, ConvoyProcess? process = null, string? job = null)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan Pace = TimeSpan.FromMilliseconds(20);

    /// <summary>The first report for which the condition holds; fails when the process ends or time is over.</summary>
    public async Task<StatusReport> UntilAsync(string what, Func<StatusReport, bool> condition)
    {
        using var deadline = new CancellationTokenSource(Patience);
        var last = "no coordinator found";
        using var pace = new PeriodicTimer(Pace);
        while (!deadline.IsCancellationRequested)
        {
            if (EndpointFile.TryRead(state) is { } endpoint)
            {
                try
                {
                    using var client = new ConvoyClient(endpoint.Address) { Job = job };
                    var status = await client.StatusAsync(deadline.Token);
                    if (condition(status)) return status;
                    last = $"{status.State} step {status.Step}, {status.Workers.Count} workers";
                }
                catch (Exception notYet) when (notYet is Shared.UserException or OperationCanceledException)
                {
                    last = notYet.Message;
                }
            }
            await pace.WaitForNextTickAsync();
        }
        throw new TimeoutException($"waited for {what}; last seen: {last}\n{process?.Snapshot(-1)}");
    }

    public Task<StatusReport> AtStepAsync(long step) => UntilAsync($"step {step}", status => status.Step >= step);

    public static async Task GoneAsync(IEnumerable<int> pids, TimeSpan within)
    {
        var left = pids.ToList();
        var since = TimeProvider.System.GetTimestamp();
        using var pace = new PeriodicTimer(Pace);
        while (TimeProvider.System.GetElapsedTime(since) < within)
        {
            left.RemoveAll(pid => !Signal.Alive(pid));
            if (left.Count == 0) return;
            await pace.WaitForNextTickAsync();
        }
        Assert.Fail($"still alive after {within}: {string.Join(", ", left)}");
    }
}
