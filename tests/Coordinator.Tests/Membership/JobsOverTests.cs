using Convoy.Coordinator.Membership;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;

namespace Convoy.Coordinator.Tests.Membership;

/// <summary>L7: a worker of a job that ended under an earlier leader hears how it ended.</summary>
public sealed class JobsOverTests
{
    [Theory]
    [InlineData("beside-4", 0, "finished")]
    [InlineData("beside-5", 5, "failed: no data")]
    [InlineData("lost-6", 6, "it holds job lost-6")]
    public void Who_holds_a_job_that_is_over_is_let_go_as_it_ended(string held, int code, string reason)
    {
        var membership = new MembershipProtocol(new LeaderToken(2), new MembershipHistory(), new ClockTable())
        {
            JobsOver = new Dictionary<string, JobEnded>
            {
                ["beside-4"] = new(0, "finished"), ["beside-5"] = new(5, "failed: no data"),
            },
        };
        membership.Step(new JobAnnounced("first-9"), new Instant(1_000_000), new MembershipOutbox());
        var outbox = new MembershipOutbox();
        membership.Step(new HelloReceived(new Hello
        {
            WorkerName = "w1", Incarnation = 7, Host = "host", PeerAddress = "10.0.0.1:7000", JobId = held,
            StateStep = 50,
        }), new Instant(2_000_000), outbox);

        var release = outbox.Effects.OfType<Send>().Select(s => s.Message).OfType<Release>().Single();
        Assert.Equal(code, release.ExitCode);
        Assert.StartsWith(reason, release.Reason, StringComparison.Ordinal);
    }
}
