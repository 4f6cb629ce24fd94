using Convoy.Cli.Terminal;
using Convoy.Coordinator.Api;
using Convoy.Coordinator.Hosting;
using Convoy.Shared;
using Convoy.Shared.Diagnostics;

namespace Convoy.Cli.Launch;

/// <summary>What `train` was asked for.</summary>
internal sealed record TrainRequest(
    PreparedJob Job, int Workers, int Threads, long? UntilStep, string? State, bool Resume);

/// <summary>
/// A whole cluster on this machine, from start to end: coordinator in this process, worker processes beside it, the job
/// handed in over HTTP exactly as `submit` does it. Whatever ends it, no process is left behind.
/// </summary>
internal sealed class TrainRun(TrainRequest request, CliContext context)
{
    // The coordinator releases its workers when the job has ended; they leave within this time or are ended.
    private static readonly TimeSpan LeavePatience = TimeSpan.FromSeconds(10);

    private readonly DateTimeOffset _launchedAt = context.Time.GetUtcNow();

    public async Task<int> RunAsync()
    {
        using var signals = new Signals();
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(signals.AtOnce);
        using var state = StateFolder.Open(request.State, request.Job.Job.Job, request.Resume);
        state.WriteRun(request.Job.Job.Job);
        _ = EndWithParentAsync(ending);
        context.Line($"job {request.Job.Job.Job}: state in {Shown(state.Root)}");
        using var log = new RollingFileLog(Path.Combine(state.Logs, "coordinator.log"), context.Time);
        await using var host = await CoordinatorHost.StartAsync(new CoordinatorOptions
        {
            StateDirectory = state.Root,
            WorkersExpected = request.Workers,
            SingleJob = true,
            Time = context.Time,
            Log = log,
        });
        using var fleet = new WorkerFleet(
            name => WorkerProcess.Start(name, host.Address, request.Threads, state.Logs), request.Workers);
        var view = new ProgressView(context);
        fleet.Lost += lost =>
        {
            if (TextOf(lost) is { } text) view.Note(text);
            host.ReportProcessExit(lost.Name, lost.ExitCode, lost.LastLines);
        };
        host.WorkersWanted += fleet.Want;
        try
        {
            fleet.Fill();
            var followed = FollowAsync(host.Address, state, view, signals.Stop, ending.Token);
            if (await Task.WhenAny(followed, host.WhenFailed) != followed)
            {
                var cause = await host.WhenFailed;
                throw cause as UserException
                    ?? new UserException(ExitCode.Failed, $"the coordinator cannot go on: {cause.Message}");
            }

            var code = await followed;
            await host.ShutDownAsync("the job is over");
            return code;
        }
        finally
        {
            // Workers of a coordinator that cannot lead wait for another one, and nobody starts that.
            var atOnce = ending.IsCancellationRequested || host.WhenFailed.IsCompleted;
            if (atOnce) fleet.KillAll();
            await fleet.StopAsync(atOnce ? TimeSpan.Zero : LeavePatience, context.Time);
        }
    }

    private async Task<int> FollowAsync(
        string address, StateFolder state, ProgressView view, CancellationToken stop, CancellationToken atOnce)
    {
        using var client = new ConvoyClient(address);
        var reply = await client.SubmitAsync(
            request.Job.Request(request.UntilStep, request.Resume, _launchedAt), atOnce);
        if (reply.StartStep > 0) view.Note($"resumed from the checkpoint of step {reply.StartStep}");
        var follower = new RunFollower(client, view, context.Time);
        var status = await view.AroundAsync(() => follower.ToEndAsync(reply.StartStep, stop, atOnce));
        return RunEnd.Report(context, request.Job, status, follower, stop.IsCancellationRequested, state);
    }

    // A launcher whose `dotnet run` is gone ends as if asked twice: nobody is there to see a slow end.
    private async Task EndWithParentAsync(CancellationTokenSource ending)
    {
        await ParentWatch.GoneAsync(context.Time, ending.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!ending.IsCancellationRequested) await ending.CancelAsync();
    }

    /// <summary>Null: the last line of the run says why.</summary>
    private static string? TextOf(LostWorker lost) => lost switch
    {
        { Replaced: true } => $"worker {lost.Name} is gone (exit code {lost.ExitCode}): starting a replacement",
        { ExitCode: (int)ExitCode.JobFailed or (int)ExitCode.Storage } => null,
        _ => $"worker {lost.Name} is gone (exit code {lost.ExitCode})",
    };

    private static string Shown(string path) => Path.GetRelativePath(Directory.GetCurrentDirectory(), path);
}
