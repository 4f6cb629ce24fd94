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
    public void One_thread_stands_beside_nothing() => Assert.Null(First(1).OfOneThread);

    private static KernelResult First(int threads)
    {
        using var alone = new ThreadTeam(1);
        var timing = new Timing(TimeProvider.System, TimeSpan.FromMilliseconds(1));
        return new KernelBench(threads, alone, timing, new Ceilings(1, 2, 1, 1), null).Products().First();
    }
}
