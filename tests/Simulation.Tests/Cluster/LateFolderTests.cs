using Convoy.Cli.Simulation;
using Convoy.Shared.Storage;

namespace Convoy.Simulation.Tests.Cluster;

/// <summary>
/// FT-05, scenario 15: a standby takes two jobs over, and the folder of one does not answer. The other job loses
/// nothing by it, and the one waits for its folder. Virtual time, all checkers look on.
/// </summary>
public sealed class LateFolderTests
{
    private static readonly TimeSpan KilledAt = TimeSpan.FromSeconds(6);

    [Theory]
    [InlineData(3)]
    [InlineData(8)]
    [InlineData(21)]
    public void A_job_whose_folder_answers_later_goes_on(ulong seed)
    {
        var (cluster, trace) = Run(seed, deafFor: TimeSpan.FromSeconds(9));

        Assert.Null(cluster.Violation);
        Assert.All(cluster.Jobs, j => Assert.Equal(("finished", j.Plan.Steps), (j.Status!.Outcome, j.Rows().Count)));
        Assert.Equal(2, cluster.Coordinator!.Token);
        Assert.Single(trace, l => l.Contains("does not answer, it is tried again", StringComparison.Ordinal));
        Assert.Contains(trace, l => l.Contains("beside-2 answers: it goes on", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(3)]
    [InlineData(8)]
    public void A_job_whose_folder_stays_away_fails_and_says_so(ulong seed)
    {
        var (cluster, trace) = Run(seed, deafFor: TimeSpan.FromHours(1));

        // Its users would submit it again with --resume, and the simulated one cannot: there is no folder.
        Assert.Equal("progress", cluster.Violation?.Checker);
        Assert.Equal(("finished", Steps), (cluster.Jobs[0].Status!.Outcome, cluster.Jobs[0].Rows().Count));
        Assert.Contains(trace, l => l.Contains("beside-2 cannot be gone on with", StringComparison.Ordinal));
    }

    private const int Steps = 60;

    private static (SimulatedCluster Cluster, List<string> Trace) Run(ulong seed, TimeSpan deafFor)
    {
        var plan = SimulationPlan.Of(seed, new SimulationChoice
        {
            Workers = 4, Steps = Steps, Faults = [], Standby = true, Jobs = 2,
        });
        plan = plan with { StepTime = TimeSpan.FromMilliseconds(400) };
        var isDeaf = false;
        var trace = new List<string>();
        var cluster = new SimulatedCluster(plan, new Plants
        {
            Disk = disk => new DeafDisk(disk, () => isDeaf),
            Begin = c => c.World.After(null, KilledAt, () =>
            {
                isDeaf = true;
                c.KillCoordinator();
                c.World.After(null, deafFor, () => isDeaf = false);
            }),
        }, trace.Add);
        cluster.Run();
        return (cluster, trace);
    }

    /// <summary>Nobody can list the checkpoints of the job beside.</summary>
    private sealed class DeafDisk(IDisk disk, Func<bool> isDeaf) : DiskOver(disk)
    {
        public override IReadOnlyList<string> List(string folder) =>
            isDeaf() && folder.Contains("beside", StringComparison.Ordinal)
                ? throw new IOException("Input/output error") : base.List(folder);
    }
}
