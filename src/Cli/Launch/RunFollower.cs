using Convoy.Cli.Terminal;
using Convoy.Coordinator.Api;

namespace Convoy.Cli.Launch;

/// <summary>
/// Follows a submitted job over HTTP until it has an outcome. `train` and `submit` share it, so both show the same.
/// </summary>
internal sealed class RunFollower(ConvoyClient client, ProgressView view, TimeProvider time)
{
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(200);

    private long _samples;
    private long _busyUs;
    private long _next = 1;

    /// <summary>The largest number of members that a step of this run had.</summary>
    public int Workers { get; private set; }

    /// <summary>Samples per second over all steps of this run, pauses between generations left out.</summary>
    public double SamplesPerSecond => _busyUs == 0 ? 0 : _samples * 1e6 / _busyUs;

    /// <summary>The last report, which has an outcome.</summary>
    /// <param name="startStep">State that this run started from.</param>
    /// <param name="stop">Asks the job to save and end; following goes on until it has.</param>
    /// <param name="atOnce">Ends following.</param>
    public async Task<StatusReport> ToEndAsync(long startStep, CancellationToken stop, CancellationToken atOnce)
    {
        _next = startStep + 1;
        var stopAsked = false;
        while (true)
        {
            if (stop.IsCancellationRequested && !stopAsked)
            {
                stopAsked = true;
                view.Note("stopping: saving a checkpoint (again: end at once)");
                await client.StopAsync(new StopRequest { Reason = "interrupted by the user" }, atOnce);
            }
            var status = await client.StatusAsync(atOnce);
            await ReadStepsAsync(atOnce);
            view.Show(status);
            if (status.Outcome is not null) return status;
            await PauseAsync(stopAsked ? CancellationToken.None : stop, atOnce);
        }
    }

    private async Task ReadStepsAsync(CancellationToken atOnce)
    {
        var page = await client.StepsAsync(_next, atOnce);
        foreach (var row in page.Rows)
        {
            _samples += row.Samples;
            _busyUs += row.TotalUs + row.SaveUs;
            Workers = Math.Max(Workers, row.Workers);
        }
        _next = Math.Max(_next, page.Next);
    }

    // A signal ends the pause early; what it means is decided in the loop.
    private async Task PauseAsync(CancellationToken stop, CancellationToken atOnce)
    {
        using var either = CancellationTokenSource.CreateLinkedTokenSource(stop, atOnce);
        await Task.Delay(Interval, time, either.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        atOnce.ThrowIfCancellationRequested();
    }
}
