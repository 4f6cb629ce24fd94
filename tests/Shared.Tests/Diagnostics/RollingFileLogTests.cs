using Convoy.Shared.Diagnostics;

namespace Convoy.Shared.Tests.Diagnostics;

public sealed class RollingFileLogTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("convoy-log-").FullName;

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private string File => Path.Combine(_folder, "logs", "w0.log");

    private sealed class FixedTime : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => new(2026, 1, 31, 10, 20, 30, 456, TimeSpan.Zero);
    }

    [Fact]
    public void A_line_has_time_level_source_and_text_and_is_there_at_once()
    {
        using var log = new RollingFileLog(File, new FixedTime());
        log.Write(LogLevel.Warning, "lane", "two\nlines");
        log.Event(EventIds.WorkerLost, LogLevel.Error, "node", "gone", new InvalidOperationException("why"));
        using var reader = new StreamReader(new FileStream(File, FileMode.Open, FileAccess.Read, FileShare.ReadWrite));
        Assert.Equal(
            "2026-01-31T10:20:30.456Z warning lane: two lines\n2026-01-31T10:20:30.456Z error node: [2003] gone\n    "
                + "System.InvalidOperationException: why\n",
            reader.ReadToEnd());
    }

    [Fact]
    public void Files_stay_within_their_bound_and_old_ones_go()
    {
        using (var log = new RollingFileLog(File, new FixedTime(), bytesMax: 200, filesMax: 3))
            for (var i = 0; i < 50; i++) log.Write(LogLevel.Info, "s", $"line {i}");
        var files = Directory.GetFiles(Path.GetDirectoryName(File)!).Order(StringComparer.Ordinal).ToList();
        Assert.Equal([File, File + ".1", File + ".2"], files);
        Assert.All(files, f => Assert.InRange(new FileInfo(f).Length, 1, 200));
        Assert.Contains("line 49", System.IO.File.ReadAllText(File), StringComparison.Ordinal);
    }

    [Fact]
    public void A_log_goes_on_where_it_ended_and_is_quiet_after_the_end()
    {
        using (var log = new RollingFileLog(File, new FixedTime())) log.Write(LogLevel.Info, "s", "one");
        var second = new RollingFileLog(File, new FixedTime());
        second.Write(LogLevel.Info, "s", "two");
        second.Dispose();
        second.Write(LogLevel.Info, "s", "three");
        Assert.Equal(2, System.IO.File.ReadAllLines(File).Length);
    }

    [Fact]
    public void Levels_are_filtered()
    {
        using (var log = new RollingFileLog(File, new FixedTime()))
        {
            var filtered = new FilteredLog(new TeeLog(log, NullLogSink.Instance), LogLevel.Warning);
            filtered.Write(LogLevel.Info, "s", "no");
            filtered.Write(LogLevel.Error, "s", "yes");
        }

        Assert.Contains("yes", Assert.Single(System.IO.File.ReadAllLines(File)), StringComparison.Ordinal);
    }

    [Fact]
    public void Event_numbers_are_distinct()
    {
        var ids = typeof(EventIds).GetFields().Select(f => f.GetRawConstantValue()).ToList();
        Assert.Equal(ids.Count, ids.Distinct().Count());
    }
}
