using Convoy.Coordinator.Jobs;
using Convoy.Coordinator.Membership;
using Convoy.Coordinator.Recovery;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Storage;

namespace Convoy.Coordinator.Tests.Recovery;

// R4, R6: what a coordinator knows again after a restart.
public sealed class ControlJournalTests
{
    private readonly MemoryJournal _journal = new(TimeProvider.System);

    private ControlJournal Lead() =>
        new(_journal, _journal.TryAcquire("test", TimeSpan.FromSeconds(3), _ => true).Lease!);

    [Fact]
    public void M1_R6_a_restart_knows_numbers_and_names()
    {
        var first = Lead();
        first.Append(new WorkerRegistered(new WorkerId(1), "worker-1"));
        first.Append(new GenerationOpened(
            new Generation(1), "job-1", [new WorkerId(1)], [0, 8], StepNumber.Zero, new StepNumber(9), "first"));
        first.Append(new FencingStarted(new Generation(2), FenceKind.Hard, [new WorkerId(1)], "lost"));

        var history = Lead().FoldMembership();
        Assert.Equal(new Generation(2), history.Highest);
        Assert.Equal([(new WorkerId(1), "worker-1")], history.Workers);
    }

    [Fact]
    public void L1_the_old_leader_cannot_append()
    {
        var old = Lead();
        var now = Lead();
        Assert.Throws<LeaseLostException>(() => old.Append(new WorkerRegistered(new WorkerId(1), "a")));
        Assert.False(old.Renew(TimeSpan.FromSeconds(3)));
        now.Append(new WorkerRegistered(new WorkerId(1), "b"));
    }

    [Fact]
    public void Jobs_are_counted_across_restarts()
    {
        Lead().Append("digits-1", new JobSubmitted("digits-1", "{}", "00", StepNumber.Zero, null));
        Assert.Equal(1, Lead().JobsCount);
    }

    [Fact]
    public void Events_come_back_as_they_were()
    {
        var happened = new CheckpointPublished("j", new StepNumber(5), new Fingerprint(ulong.MaxValue), "step-5");
        var stored = ControlJournal.Encode(happened);
        Assert.Equal("checkpoint_published", stored.Type);
        Assert.Equal(happened, ControlJournal.Decode(stored.Type, stored.Json));
    }
}
