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

    // L1, L2: who let go of the lease appends and renews nothing more, also before another has taken it.
    [Fact]
    public void A_leader_that_handed_over_has_no_effect_and_another_leads_at_once()
    {
        var old = Lead();
        old.Append(new WorkerRegistered(new WorkerId(1), "a"));
        old.HandOver();
        Assert.Throws<LeaseLostException>(() => old.Append(new WorkerRegistered(new WorkerId(2), "b")));
        Assert.False(old.Renew(TimeSpan.FromSeconds(3)));
        // Nobody says of the old one that it is gone: the lease was free.
        var now = new ControlJournal(_journal, _journal.TryAcquire("next", TimeSpan.FromSeconds(3)).Lease!);
        Assert.Equal(old.Token.Value + 1, now.Token.Value);
        old.HandOver(); // again, at its very end: the other one's lease stays
        now.Append(new WorkerRegistered(new WorkerId(2), "b"));
        Assert.Equal(["a", "b"], now.FoldMembership().Workers.Select(w => w.Name));
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
