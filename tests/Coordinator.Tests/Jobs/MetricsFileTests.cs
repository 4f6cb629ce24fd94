using Convoy.Coordinator.Api;
using Convoy.Coordinator.Jobs;
using Convoy.Shared.Ids;

namespace Convoy.Coordinator.Tests.Jobs;

// MON-04: each committed step is one line of JSON, once.
public sealed class MetricsFileTests : IDisposable
{
    private readonly string _state = Directory.CreateTempSubdirectory("convoy-metrics-").FullName;

    [Fact]
    public void S5_a_resumed_run_continues_after_its_checkpoint_without_a_double_row()
    {
        using (var first = new MetricsFile())
        {
            first.Begin(_state, StepNumber.Zero);
            for (var step = 1; step <= 7; step++) first.Append(new StepView { Step = step, Loss = step });
        }

        File.AppendAllText(Path.Combine(_state, MetricsFile.FileName), "{\"step\":8,\"lo");
        using var second = new MetricsFile();
        second.Begin(_state, new StepNumber(5));
        second.Append(new StepView { Step = 6 });
        second.Flush();
        Assert.Equal([1, 2, 3, 4, 5, 6], second.Read(1).Rows.Select(r => r.Step));
        Assert.Equal(6, Lines());
        Assert.Equal((1, 7), (second.Read(6).Rows.Count, second.Read(6).Next));
    }

    [Fact]
    public void A_new_job_starts_an_empty_file()
    {
        using var metrics = new MetricsFile();
        metrics.Begin(_state, StepNumber.Zero);
        metrics.Append(new StepView { Step = 1 });
        metrics.Begin(_state, StepNumber.Zero);
        Assert.Equal(0, Lines());
        Assert.Equal(1, metrics.Read(1).Next);
    }

    public void Dispose() => Directory.Delete(_state, recursive: true);

    private int Lines()
    {
        using var file = new FileStream(Path.Combine(_state, MetricsFile.FileName), FileMode.Open, FileAccess.Read,
            FileShare.ReadWrite);
        using var reader = new StreamReader(file);
        return reader.ReadToEnd().Count(c => c == '\n');
    }
}
