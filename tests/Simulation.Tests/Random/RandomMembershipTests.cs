namespace Convoy.Simulation.Tests.Random;

/// <summary>
/// M1 to M7, S1 and progress under random faults. A failure is a seed: CONVOY_SEED=n runs that one and prints its
/// history. CONVOY_SEEDS=n runs that many instead of the usual number.
/// </summary>
public sealed class RandomMembershipTests
{
    private const int SeedsUsual = 60;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(10);

    [Fact]
    public void Invariants_hold_and_jobs_end_under_random_faults()
    {
        var only = Environment.GetEnvironmentVariable("CONVOY_SEED");
        var count = ulong.TryParse(Environment.GetEnvironmentVariable("CONVOY_SEEDS"), out var n) ? n : SeedsUsual;
        if (ulong.TryParse(only, out var seed)) RunSeed(seed, show: true);
        else
            for (ulong s = 1; s <= count; s++) RunSeed(s, show: false);
    }

    [Fact]
    public void The_same_seed_gives_the_same_history()
    {
        var (first, second) = (new SimulatedCluster(3, PlanOf(3)), new SimulatedCluster(3, PlanOf(3)));
        first.Run(TimeSpan.FromSeconds(20));
        second.Run(TimeSpan.FromSeconds(20));
        Assert.Equal(first.Trace, second.Trace);
        Assert.NotEmpty(first.Trace);
    }

    private static ClusterPlan PlanOf(ulong seed)
    {
        var choice = new SeededChoice(seed * 77);
        var workers = 1 + choice.Below(6);
        return new ClusterPlan(workers, 1 + choice.Below(workers), Slices: 8, Until: 200 + choice.Below(300),
            FaultEveryMs: choice.Of([400, 1_000, 3_000]), FaultsFor: TimeSpan.FromSeconds(30));
    }

    private static void RunSeed(ulong seed, bool show)
    {
        var cluster = new SimulatedCluster(seed, PlanOf(seed));
        try
        {
            cluster.Run(Limit);
        }
        catch (Exception e)
        {
            Assert.Fail($"seed {seed} ({PlanOf(seed)}): {e.Message}\n{Tail(cluster)}");
        }

        if (show) TestContext.Current.TestOutputHelper?.WriteLine(string.Join('\n', cluster.Trace));
        Assert.True(cluster.Finished, $"seed {seed} ({PlanOf(seed)}): no end; {cluster.Hopeless}\n{Tail(cluster)}");
    }

    private static string Tail(SimulatedCluster cluster) => string.Join('\n', cluster.Trace.TakeLast(60));
}
