using System.Diagnostics;
using System.Runtime.CompilerServices;
using Convoy.Cluster.Tests.Jobs;
using Convoy.Cluster.Tests.Processes;
using Convoy.Coordinator.Api;

namespace Convoy.Cluster.Tests;

// R22 for the way of the README: `dotnet run` is what a user sees and kills.
public class DotnetRunTests(ClusterFixture cluster)
{
    [Fact]
    public async Task KillingDotnetRunEndsEverything()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "only Linux has /proc, where the parent can be recognised");
        var state = Path.Combine(cluster.Folder, "dotnet-run");
        var start = new ProcessStartInfo("dotnet") { WorkingDirectory = cluster.Folder, RedirectStandardOutput = true };
        string[] words =
        [
            "run", "--no-build", "-c", Configuration, "--project", ProjectFolder(), "--",
            "train", "job.yaml", "--set", EndlessJob.Steps, "--state", state, "--json",
        ];
        foreach (var word in words) start.ArgumentList.Add(word);
        using var outer = Process.Start(start)!;
        try
        {
            var status = await new RunningJob(state).AtStepAsync(20);
            var launcher = EndpointFile.Read(state).Pid;
            Assert.NotEqual(outer.Id, launcher);

            outer.Kill();

            await RunningJob.GoneAsync([launcher, .. status.Workers.Select(w => w.Pid)], TimeSpan.FromSeconds(2));
        }
        finally
        {
            if (!outer.HasExited) outer.Kill(entireProcessTree: true);
        }
    }

    private static string Configuration =>
        AppContext.BaseDirectory.Contains($"{Path.DirectorySeparatorChar}Debug{Path.DirectorySeparatorChar}",
            StringComparison.Ordinal) ? "Debug" : "Release";

    private static string ProjectFolder([CallerFilePath] string file = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, "..", "..", "src", "Cli"));
}
