using Convoy.Cli.Bench;
using Convoy.Kernels;

namespace Convoy.Cli.Tests.Bench;

// PAR-01: what a team gains over one thread is measured in turns, in one process, on the same operands.
public sealed class KernelBenchTests
{
    [Fact]
    public void Kernels_of_a_team_stand_beside_one_thread()
    {
        using var team = new ThreadTeam(2);
        using var scope = team.Enter();

        Assert.True(First(2).OfOneThread > 0);
    }

    [Fact]
    public void One_thread_stands_beside_nothing_but_the_ceiling()
    {
        var first = First(1);

        Assert.Null(first.OfOneThread);
        // The loop of multiply-adds took turns with it; measured once before, on a busy machine, it was 2.57.
        Assert.InRange(first.OfCeiling, 0.01, 1.5);
    }

    // Of the two ceilings the one that takes longer is the lower.
    [Theory]
    [InlineData(50e6, 1e6, 1.0, 0.5, "arithmetic")]
    [InlineData(1e6, 5e6, 1.0, 0.5, "memory")]
    [InlineData(1e6, 20e6, 1.0, 2.0, "memory")]
    [InlineData(1e6, 20e6, 0.0, 0.0, "memory")]
    public void The_lower_ceiling_bounds(double flops, double bytes, double ms, double share, string bound) =>
        Assert.Equal((share, bound), new Ceilings(100, 100, 10, 10).ShareOf(flops, bytes, ms));

    private static KernelResult First(int threads)
    {
        using var alone = new ThreadTeam(1);
        var timing = new Timing(TimeProvider.System, TimeSpan.FromMilliseconds(1));
        return new KernelBench(threads, alone, timing, null).Products().First();
    }
}
