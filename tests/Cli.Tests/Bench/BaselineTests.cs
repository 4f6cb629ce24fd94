using System.Text.Json;
using Convoy.Cli.Bench;
using Convoy.Shared;

namespace Convoy.Cli.Tests.Bench;

// TEST-06: measurements are kept as JSON and compared with thresholds for worse and better.
public sealed class BaselineTests : IDisposable
{
    private byte[] _kept = [];
    private readonly string _folder = Directory.CreateTempSubdirectory("convoy-baseline-").FullName;

    [Theory]
    [InlineData(100, 105, 0.01, 0, "same")]
    [InlineData(100, 125, 0.01, 0, "worse")]
    [InlineData(100, 80, 0.01, 0, "better")]
    [InlineData(100, 125, 0.2, 0, "noise")]
    [InlineData(100, 80, 0.2, 0, "noise")]
    [InlineData(100, 80, 0.01, 16, "worse")]
    public void A_change_counts_beyond_the_threshold_and_the_spread(
        double was, double now, double variation, long allocated, string verdict)
    {
        var change = Assert.Single(Of(now, variation, allocated).Since(Of(was, variation, 0), 0.1));

        Assert.Equal(verdict, change.Verdict);
        Assert.Equal(Math.Round(now / was, 3), change.Ratio);
    }

    // Memory by plan: more than the threshold is worse, whatever the time; an older file has no figure.
    [Theory]
    [InlineData(1000, 1200, "worse")]
    [InlineData(1000, 1050, "same")]
    [InlineData(0, 1200, "same")]
    public void A_plan_that_takes_more_memory_is_worse(long was, long now, string verdict) =>
        Assert.Equal(verdict, Assert.Single(Planned(now).Since(Planned(was), 0.1)).Verdict);

    // TEST-06: what became worse is what is shown, not the time that stayed or became better.
    [Theory]
    [InlineData(100, 1000, 0, "worse", "1.20 of the planned memory")]
    [InlineData(50, 1000, 16, "worse", "1.20 of the planned memory, 16 bytes allocated (0 before)")]
    [InlineData(130, 1000, 0, "worse", "1.30 of the time, 1.20 of the planned memory")]
    [InlineData(130, 1200, 0, "worse", "1.30 of the time")]
    [InlineData(50, 1200, 0, "better", "0.50 of the time")]
    public void What_became_worse_is_shown(double us, long plannedBefore, long allocated, string verdict, string shown)
    {
        var before = Planned(plannedBefore);
        var now = new Baseline("m", "b", "d", [new("x", us, 0.01, allocated) { PlannedBytes = 1200 }]);

        var change = Assert.Single(now.Since(before, 0.1));

        Assert.Equal((verdict, shown), (change.Verdict, change.Shown));
    }

    // The time from a model to its program, the first in a process and after it; only the median is kept.
    [Fact]
    public async Task The_command_times_the_compilation_of_a_model()
    {
        var path = Path.Combine(_folder, "compile.json");

        var run = await CliRun.Of("bench", "compute", "--only", "compile", "--save", path, "--json");

        Assert.Equal(0, run.Code);
        foreach (var figure in (string[])["first_ms", "ms", "mean_ms", "calls", "allocated_bytes"])
            Assert.True(run.Json.GetProperty(figure).GetDouble() > 0, figure);
        var kept = Assert.Single(Baseline.Load(path).Entries);
        Assert.Equal("compile gpt L4 D128 T128 b8", kept.Name);
        Assert.Equal(run.Json.GetProperty("ms").GetDouble() * 1000, kept.Us, 6);
    }

    // TEST-06: mean, deviation, its share, how many calls, and memory, of kernels as of steps.
    [Fact]
    public void A_measurement_has_all_its_figures()
    {
        var timing = new Timing(TimeProvider.System, TimeSpan.FromMilliseconds(1));
        var sample = timing.Measure(() => _kept = new byte[4_000]);

        Assert.InRange(sample.AllocatedBytes, 4_000, 5_000);
        Assert.InRange(sample.Calls, 5, 500);
        Assert.Equal(sample.Deviation / sample.Mean, sample.Variation);
        var of = Sample.Of([1, 2, 6], 7);
        Assert.Equal((2, 3, 3, 7), (of.Median, of.Mean, of.Calls, of.AllocatedBytes));
        Assert.Equal(Math.Sqrt(14 / 3.0), of.Deviation);
    }

    [Fact]
    public void Only_what_both_have_is_compared()
    {
        var now = new Baseline("m", "b", "d", [new("new", 1, 0, 0), new("old", 1, 0, 0)]);

        Assert.Equal(["old"], now.Since(new Baseline("m", "b", "d", [new("gone", 1, 0, 0), new("old", 1, 0, 0)]), 0.1)
            .Select(c => c.Name));
    }

    [Fact]
    public void What_was_saved_is_read_again()
    {
        var path = Path.Combine(_folder, "b.json");
        Of(12.5, 0.1, 8).Save(path);

        Assert.Equal(Of(12.5, 0.1, 8).Entries, Baseline.Load(path).Entries);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("null")]
    [InlineData("[1")]
    [InlineData("""{"machine":"m","build":"b","date":"d","entries":[]}""")]
    [InlineData("""{"machine":"m","build":"b","date":"d","entries":[null]}""")]
    [InlineData("""{"machine":"m","build":"b","date":"d","entries":[{"us":1}]}""")]
    [InlineData("""{"machine":"m","build":"b","date":"d","entries":[{"name":"x","us":-5}]}""")]
    [InlineData("""{"machine":"m","build":"b","date":"d","entries":[{"name":"x","us":1,"allocated_bytes":-1}]}""")]
    [InlineData("""{"entries":[{"name":"x","us":1}]}""")]
    public void A_damaged_file_is_refused(string text)
    {
        var path = Path.Combine(_folder, "b.json");
        File.WriteAllText(path, text);

        Assert.Equal(ExitCode.Usage, Assert.Throws<UserException>(() => Baseline.Load(path)).Code);
    }

    // The measurement itself: a whole run of the command, kept and compared with itself.
    [Fact]
    public async Task The_command_keeps_compares_and_draws()
    {
        var (before, page) = (Path.Combine(_folder, "before.json"), Path.Combine(_folder, "change.html"));
        Of(1e9, 0, long.MaxValue, "mlp64-128-10 b32, 1 threads, 1 slices").Save(before);

        var run = await CliRun.Of("bench", "compute", "--only", "step", "--profile", "--against", before, "--html", page,
            "--json");

        Assert.Equal(0, run.Code);
        foreach (var line in run.Out.TrimEnd().Split('\n')[..^1])
            foreach (var row in JsonDocument.Parse(line).RootElement.GetProperty("operators").EnumerateArray())
            {
                Assert.True(row.GetProperty("of_ceiling").GetDouble() >= 0, row.ToString());
                Assert.Contains(row.GetProperty("bound").GetString(), (string[])["memory", "arithmetic"]);
            }
        Assert.Equal("better", run.Json.GetProperty("changes")[0].GetProperty("verdict").GetString());
        Assert.False(run.Json.GetProperty("same_machine").GetBoolean());
        Assert.Contains("another machine: m; this one: ", run.Error, StringComparison.Ordinal);
        Assert.Contains("class=\"better\"", File.ReadAllText(page), StringComparison.Ordinal);
        var now = run.Json.GetProperty("changes")[0].GetProperty("is");
        foreach (var figure in (string[])["mean_us", "deviation_us", "calls", "planned_bytes"])
            Assert.True(now.GetProperty(figure).GetDouble() > 0, figure);
    }

    // What is refused is refused before anything is measured: not a line of a result comes first.
    [Theory]
    [InlineData("--save", "FOLDER")]
    [InlineData("--save", "FOLDER/none/x.json")]
    [InlineData("--worse", "0")]
    [InlineData("--worse", "x")]
    [InlineData("--worse", "1e999")]
    [InlineData("--slices", "0")]
    [InlineData("--slices", "16385")]
    [InlineData("--slices", "8")]
    [InlineData("--slices", "99999999999")]
    [InlineData("--threads", "0")]
    [InlineData("--threads", "abc")]
    [InlineData("--only", "nonsense")]
    public async Task A_wrong_option_is_one_line_and_nothing_else(string option, string value)
    {
        var run = await CliRun.Of(
            "bench", "compute", "--only", "compile", option, value.Replace("FOLDER", _folder, StringComparison.Ordinal));

        run.IsOneLine(2);
        Assert.Empty(run.Out);
        Assert.DoesNotContain("System.", run.Error, StringComparison.Ordinal);
        Assert.Empty(Directory.GetFileSystemEntries(_folder));
    }

    [Fact]
    public async Task A_baseline_of_something_else_is_no_success()
    {
        var path = Path.Combine(_folder, "b.json");
        Of(12.5, 0.1, 8, "gemm nn 9x9x9, 7 threads").Save(path);

        var run = await CliRun.Of("bench", "compute", "--only", "compile", "--against", path);

        run.IsOneLine(2);
        Assert.Contains("none of what was measured", run.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_baseline_is_one_line() =>
        (await CliRun.Of("bench", "compute", "--against", Path.Combine(_folder, "none.json"))).IsOneLine(2);

    [Fact]
    public async Task A_page_needs_a_comparison() =>
        (await CliRun.Of("bench", "compute", "--html", "x.html")).IsOneLine(2);

    public void Dispose() => Directory.Delete(_folder, recursive: true);

    private static Baseline Planned(long bytes) =>
        new("m", "b", "d", [new("x", 100, 0.01, 0) { PlannedBytes = bytes }]);

    private static Baseline Of(double us, double variation, long allocated, string name = "x") =>
        new("m", "b", "d", [new(name, us, variation, allocated)]);
}
