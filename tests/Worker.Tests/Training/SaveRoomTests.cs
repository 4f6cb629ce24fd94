using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Worker.Training;

namespace Convoy.Worker.Tests.Training;

// CP-5: at most two saves of a generation are under way; a third waits, with a name and a deadline.
public sealed class SaveRoomTests
{
    private static StepDriver Waiting() => StepDriver.In(StepStatus.SaveWait);

    [Fact]
    public void CP5_a_third_save_waits_before_the_next_step()
    {
        var d = new StepDriver(saveEvery: 1).Running().OneStep();
        Assert.Equal(1, d.Only<SaveShard>().Step.Value);
        d.OneStep();
        Assert.Equal(2, d.Only<SaveShard>().Step.Value);
        Assert.Equal(3, d.Only<RunStep>().Step.Value);
        d.OneStep();
        Assert.Equal(StepStatus.SaveWait, d.Status);
        Assert.Empty(d.Last.OfType<SaveShard>());
        Assert.Empty(d.Last.OfType<RunStep>());
        Assert.Equal(3, d.Only<AwaitRoom>().Step.Value);
    }

    // Its own shard and the whole: either alone is not the end of a save, and they come in any order.
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void CP5_room_is_made_by_a_save_that_is_written_and_settled(bool writtenFirst)
    {
        var d = Waiting();
        if (writtenFirst) d.Written(2);
        else d.Settled(2);
        Assert.Equal(StepStatus.SaveWait, d.Status);
        if (writtenFirst) d.Settled(2);
        else d.Written(2);
        Assert.Equal(3, d.Only<SaveShard>().Step.Value);
        Assert.Equal(4, d.Only<RunStep>().Step.Value);
        Assert.Equal(StepStatus.Compute, d.Status);
    }

    [Fact]
    public void CP5_the_wait_is_said_once()
    {
        var d = Waiting();
        Assert.Contains("the save of step 3 waits", d.All.OfType<Note>().Last().Text, StringComparison.Ordinal);
        d.SaveIsOver(1).OneStep();
        Assert.Equal(StepStatus.SaveWait, d.Status);
        Assert.Equal("", d.Noted);
    }

    // Another generation, or an end that nobody waits for, makes no room.
    [Fact]
    public void S4_the_end_of_another_save_makes_no_room()
    {
        var d = Waiting().Written(1).Settled(7);
        Assert.Equal(StepStatus.SaveWait, d.Status);
        Assert.Contains("not under way", d.Noted, StringComparison.Ordinal);
        d.Do(new SaveSettled { LeaderToken = 1, Generation = 7, Step = 1 });
        Assert.Equal(StepStatus.SaveWait, d.Status);
        d.Do(new SaveSettled { LeaderToken = 0, Generation = 1, Step = 1 });
        d.Tells<Stale>();
        Assert.Equal(StepStatus.SaveWait, d.Status);
    }

    [Fact]
    public void CP5_a_soft_fence_waits_for_the_save()
    {
        var d = Waiting().Fence(2, FenceKind.Soft, stopAt: 2);
        Assert.Equal(StepStatus.SaveWait, d.Status);
        d.SaveIsOver(1);
        Assert.Equal(3, d.Only<SaveShard>().Step.Value);
        Assert.Empty(d.Last.OfType<RunStep>());
        Assert.Equal(3, d.Tells<Fenced>().Step);
        Assert.Empty(d.Told.OfType<ShardFailed>());
    }

    [Fact]
    public void CP5_a_hard_fence_gives_the_save_up_by_name()
    {
        var d = Waiting().Fence(2);
        Assert.Equal(3, d.Tells<Fenced>().Step);
        Assert.Equal(3, d.Tells<ShardFailed>().Step);
        Assert.Contains("its generation ended", d.Tells<ShardFailed>().Text, StringComparison.Ordinal);
    }

    // What an older generation wrote has room beside what this one writes; its copies in memory have none.
    [Fact]
    public void CP5_a_new_generation_counts_copies_only()
    {
        var d = Waiting().Written(1).Fence(2).Do(StepDriver.OpenOf(2, 3, 10, AlignAction.Keep))
            .Do(new PeersLinked(new Generation(2)))
            .Do(new StateReady(new Generation(2), new StepNumber(3), StepDriver.H(3), false));
        Assert.Equal(4, d.OneStep().Only<SaveShard>().Step.Value);
        Assert.Equal(StepStatus.SaveWait, d.OneStep().Status);
        d.Do(new ShardEnded(new Generation(1), new StepNumber(2), new ShardSaved { Generation = 1, Step = 2 }, null));
        Assert.Equal(5, d.Only<SaveShard>().Step.Value);
    }

    // L4: nobody waits for who does not lead, and nothing piles up for who leads next.
    [Fact]
    public void L4_without_a_leader_no_step_waits_and_no_save_is_added()
    {
        var d = Waiting().Written(1).Written(2).Do(new CoordinatorGone());
        Assert.Equal(4, d.Only<RunStep>().Step.Value);
        for (var step = 4; step <= 6; step++)
        {
            d.OneStep();
            Assert.Empty(d.Last.OfType<SaveShard>());
            Assert.Equal(StepStatus.Compute, d.Status);
        }

        d.Do(new CoordinatorBack(new LeaderToken(2)));
        Assert.Equal([1L, 2L], d.Told.OfType<ShardSaved>().Select(s => s.Step)); // both, not only the last one
        Assert.Contains("4 saves were due while nobody led", d.Noted, StringComparison.Ordinal);
        Assert.Equal(StepStatus.SaveWait, d.OneStep().Status);
        d.Do(new SaveSettled { LeaderToken = 2, Generation = 1, Step = 1 });
        Assert.Equal(7, d.Only<SaveShard>().Step.Value);
    }

    [Fact]
    public void CP5_the_wait_has_a_deadline()
    {
        var d = Waiting().Written(1);
        d.Do(new RoomOverdue(new Generation(1), new StepNumber(3)));
        Assert.Contains("nothing was heard of the save of step 1", d.Noted, StringComparison.Ordinal);
        Assert.Equal(3, d.Only<SaveShard>().Step.Value);
        Assert.Equal(4, d.Only<RunStep>().Step.Value);
    }

    [Fact]
    public void CP5_a_disk_that_hangs_costs_the_save_and_no_step()
    {
        var d = Waiting().Do(new RoomOverdue(new Generation(1), new StepNumber(3)));
        Assert.Empty(d.Last.OfType<SaveShard>());
        Assert.Contains("none was written in time", d.Tells<ShardFailed>().Text, StringComparison.Ordinal);
        Assert.Equal(4, d.Only<RunStep>().Step.Value);
    }

    // The last state must be saved; it waits for memory only.
    [Fact]
    public void CP5_the_last_save_waits_for_a_copy_to_be_written()
    {
        var d = new StepDriver(saveEvery: 1).Running(until: 3).OneStep().OneStep().OneStep();
        Assert.Equal(StepStatus.Closing, d.Status);
        Assert.Empty(d.Last.OfType<SaveShard>());
        d.Written(1);
        Assert.Equal(3, d.Only<SaveShard>().Step.Value);
        d.Do(new WeightsHashed(new Generation(1), new StepNumber(3), new byte[32]));
        Assert.Equal(StepStatus.Closing, d.Status);
        Assert.Equal(StepStatus.Ended, d.Written(3).Status);
    }
}
