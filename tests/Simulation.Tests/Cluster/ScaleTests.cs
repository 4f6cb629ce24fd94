using Convoy.Cli.Simulation;
using Convoy.Shared.Casting;

namespace Convoy.Simulation.Tests.Cluster;

/// <summary>
/// What a change costs the coordinator grows no worse than N log N. Messages, bytes and allocations are
/// counted: they do not depend on the machine. Time is measured by <c>convoy sim --scale</c>.
/// </summary>
public sealed class ScaleTests
{
    [Fact]
    public void Ten_times_the_workers_cost_no_more_than_N_log_N()
    {
        var trees = new CastShape(32, 8); // both sizes are told through one
        var small = ScaleRun.Run(80, TimeProvider.System, trees);
        var large = ScaleRun.Run(800, TimeProvider.System, trees);
        var allowed = large.MayGrowFrom(small);
        Assert.InRange(allowed, 15, 16);
        Assert.Equal(["join", "five steps", "lose 1%", "five steps"], large.Figures.Select(f => f.Change));
        foreach (var (l, s) in large.Figures.Zip(small.Figures))
        {
            AssertGrowth(l.Change, "messages to the coordinator", l.Received, s.Received, allowed);
            AssertGrowth(l.Change, "messages from it", l.Sent, s.Sent, allowed);
            AssertGrowth(l.Change, "bytes from it", l.SentBytes, s.SentBytes, allowed);
            AssertGrowth(l.Change, "bytes that it allocates", l.Allocated, s.Allocated, allowed);
            // Of the replay, which has come to the same ends: else there would be no figure.
            Assert.True(l.CpuMs > 0 && s.CpuMs > 0, $"{l.Change}: {l.CpuMs} and {s.CpuMs} ms");
        }
    }

    private static void AssertGrowth(string change, string what, long large, long small, double allowed) =>
        Assert.True(large <= small * allowed,
            $"{change}: {what} grow from {small} to {large}, allowed are {allowed:0.0}x");
}
