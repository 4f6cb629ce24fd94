using System.Globalization;
using Convoy.Cluster.Tests.Jobs;

namespace Convoy.Cluster.Tests;

/// <summary>
/// R1, R2, R16, FT-03, FT-04, FT-05: real processes, killed and stopped at random. The simulation goes through far more
/// orders of events; what lies below it (files, locks, sockets, threads, signals) only shows here. Which seeds: those
/// of CONVOY_CHAOS ("1..50"), else two short runs: the second of two jobs, over TLS.
/// </summary>
public class ChaosTests(ClusterFixture cluster)
{
    private const string SeedsVariable = "CONVOY_CHAOS";

    public static TheoryData<int, int> Runs
    {
        get
        {
            var runs = new TheoryData<int, int>();
            if (Environment.GetEnvironmentVariable(SeedsVariable)?.Split("..") is [var first, var last])
            {
                for (var seed = Number(first); seed <= Number(last); seed++) runs.Add(seed, 24);
            }
            else
            {
                runs.Add(1, 8);
                runs.Add(10, 8);
            }

            return runs;
        }
    }

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    [Theory]
    [MemberData(nameof(Runs))]
    public async Task WhateverIsKilledOrStoppedTheJobEndsWithTheRowsAndBitsOfACalmRun(int seed, int blows)
    {
        await using var run = await ChaosCluster.StartAsync(cluster, seed);
        for (var i = 0; i < blows; i++) await run.StrikeAsync();
        var ends = await run.CalmAndStopAsync();
        for (var job = 0; job < ends.Count; job++)
        {
            var end = ends[job];
            Assert.True(end.Outcome == "stopped", run.Story(end.RootCause?.Text));
            var rows = run.Rows(job);
            Assert.True(rows.Count == end.Step, run.Story($"{rows.Count} rows, {end.Step} steps"));
            Assert.Equal(Enumerable.Range(1, rows.Count).Select(n => (long)n), rows);
            await run.SameBitsAsync(end);
        }

        await run.ForgetAsync();
    }
}
