using Convoy.Cli.Terminal;
using Convoy.Coordinator.Api;

namespace Convoy.Cli.Tests;

public sealed class StatusTextTests
{
    private static string Line(WorkerView worker) =>
        StatusText.Lines(new StatusReport { Workers = [worker] }).Single(l => l.Contains("w0", StringComparison.Ordinal));

    // J5: what transfers to learners cost each worker.
    [Fact]
    public void Copies_for_learners_are_shown_where_there_are_some()
    {
        var worker = new WorkerView { Name = "w0", State = "member", Phase = "Compute" };
        Assert.EndsWith("Compute", Line(worker), StringComparison.Ordinal);
        Assert.EndsWith("Compute, copies 12.5 MB", Line(worker with { CopiesBytes = 12_500_000 }),
            StringComparison.Ordinal);
        Assert.EndsWith(", copies 0.0 MB and 3.0 MB on disk", Line(worker with { CopiesDiskBytes = 3_000_000 }),
            StringComparison.Ordinal);
    }

    // CP-5: steps that wait for saves are seen where the speed is.
    [Fact]
    public void Time_lost_to_saves_is_shown_where_it_is_some()
    {
        var status = new StatusReport { StepsTotal = 10, SyncShare = 0, SaveShare = 0.001 };
        Assert.DoesNotContain("saves", StatusText.Progress(status), StringComparison.Ordinal);
        Assert.Contains("sync 0%  saves 40%  eta",
            StatusText.Progress(status with { SaveShare = 0.4 }), StringComparison.Ordinal);
    }
}
