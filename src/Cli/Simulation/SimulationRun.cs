using Convoy.Cli.Simulation.Checkers;
using Convoy.Shared.Threading;

namespace Convoy.Cli.Simulation;

/// <summary>How one seed went.</summary>
/// <param name="Seed">Which.</param>
/// <param name="Choice">What the user fixed, or the reducer.</param>
/// <param name="Violation">What a checker found; null: nothing.</param>
/// <param name="SimulatedSeconds">Virtual time that passed.</param>
/// <param name="Joins">What workers that came later did.</param>
internal sealed record SimulationResult(ulong Seed, SimulationChoice Choice, Violation? Violation,
    double SimulatedSeconds, JoinCounts Joins)
{
    public bool Failed => Violation is not null;
}

internal static class SimulationRun
{
    public static SimulationResult Run(ulong seed, SimulationChoice choice, Plants? plants = null,
        Action<string>? trace = null)
    {
        var cluster = new SimulatedCluster(SimulationPlan.Of(seed, choice), plants, trace);
        cluster.Run();
        return new SimulationResult(seed, choice, cluster.Violation, cluster.World.Now.Microseconds / 1e6,
            cluster.Jobs.Aggregate(default(JoinCounts), static (sum, job) => sum + job.Learners.Counts));
    }

    /// <summary>
    /// Seeds in their order, each world on one thread, as many worlds at a time as there are threads.
    /// </summary>
    public static List<SimulationResult> RunAll(
        ulong first, ulong last, SimulationChoice choice, int threads, Action<SimulationResult> failed,
        CancellationToken cancel)
    {
        var results = new SimulationResult?[last - first + 1];
        var next = -1;
        var report = new OrderedLock("the failures of a simulation", LockRank.Service);
        var runners = Enumerable.Range(0, threads).Select(_ => Task.Run(() =>
        {
            for (var i = Interlocked.Increment(ref next); i < results.Length; i = Interlocked.Increment(ref next))
            {
                cancel.ThrowIfCancellationRequested();
                var result = results[i] = Run(first + (ulong)i, choice);
                if (!result.Failed) continue;
                using (report.Enter()) failed(result);
            }
        }, cancel)).ToArray();
        Task.WhenAll(runners).GetAwaiter().GetResult();
        return [.. results.OfType<SimulationResult>()];
    }
}
