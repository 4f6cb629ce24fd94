using Convoy.Shared;
using Convoy.Worker.Training;

namespace Convoy.Worker.Hosting;

/// <summary>
/// Runs one worker in this process: joins the coordinator, trains what it is assigned, leaves when it is let go.
/// </summary>
public static class WorkerHost
{
    /// <returns>The exit code of the process.</returns>
    /// <exception cref="UserException">The listening address cannot be used.</exception>
    public static Task<int> RunAsync(WorkerOptions options, CancellationToken cancel) =>
        RunAsync(options, (job, graph) => ProgramModel.Open(job, graph, options.Threads, options.TimeProvider), cancel);

    internal static async Task<int> RunAsync(WorkerOptions options, OpenModel open, CancellationToken cancel)
    {
        await using var process = await WorkerProcess.StartAsync(options, open);
        using var signals = new WorkerSignals(options, process);
        await using var cancelled = cancel.Register(() => _ = process.ShutDownAsync("cancelled"));
        return await process.Ended;
    }
}
