using Convoy.Cli.Simulation;

namespace Convoy.Simulation.Tests.Cluster;

/// <summary>
/// R11, FT-05: the files of rows cannot be written for a while. No job fails for it: their leader leads no more, as
/// when its journal cannot be written, and the next one goes on. Virtual time, all checkers look on.
/// </summary>
public sealed class FullRowsTests
{
    private const int Steps = 60;

    [Theory]
    [InlineData(3, 1)]
    [InlineData(8, 1)]
    [InlineData(3, 2)]
    [InlineData(21, 2)]
    public void A_leader_whose_rows_cannot_be_written_is_replaced_and_no_job_fails(ulong seed, int jobs)
    {
        var plan = SimulationPlan.Of(seed, new SimulationChoice
        {
            Workers = 4, Steps = Steps, Faults = [], Standby = true, Jobs = jobs,
        });
        plan = plan with { StepTime = TimeSpan.FromMilliseconds(400) };
        var trace = new List<string>();
        var cluster = new SimulatedCluster(plan, new Plants
        {
            Begin = c => c.World.After(null, TimeSpan.FromSeconds(6), () =>
            {
                foreach (var job in c.Jobs) job.DurableRows.IsFull = true;
                c.World.After(null, TimeSpan.FromSeconds(3), () =>
                {
                    foreach (var job in c.Jobs) job.DurableRows.IsFull = false;
                });
            }),
        }, trace.Add);
        cluster.Run();

        Assert.Null(cluster.Violation);
        Assert.All(cluster.Jobs, j => Assert.Equal(("finished", j.Plan.Steps), (j.Status!.Outcome, j.Rows().Count)));
        Assert.True(cluster.Coordinator!.Token > 1);
        Assert.Contains(trace, l => l.Contains("fails: the disk of the rows is full", StringComparison.Ordinal));
    }
}
