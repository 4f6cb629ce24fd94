using System.Globalization;
using System.Text.Json;
using Convoy.Cli.Terminal;
using Convoy.Kernels;
using Convoy.Shared;
using Convoy.Shared.Diagnostics;

namespace Convoy.Cli.Bench;

/// <summary>One measurement that is compared with the same one of another day.</summary>
/// <param name="Name">What was measured, with shape and threads.</param>
/// <param name="Us">Median of one call in microseconds.</param>
/// <param name="Variation">Deviation over mean of the calls.</param>
/// <param name="AllocatedBytes">On the managed heap, of one call.</param>
internal sealed record BaselineEntry(string Name, double Us, double Variation, long AllocatedBytes)
{
    public double MeanUs { get; init; }
    /// <summary>Standard deviation of the calls.</summary>
    public double DeviationUs { get; init; }
    /// <summary>Calls that were measured, after the warm-up.</summary>
    public int Calls { get; init; }
    /// <summary>Memory that a training step's values take by its plan; 0: a kernel, or a file from before it was
    /// kept.</summary>
    public long PlannedBytes { get; init; }
}

/// <summary>The same measurement, then and now.</summary>
/// <param name="Ratio">Time now over time then: above 1 is slower.</param>
/// <param name="Shown">What the verdict is about, in words: each figure that is worse, or else the time.</param>
/// <param name="Was">All figures of then.</param>
/// <param name="Is">All figures of now.</param>
/// <param name="Verdict">worse, better, same, or noise: beyond the threshold, but within the spread of the
/// calls.</param>
internal sealed record BaselineChange(
    string Name, double WasUs, double IsUs, double Ratio, string Verdict, string Shown, BaselineEntry Was,
    BaselineEntry Is);

/// <summary>Measurements on disk, as JSON (TEST-06).</summary>
internal sealed record Baseline(string Machine, string Build, string Date, IReadOnlyList<BaselineEntry> Entries)
{
    private const int FileBytesMax = 4 << 20;
    private static readonly JsonSerializerOptions Style = new()
    {
        PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower, WriteIndented = true,
    };

    public static Baseline Of(TimeProvider time, IReadOnlyList<BaselineEntry> entries) => new(
        $"{SimdInfo.Name}, {Environment.ProcessorCount} cores", BuildId.Current,
        time.GetUtcNow().ToString("u", CultureInfo.InvariantCulture), entries);

    public static Baseline Load(string path)
    {
        try
        {
            if (new FileInfo(path).Length > FileBytesMax)
                throw Unreadable(path, $"is larger than {FileBytesMax} bytes");
            return JsonSerializer.Deserialize<Baseline>(File.ReadAllBytes(path), Style) is { } read
                ? Checked(path, read) : throw Unreadable(path, "has no entries");
        }
        catch (Exception bad) when (bad is JsonException or IOException or UnauthorizedAccessException)
        {
            throw Unreadable(path, bad.Message);
        }
    }

    private static Baseline Checked(string path, Baseline read)
    {
        if (read.Machine is null || read.Build is null || read.Date is null)
            throw Unreadable(path, "does not say of which machine, build and date it is");
        if (read.Entries is not { Count: > 0 }) throw Unreadable(path, "has no entries");
        for (var i = 0; i < read.Entries.Count; i++)
            if (read.Entries[i] is not { Name.Length: > 0, Us: > 0, Variation: >= 0, AllocatedBytes: >= 0 })
                throw Unreadable(path, $"entry {i + 1} has no name, no time above 0, or a figure below 0");
        return read;
    }

    public void Save(string path) => OutputFile.Write("--save", path, JsonSerializer.Serialize(this, Style) + "\n");

    /// <summary>What both have, in the order of the newer one.</summary>
    /// <param name="threshold">Share of time that counts as a change, such as 0.1.</param>
    public IReadOnlyList<BaselineChange> Since(Baseline before, double threshold)
    {
        var was = before.Entries.GroupBy(e => e.Name, StringComparer.Ordinal)
            .ToDictionary(g => g.Key, g => g.First(), StringComparer.Ordinal);
        return [.. Entries.Where(e => was.ContainsKey(e.Name)).Select(e => Change(was[e.Name], e, threshold))];
    }

    private static BaselineChange Change(BaselineEntry was, BaselineEntry now, double threshold)
    {
        var ratio = was.Us > 0 ? now.Us / was.Us : 1;
        // Two deviations: a smaller difference of two medians of the same code is nothing unusual.
        var noise = 2 * Math.Max(was.Variation * was.Us, now.Variation * now.Us);
        var byTime = ratio <= 1 + threshold && ratio >= 1 / (1 + threshold) ? "same"
            : Math.Abs(now.Us - was.Us) <= noise ? "noise"
            : ratio > 1 ? "worse" : "better";
        var allocates = now.AllocatedBytes > was.AllocatedBytes;
        var larger = was.PlannedBytes > 0 && now.PlannedBytes > was.PlannedBytes * (1 + threshold);
        var shown = new List<string>();
        if (byTime == "worse" || (!allocates && !larger)) shown.Add(Text($"{ratio:0.00} of the time"));
        if (larger) shown.Add(Text($"{(double)now.PlannedBytes / was.PlannedBytes:0.00} of the planned memory"));
        if (allocates) shown.Add($"{now.AllocatedBytes} bytes allocated ({was.AllocatedBytes} before)");
        return new BaselineChange(now.Name, was.Us, now.Us, Math.Round(ratio, 3),
            allocates || larger ? "worse" : byTime, string.Join(", ", shown), was, now);
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);

    private static UserException Unreadable(string path, string why) => new(ExitCode.Usage,
        $"baseline {path}: {why}; write one with 'convoy bench compute --save {Path.GetFileName(path)}'");
}
