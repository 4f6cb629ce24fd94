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

    // L5: what a leader goes on with is found from the end of the file, in chunks that cut lines anywhere.
    [Theory]
    [InlineData(1)]
    [InlineData(999)]
    [InlineData(5_000)]
    public void S5_a_long_file_goes_on_after_any_of_its_rows(long last)
    {
        const int Rows = 5_000;
        using (var first = new MetricsFile())
        {
            first.Begin(_state, StepNumber.Zero);
            for (var step = 1; step <= Rows; step++)
                first.Append(new StepView { Step = step, Fingerprint = new string('f', step % 700) });
        }

        Assert.Equal([4_998, 4_999, 5_000], MetricsFile.Stored(_state, 3).Select(r => r.Step));
        using var second = new MetricsFile();
        second.Begin(_state, new StepNumber(last));
        Assert.Equal(last, second.Last.Value);
        second.Append(new StepView { Step = last + 1 });
        second.Flush();
        Assert.Equal(Enumerable.Range(1, (int)last + 1).Select(n => (long)n), second.Read(1).Rows.Select(r => r.Step));
        Assert.Equal(last + 1, Lines());
    }

    [Fact]
    public void S5_what_is_no_row_behind_the_rows_is_cut_off_however_long()
    {
        var path = Path.Combine(_state, MetricsFile.FileName);
        File.WriteAllText(path, "{\"step\":1}\n");
        File.AppendAllText(path, new string('\0', 3 << 20)); // what a file system may leave of lost writes
        using var metrics = new MetricsFile();
        Assert.Equal(1, metrics.GoOn(_state).Value);
        Assert.Equal("{\"step\":1}\n".Length, new FileInfo(path).Length);
    }

    // The workers of a job were lost with the state of its last steps, and it was stopped before they were done again.
    [Fact]
    public void S5_steps_that_are_not_in_the_last_state_keep_no_row()
    {
        using var metrics = new MetricsFile();
        metrics.Begin(_state, StepNumber.Zero);
        for (var step = 1; step <= 7; step++) metrics.Append(new StepView { Step = step });
        metrics.End(new StepNumber(7));
        Assert.Equal(7, metrics.Last.Value);
        metrics.End(new StepNumber(5));
        Assert.Equal((5, 5), (metrics.Last.Value, Lines()));
        Assert.Equal([1, 2, 3, 4, 5], MetricsFile.Stored(_state, 9).Select(r => r.Step));
    }

    [Fact]
    public void S5_a_last_row_without_its_end_of_line_comes_again()
    {
        File.WriteAllText(Path.Combine(_state, MetricsFile.FileName), "{\"step\":1}\n{\"step\":2}");
        using var metrics = new MetricsFile();
        Assert.Equal(1, metrics.GoOn(_state).Value);
        metrics.Append(new StepView { Step = 2 });
        metrics.Flush();
        Assert.Equal([1, 2], MetricsFile.Stored(_state, 9).Select(r => r.Step));
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
