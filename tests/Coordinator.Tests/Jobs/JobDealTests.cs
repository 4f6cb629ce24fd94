using Convoy.Coordinator.Jobs;

namespace Convoy.Coordinator.Tests.Jobs;

/// <summary>Who gets the idle workers of a cluster with several jobs.</summary>
public sealed class JobDealTests
{
    private static int[] Deal(int idle, params (int Min, int Want, int Have)[] jobs) =>
        JobDeal.Of([.. jobs.Select(j => new JobNeed(j.Min, j.Want, j.Have))], idle);

    [Fact]
    public void Each_job_gets_its_minimum_before_one_gets_more() =>
        Assert.Equal([2, 2], Deal(4, (1, 8, 0), (2, 2, 0)));

    [Fact]
    public void What_is_left_goes_to_the_oldest() => Assert.Equal([4, 2, 0], Deal(6, (1, 4, 0), (1, 3, 0), (5, 5, 0)));

    [Fact]
    public void Too_few_to_start_a_job_do_not_wait_in_it() => Assert.Equal([0, 2], Deal(2, (3, 3, 0), (1, 8, 1)));

    [Fact]
    public void Nobody_gets_more_than_it_wants() => Assert.Equal([0, 1], Deal(5, (1, 2, 2), (1, 1, 0)));

    [Fact]
    public void Without_jobs_nobody_gets_any() => Assert.Empty(Deal(3));

    // JD-1 to JD-3 over every small case of two jobs.
    [Fact]
    public void The_rules_hold_for_every_small_cluster()
    {
        for (var code = 0; code < 4 * 4 * 4 * 4 * 5 * 5 * 6; code++)
        {
            var rest = code;
            int Next(int n)
            {
                var value = rest % n;
                rest /= n;
                return value;
            }

            var jobs = Enumerable.Range(0, 2).Select(_ => (Min: 1 + Next(4), More: Next(4), Have: Next(5)))
                .Select(j => new JobNeed(j.Min, j.Min + j.More, j.Have)).ToArray();
            var idle = Next(6);
            var gets = JobDeal.Of(jobs, idle);
            var left = idle - gets.Sum();
            Assert.True(left >= 0);
            for (var i = 0; i < 2; i++)
            {
                Assert.True(gets[i] == 0 || jobs[i].Have + gets[i] <= jobs[i].Want, "JD-1");
                Assert.True(gets[i] == 0 || jobs[i].Have + gets[i] >= jobs[i].Min, "JD-2");
                var has = jobs[i].Have + gets[i];
                Assert.False(has + left >= jobs[i].Min && left > 0 && has < jobs[i].Want, "JD-3");
            }
        }
    }
}
