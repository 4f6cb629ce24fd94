using Convoy.Cluster.Tests.Processes;
using Convoy.Coordinator.Api;

namespace Convoy.Cluster.Tests.Jobs;

/// <summary>What tests of jobs that grow and shrink do and look for.</summary>
internal static class Joining
{
    /// <summary>`convoy scale`.</summary>
    public static async Task ScaleAsync(ClusterFixture cluster, string state, int workers)
    {
        var ended = await ConvoyProcess.RunAsync(cluster.Folder, "scale", $"{workers}", "--state", state);
        Assert.True(ended.Code == 0, ended.ToString());
    }

    /// <summary>Workers that have a share.</summary>
    public static int Members(StatusReport status) => status.Workers.Count(worker => worker.Slices.Length > 0);

    public static Task<StatusReport> MembersAsync(this RunningJob run, int count) =>
        run.UntilAsync($"{count} members", status => Members(status) == count);

    /// <summary>One more worker follows the members, or copies from them at a fence.</summary>
    public static bool Learns(StatusReport status) =>
        status.Events.Any(e => e.Contains(" learns: ", StringComparison.Ordinal));
}
