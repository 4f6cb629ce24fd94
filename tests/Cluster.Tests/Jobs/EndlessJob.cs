using System.Globalization;
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
            run.Json.GetProperty("weights_sha256").GetString(), more);

    public static async Task SameBitsAsync(ClusterFixture cluster, long steps, string? weights, params string[] more)
    {
        var state = Path.Combine(cluster.Folder, $"calm-{Interlocked.Increment(ref _calm)}");
        using var train = Start(cluster, state, 1, ["--steps", Text(steps), .. more]);
        var calm = await train.EndAsync();
        Assert.True(calm.Code == 0, calm.ToString());
        Assert.Equal(calm.Json.GetProperty("weights_sha256").GetString(), weights);
    }

    private static string Text(long steps) => steps.ToString(CultureInfo.InvariantCulture);
}
