namespace Convoy.Simulation.Tests.Random;

/// <summary>
/// R5: every member leaves and comes back, the first included, in every order, killed or in good order; the invariants
/// hold throughout and the cluster is whole again each time. CONVOY_MEMBERS=n takes every order of up to n members;
/// with CONVOY_ORDERS=a..b only those orders of n, counted from 0: so many orders are run in parts.
/// </summary>
public sealed class LeaveAndRejoinTests
{
    private const int EveryOrderUpTo = 4;
    private const int Most = 8;

    private static readonly TimeSpan Limit = TimeSpan.FromMinutes(2);

    [Fact]
    public void R5_every_member_leaves_and_comes_back_in_every_order()
    {
        var upTo = int.TryParse(Environment.GetEnvironmentVariable("CONVOY_MEMBERS"), out var n) ? n : EveryOrderUpTo;
        var part = Environment.GetEnvironmentVariable("CONVOY_ORDERS")?.Split("..").Select(int.Parse).ToArray();
        for (var members = part is null ? 1 : upTo; members <= upTo; members++)
            foreach (var (number, order) in OrdersOf(Enumerable.Range(1, members).ToArray(), 0).Index())
                if (part is null || (number >= part[0] && number <= part[1]))
                    LeaveInTurn(order);
    }

    /// <summary>What is too many for the test above: greater numbers from first to last, back, and in turns.</summary>
    [Fact]
    public void R5_up_to_eight_members_leave_from_either_end()
    {
        for (var members = EveryOrderUpTo + 1; members <= Most; members++)
        {
            var up = Enumerable.Range(1, members).ToArray();
            LeaveInTurn(up);
            LeaveInTurn([.. up.Reverse()]);
            LeaveInTurn([.. up.Where(m => m % 2 == 1), .. up.Where(m => m % 2 == 0)]);
        }
    }

    private static void LeaveInTurn(int[] order)
    {
        var seed = order.Aggregate(17UL, (h, m) => (h * 31) + (ulong)m);
        var plan = new ClusterPlan(order.Length, Min: 1, Slices: 8, Until: 1_000_000, FaultEveryMs: 1,
            FaultsFor: TimeSpan.Zero);
        var cluster = new SimulatedCluster(seed, plan);
        var what = "start";
        try
        {
            Assert.True(cluster.RunUntil(() => cluster.IsWhole, Limit), "was not whole at the start");
            foreach (var (turn, member) in order.Index())
            {
                var name = $"worker-{member}";
                var before = cluster.IncarnationOf(name);
                what = $"turn {turn + 1}, {name}";
                cluster.Leave(name, inOrder: (turn + member) % 2 == 0);
                Assert.True(cluster.RunUntil(() => cluster.IsGone(name, before), Limit), "did not go");
                Assert.True(cluster.RunUntil(() => cluster.IsWhole, Limit), "was not whole again");
                Assert.NotEqual(before, cluster.IncarnationOf(name));
            }
        }
        catch (Exception e)
        {
            Assert.Fail($"order {string.Join(',', order)}, {what}: {e.Message}\n"
                + string.Join('\n', cluster.Trace.TakeLast(60)));
        }
    }

    /// <summary>All orders of what stands from <paramref name="from"/> on; the array is given out anew each time.</summary>
    private static IEnumerable<int[]> OrdersOf(int[] items, int from)
    {
        if (from == items.Length)
        {
            yield return (int[])items.Clone();
            yield break;
        }

        for (var i = from; i < items.Length; i++)
        {
            (items[from], items[i]) = (items[i], items[from]);
            foreach (var order in OrdersOf(items, from + 1)) yield return order;
            (items[from], items[i]) = (items[i], items[from]);
        }
    }
}
