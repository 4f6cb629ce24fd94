using Convoy.Cli.Simulation;
using Convoy.Shared.Checkpoints;
using Convoy.Shared.Storage;

namespace Convoy.Simulation.Tests.Cluster;

/// <summary>
/// FT-05, 4.5 row 9: workers whose coordinator is gone train on, save what they have when the orphan limit is over, and
/// `--resume` goes on from there with the bits of a run that nobody disturbed. Virtual time.
/// </summary>
public sealed class OrphanClusterTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void What_orphans_saved_is_gone_on_with(ulong seed)
    {
        var (cluster, trace) = Run(seed, static disk => disk);

        Assert.True(cluster.Violation is null, $"{cluster.Violation}");
        Assert.True(cluster.IsJobOver);
        var saved = trace.FindAll(l => l.Contains("is saved as ", StringComparison.Ordinal));
        Assert.True(saved.Count >= 2,
            string.Join('\n', trace.FindAll(l => l.Contains(" exits ", StringComparison.Ordinal))));
        // Hundreds of steps were done alone, and nobody does them again.
        var loads = trace.Find(l => l.Contains("all load the checkpoint of step ", StringComparison.Ordinal));
        Assert.True(loads is not null, "nobody went on from what was saved");
        var step = int.Parse(loads.Split("checkpoint of step ")[1].Split([';', ' '])[0],
            System.Globalization.CultureInfo.InvariantCulture);
        Assert.InRange(step, 120, 200);
        Assert.Contains(cluster.Disk.List(SimulatedCoordinator.Root), n => n == CheckpointNames.Published(new(220)));
        // S5: they have their rows all the same, from whoever saved them.
        Assert.Equal(Enumerable.Range(1, 220).Select(s => (long)s), cluster.Rows());
        Assert.Contains(trace, l => l.Contains("which nobody led, come from the checkpoint", StringComparison.Ordinal));
    }

    // S5: the checker sees rows that end with the workers that trained alone.
    [Fact]
    public void Rows_that_orphans_do_not_hand_over_are_missed()
    {
        var (cluster, _) = Run(1, static disk => new WithoutRows(disk));
        Assert.Equal("commit", cluster.Violation?.Checker);
        Assert.Contains("follows the row of step", cluster.Violation!.Text, StringComparison.Ordinal);
    }

    private static (SimulatedCluster Cluster, List<string> Trace) Run(ulong seed, Func<IDisk, IDisk> disk)
    {
        var plan = SimulationPlan.Of(seed, new SimulationChoice
        {
            Workers = 2, Steps = 220, Faults = [], Standby = false,
        });
        plan = plan with
        {
            StepTime = TimeSpan.FromSeconds(4),
            Job = plan.Job with { Checkpoint = plan.Job.Checkpoint with { Every = 0 } },
        };
        var trace = new List<string>();
        var cluster = new SimulatedCluster(plan, new Plants
        {
            Disk = disk,
            Begin = c =>
            {
                c.World.After(null, TimeSpan.FromSeconds(20), () => c.LoseCoordinatorFor(TimeSpan.FromMinutes(11)));
            },
        }, trace.Add);
        cluster.Run();
        return (cluster, trace);
    }

    /// <summary>Whoever looks for saved rows finds none.</summary>
    private sealed class WithoutRows(IDisk disk) : DiskOver(disk)
    {
        public override bool FileExists(string path) =>
            !path.EndsWith(SavedRows.FileName, StringComparison.Ordinal) && base.FileExists(path);
    }
}
