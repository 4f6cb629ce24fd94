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
}
