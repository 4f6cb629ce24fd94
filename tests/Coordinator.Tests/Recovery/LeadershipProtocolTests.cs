using Convoy.Coordinator.Jobs;
using Convoy.Coordinator.Membership;
using Convoy.Coordinator.Recovery;
using Convoy.Shared.Ids;
using Convoy.Shared.Storage;
using Convoy.Shared.Time;

namespace Convoy.Coordinator.Tests.Recovery;

// FT-05, R2, R24: who leads, and what the next leader knows.
public sealed class LeadershipProtocolTests
{
    private static readonly ClockTable Clocks = new();
    private readonly MemoryJournal _journal = new(TimeProvider.System);

    private static Instant At(double seconds) => Instant.Zero + TimeSpan.FromSeconds(seconds);

    private static LeadershipProtocol Leader()
    {
        var protocol = new LeadershipProtocol(Clocks);
        protocol.OnAcquireAnswered(new Lease("me", new LeaderToken(4)), At(10));
        return protocol;
    }

    [Fact]
    public void A_standby_looks_again_and_again_until_the_lease_is_its_own()
    {
        var protocol = new LeadershipProtocol(Clocks);
        Assert.True(protocol.IsAcquireDue(At(1)));
        protocol.OnAcquireAnswered(null, At(1));
        Assert.False(protocol.IsAcquireDue(At(1.1)));
        Assert.True(protocol.IsAcquireDue(At(1.2)));
        Assert.False(protocol.MayAct(At(1.2)));
        protocol.OnAcquireAnswered(new Lease("me", new LeaderToken(4)), At(1.2));
        Assert.Equal(LeadershipStatus.Leading, protocol.Status);
        Assert.Equal(new LeaderToken(4), protocol.Token);
    }

    [Fact]
    public void L2_a_leader_acts_half_a_second_shorter_than_its_lease_since_it_asked()
    {
        var protocol = Leader();
        Assert.True(protocol.MayAct(At(12.499)));
        Assert.False(protocol.MayAct(At(12.5)));
        Assert.True(protocol.IsRenewDue(At(11)));
        protocol.OnRenewAnswered(holds: true, sentAt: At(11));
        Assert.True(protocol.MayAct(At(13.4)));
        Assert.False(protocol.IsRenewDue(At(11.9)));
    }

    [Fact]
    public void L1_a_refused_leader_never_acts_again()
    {
        var protocol = Leader();
        protocol.OnRenewAnswered(holds: false, sentAt: At(11));
        Assert.Equal(LeadershipStatus.Deposed, protocol.Status);
        protocol.OnRenewAnswered(holds: true, sentAt: At(11.5));
        Assert.False(protocol.MayAct(At(11.5)));
    }

    [Fact]
    public void Clocks_that_let_two_lead_are_refused()
    {
        Assert.NotNull(new ClockTable { LeaseRenew = TimeSpan.FromSeconds(2) }.Check());
        Assert.NotNull(new ClockTable { Lease = TimeSpan.FromSeconds(4) }.Check());
    }

    [Fact]
    public void L6_L7_the_next_leader_knows_the_job_and_the_commands_that_had_their_effect()
    {
        var old = Lead();
        old.Append("a-1", new JobSubmitted("a-1", "{}", "00", StepNumber.Zero, null, [1, 2], Command: "c1"));
        old.Append("a-1", new JobOver("a-1", "finished", new StepNumber(9), "", "ff"));
        old.Append("b-2", new JobSubmitted("b-2", "{}", "00", StepNumber.Zero, new StepNumber(7), [3], Command: "c2"));
        old.Append("b-2", new JobAgreed("b-2", "w1", 96, 0, "ab", new Fingerprint(5)));
        old.Append("b-2", new CheckpointPublished("b-2", new StepNumber(4), new Fingerprint(8), "step-4"));
        old.Append("b-2", new ScaleTaken("b-2", 3, "c3"));
        old.Append("b-2", new StopTaken("b-2", "enough", "c4"));

        var next = Lead();
        var job = next.FoldJobs()[^1];
        Assert.Equal("b-2", job.Submitted!.JobId);
        Assert.Equal([3], job.Submitted.Graph);
        Assert.Equal(96, job.Agreed!.Samples);
        Assert.Equal(new StepNumber(4), job.Checkpoint!.Step);
        Assert.Equal((3, "enough"), (job.Scale, job.Stop!.Reason));
        Assert.Null(job.Over);
        Assert.Equal("a-1", next.FoldSubmitted("c1")!.JobId);
        Assert.Null(next.FoldSubmitted("c3"));
        Assert.Equal(["c1", "c2", "c3", "c4"], next.FoldCommands().Select(c => c.Command));
        Assert.Throws<LeaseLostException>(() => old.Append("b-2", new StopTaken("b-2", "late", "c5")));
    }

    // FT-05: every job that is not over goes on, each from the newest submission in its place.
    [Fact]
    public void L7_every_job_that_was_left_is_found()
    {
        var old = Lead();
        old.Append("a-1", new JobSubmitted("a-1", "{}", "00", StepNumber.Zero, null, [1]));
        old.Append("b-2", new JobSubmitted("b-2", "{}", "00", StepNumber.Zero, null, [1], Beside: true));
        old.Append("c-3", new JobSubmitted("c-3", "{}", "00", StepNumber.Zero, null, [1], Beside: true));
        old.Append("c-3", new JobOver("c-3", "finished", new StepNumber(9), "", "ff"));
        old.Append("b-4", new JobSubmitted("b-4", "{}", "00", StepNumber.Zero, null, [1], Beside: true));
        old.Append("d-5", new JobSubmitted("d-5", "{}", "00", StepNumber.Zero, null, [1], Beside: true));
        old.Append("a-6", new JobSubmitted("a-6", "{}", "00", StepNumber.Zero, null, [1]));

        var left = LeftJobs.Of(Lead().FoldJobs());
        Assert.Equal("a-6", left.First!.Submitted!.JobId);
        Assert.Equal(["b-4", "d-5"], left.Beside.Select(job => job.Submitted!.JobId));
        Assert.Equal(("c-3", new JobEnded(0, "finished")), (left.Over.Single().Key, left.Over.Single().Value));
    }

    [Fact]
    public void M1_a_generation_that_was_only_announced_is_known_as_a_pending_fence()
    {
        var history = new MembershipHistory();
        history.Apply(new GenerationOpened(new Generation(3), "b-2", [new WorkerId(1)], [0, 8], new StepNumber(5),
            new StepNumber(9), ""));
        Assert.False(history.IsFencing);
        history.Apply(new FencingStarted(new Generation(4), Shared.Protocol.FenceKind.Hard, [], ""));
        Assert.True(history.IsFencing);
        Assert.Equal((1L, new Generation(3)), history.OpenedFor("b-2"));
    }

    private ControlJournal Lead() =>
        new(_journal, _journal.TryAcquire("test", TimeSpan.FromSeconds(3), _ => true).Lease!);
}
