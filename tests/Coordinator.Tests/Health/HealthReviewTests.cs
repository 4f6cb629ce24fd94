using Convoy.Coordinator.Api;
using Convoy.Coordinator.Health;

namespace Convoy.Coordinator.Tests.Health;

// PROD-01: health of memory, gradients, performance and cluster, with a score, advice and a report.
public sealed class HealthReviewTests
{
    [Fact]
    public void A_sound_run_is_healthy_and_shows_everything_that_was_looked_at()
    {
        var report = HealthReview.Of(Status(), Rows(200));

        Assert.Equal(("healthy", 100), (report.Verdict, report.Score));
        Assert.Equal(["memory", "cluster", "cluster", "gradients", "gradients", "gradients",
            "performance", "performance"],
            report.Findings.Select(f => f.Area));
        Assert.All(report.Findings, f => Assert.Equal("", f.Advice));
    }

    public static TheoryData<string, int, Func<StepView, StepView>> IllRows => new()
    {
        // Name of the finding, its penalty, what happens to the rows from 150 of 200 on.
        { "finite", 50, row => row with { Skipped = true } },
        { "finite", 50, row => row with { Loss = double.NaN } },
        { "loss", 20, row => row with { Loss = 5 } },
        { "gradient norm", 15, row => row with { GradientNorm = 30 } },
        { "synchronisation", 0, row => row with { SyncUs = 300 } },
        { "step time", 10, row => row with { TotalUs = 1_900, SyncUs = 100 } },
    };

    [Theory]
    [MemberData(nameof(IllRows))]
    public void Each_fault_of_the_rows_is_found_under_its_name(string name, int penalty, Func<StepView, StepView> harm)
    {
        var rows = Rows(200).Select(row => row.Step > 150 ? harm(row) : row).ToList();

        var finding = HealthReview.Of(Status(), rows).Findings.Single(f => f.Name == name);

        Assert.Equal(penalty, finding.Penalty);
        Assert.Equal(penalty > 0, finding.Advice.Length > 0);
    }

    [Theory]
    [InlineData(500, 10)]
    [InlineData(800, 20)]
    public void Waiting_for_others_costs_by_its_share(long syncUs, int penalty) => Assert.Equal(penalty,
        HealthReview.Of(null, [.. Rows(50).Select(r => r with { SyncUs = syncUs })]).Findings
            .Single(f => f.Name == "synchronisation").Penalty);

    [Fact]
    public void A_vanishing_gradient_is_found() => Assert.Equal(15, HealthReview
        .Of(null, [.. Rows(50).Select(r => r with { GradientNorm = 1e-9 })]).Findings.Single(f =>
            f.Name == "gradient norm").Penalty);

    [Fact]
    public void Memory_is_summed_over_the_workers_of_a_host()
    {
        var status = Status() with
        {
            Workers = [Worker("w1", "a", 46), Worker("w2", "a", 46), Worker("w3", "b", 10)],
        };

        var memory = HealthReview.Of(status, []).Findings.Single(f => f.Area == "memory");

        Assert.Equal(30, memory.Penalty);
        Assert.Contains("host a", memory.Found, StringComparison.Ordinal);
    }

    [Fact]
    public void A_failed_job_is_ill_and_names_the_cause()
    {
        var report = HealthReview.Of(Status() with
        {
            RootCause = new RootCause { Worker = "w2", Text = "out of memory" },
            Workers = [Worker("w1", "a", 10), Worker("w2", "a", 10) with { State = "lost" }],
        }, Rows(200));

        Assert.Equal("ill", report.Verdict);
        Assert.Contains(report.Findings, f => f.Found.Contains("w2: out of memory", StringComparison.Ordinal));
    }

    [Fact]
    public void Few_rows_are_not_judged_by_their_trend() => Assert.Equal(["finite"],
        HealthReview.Of(null, Rows(39)).Findings.Select(f => f.Name));

    [Fact]
    public void The_score_does_not_fall_below_0() => Assert.Equal(0,
        new HealthReport([new("a", "b", 70, "", ""), new("a", "b", 70, "", "")]).Score);

    private static StatusReport Status() => new()
    {
        Job = "digits", State = "running", Step = 200, Workers = [Worker("w1", "a", 20), Worker("w2", "a", 20)],
    };

    private static WorkerView Worker(string name, string host, long memory) =>
        new() { Name = name, Host = host, State = "member", MemoryBytes = memory, MemoryLimitBytes = 100 };

    private static List<StepView> Rows(int count) => [.. Enumerable.Range(1, count).Select(step => new StepView
    {
        Step = step, Loss = 2.0 / Math.Sqrt(step), GradientNorm = 1 + 0.1 * (step % 3), TotalUs = 1_000, SyncUs = 100,
    })];
}
