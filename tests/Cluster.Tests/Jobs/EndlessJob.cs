using System.Globalization;
using System.Text.Json;
using Convoy.Cluster.Tests.Processes;

namespace Convoy.Cluster.Tests.Jobs;

/// <summary>
/// The small job without an end of its own. What a test disturbs runs this one and is stopped when all of it has
/// happened: a job that could finish first would make the test a race with the machine.
/// </summary>
internal static class EndlessJob
{
    /// <summary>For `--set`.</summary>
    public const string Steps = "steps=1000000";

    private static int _calm;

    public static ConvoyProcess Start(ClusterFixture cluster, string state, int workers, params string[] more) =>
        ConvoyProcess.Start(cluster.Folder,
            ["train", "job.yaml", "--set", Steps, "--workers", $"{workers}", "--state", state, "--json", .. more]);

    /// <summary>`convoy stop`; the result of the run, which saved and ended well.</summary>
    public static async Task<Ended> StopAsync(ClusterFixture cluster, string state, ConvoyProcess train)
    {
        var stop = await ConvoyProcess.RunAsync(cluster.Folder, "stop", "--state", state);
        Assert.True(stop.Code == 0, stop.ToString());
        var ended = await train.EndAsync();
        Assert.True(ended.Code == 0, ended.ToString());
        Assert.Equal("stopped", ended.Json.GetProperty("outcome").GetString());
        return ended;
    }

    /// <summary>Goes on from the newest checkpoint to a step.</summary>
    public static async Task<Ended> ResumeAsync(ClusterFixture cluster, string state, int workers, long toStep)
    {
        using var train = Start(cluster, state, workers, "--resume", "--steps", Text(toStep));
        var ended = await train.EndAsync();
        Assert.True(ended.Code == 0, ended.ToString());
        return ended;
    }

    /// <summary>The run has the weights of one worker that nobody disturbed for as many steps.</summary>
    /// <param name="cluster">Where it ran.</param>
    /// <param name="run">How it ended.</param>
    /// <param name="more">Arguments that it was started with.</param>
    public static Task SameBitsAsync(ClusterFixture cluster, Ended run, params string[] more) =>
        SameBitsAsync(cluster, run.Json.GetProperty("steps").GetInt64(),
            run.Json.GetProperty("weights_sha256").GetString(), RowsOf(run), more);

    public static Task SameBitsAsync(ClusterFixture cluster, long steps, string? weights, params string[] more) =>
        SameBitsAsync(cluster, steps, weights, [], more);

    private static async Task SameBitsAsync(ClusterFixture cluster, long steps, string? weights, string[] rows,
        string[] more)
    {
        var calm = await CalmAsync(cluster, steps, more);
        var expected = calm.Json.GetProperty("weights_sha256").GetString();
        if (expected == weights) return;
        // Which of the two is wrong, and since which step: another calm run says so while all of it is still there.
        var again = await CalmAsync(cluster, steps, more);
        Assert.Fail($"after {steps} steps {weights}, a calm run {expected}, another one "
            + $"{again.Json.GetProperty("weights_sha256").GetString()}; the calm ones part at "
            + $"{FirstDifference(RowsOf(calm), RowsOf(again))}, the run from the second at "
            + FirstDifference(rows, RowsOf(again)));
    }

    private static async Task<Ended> CalmAsync(ClusterFixture cluster, long steps, string[] more)
    {
        var state = Path.Combine(cluster.Folder, $"calm-{Interlocked.Increment(ref _calm)}");
        using var train = Start(cluster, state, 1, ["--steps", Text(steps), .. more]);
        var calm = await train.EndAsync();
        Assert.True(calm.Code == 0, calm.ToString());
        return calm;
    }

    /// <summary>Rows of a run that ended with a checkpoint, from the folder where that lies.</summary>
    private static string[] RowsOf(Ended run)
    {
        var checkpoint = run.Json.GetProperty("checkpoint").GetString();
        return checkpoint is null ? [] : File.ReadAllLines(Path.Combine(checkpoint, "..", "..", "metrics.jsonl"));
    }

    // Fingerprints are chained: those of a step are the same only if all gradients before it were.
    private static string FirstDifference(string[] a, string[] b)
    {
        for (var i = 0; i < Math.Min(a.Length, b.Length); i++)
            if (Fingerprint(a[i]) != Fingerprint(b[i])) return $"row {i + 1}: {a[i]} / {b[i]}";
        return $"no gradient of {Math.Min(a.Length, b.Length)} rows";
    }

    private static string? Fingerprint(string row)
    {
        using var json = JsonDocument.Parse(row);
        return json.RootElement.GetProperty("fingerprint").GetString();
    }

    private static string Text(long steps) => steps.ToString(CultureInfo.InvariantCulture);
}
