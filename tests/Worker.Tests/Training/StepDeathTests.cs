using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Worker.Training;

namespace Convoy.Worker.Tests.Training;

/// <summary>
/// The table of 12 points where another worker dies, seen by a survivor: what it reports, what it does next.
/// </summary>
public sealed class StepDeathTests
{
    [Fact]
    public void P0_between_steps_the_survivor_reports_the_step_it_applied()
    {
        var d = new StepDriver().Running().OneStep().OneStep().Fence(2).Computed().Stopped();
        var fenced = d.Tells<Fenced>();
        Assert.Equal((2L, StepDriver.H(2).Value, false, true),
            (fenced.Step, fenced.Fingerprint, fenced.HoldsNext, fenced.RetainsCurrent));
    }

    // P1 nothing sent, P2 some nodes sent, P3 all sent, P4 chunks reduced but not sent: the survivor sees the same.
    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void P1_to_P4_the_step_is_redone_with_other_cuts(bool computed)
    {
        var d = new StepDriver().Running();
        if (computed) d.Computed();
        d.Fence(2);
        d.Only<StopExchange>();
        Assert.Empty(d.Told);
        if (!computed) d.Computed();
        d.Stopped();
        var fenced = d.Tells<Fenced>();
        Assert.Equal((0L, false), (fenced.Step, fenced.HoldsNext));
        d.Do(StepDriver.OpenOf(2, 0, 10, AlignAction.Keep, members: 2));
        d.Do(new StateReady(new Generation(2), new StepNumber(0), StepDriver.H(0), false));
        d.Do(new PeersLinked(new Generation(2)));
        Assert.Equal(new RunStep(new Generation(2), new StepNumber(1)), d.Only<RunStep>());
    }

    [Fact]
    public void P4_late_results_of_the_broken_step_are_refused_by_name_S4()
    {
        var d = new StepDriver().Running().Fence(2).Computed().Stopped();
        d.Do(StepDriver.OpenOf(2, 0, 10, AlignAction.Keep));
        d.Do(new StateReady(new Generation(2), new StepNumber(0), StepDriver.H(0), false));
        d.Do(new PeersLinked(new Generation(2)));
        foreach (var late in new object[]
        {
            new StepHeld(new Generation(1), new StepNumber(1)), new StepComputed(new Generation(1), new StepNumber(1)),
            new StepApplied(new Generation(1), new StepNumber(1), StepDriver.H(1)),
            new ExchangeStopped(new Generation(1)), new PeersLinked(new Generation(1)),
            new StateReady(new Generation(1), new StepNumber(9), StepDriver.H(9), true),
        })
        {
            Assert.NotEmpty(d.Do(late).Noted);
            Assert.Equal(StepStatus.Compute, d.Status);
            Assert.Equal(0, d.Protocol.State.Value);
        }
    }

    [Fact]
    public void P5_held_while_the_fence_is_answered_is_reported_and_applied_by_APPLY_HELD()
    {
        var d = new StepDriver().Running().Computed().Fence(2).Held().Stopped();
        Assert.True(d.Tells<Fenced>().HoldsNext);
        Assert.Equal(0, d.Tells<Fenced>().Step);
        d.Do(StepDriver.OpenOf(2, 1, 10, AlignAction.ApplyHeld));
        Assert.Equal(1, d.Only<AlignState>().Target.Value);
        d.Do(new StateReady(new Generation(2), new StepNumber(1), StepDriver.H(1), true));
        d.Do(new PeersLinked(new Generation(2)));
        Assert.Equal(1, d.Tells<Aligned>().Step);
        Assert.Equal(2, d.Only<RunStep>().Step.Value);
    }

    [Fact]
    public void P5_not_held_it_fetches_the_chunks_of_a_survivor_that_has_applied()
    {
        var d = new StepDriver().Running().Fence(2).Computed().Stopped();
        d.Do(StepDriver.OpenOf(2, 1, 10, AlignAction.FetchChunks, source: 2));
        var align = d.Only<AlignState>();
        Assert.Equal((AlignAction.FetchChunks, 2, 1L), (align.Action, align.Source.Value, align.Target.Value));
        d.Do(new StateReady(new Generation(2), new StepNumber(1), StepDriver.H(1), true));
        d.Do(new PeersLinked(new Generation(2)));
        d.Tells<Aligned>();
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void P6_P7_inside_apply_the_fence_waits_for_its_end_S2(bool eviction)
    {
        var d = StepDriver.In(StepStatus.Apply);
        if (eviction) d.Do(new Evict { LeaderToken = 1, Generation = 2, MayRejoin = true });
        else d.Fence(2);
        Assert.Equal(StepStatus.Fencing, d.Status);
        Assert.Empty(d.Told);
        Assert.Empty(d.Last.OfType<StopExchange>()); // nothing of the next step has begun
        d.Applied();
        Assert.Equal(1, d.Protocol.State.Value);
        if (!eviction) Assert.Equal(1, d.Tells<Fenced>().Step);
    }

    [Fact]
    public void P9_applied_but_unsaid_is_in_the_answer_to_the_fence()
    {
        var d = StepDriver.In(StepStatus.Apply).Applied().Fence(2).Computed().Stopped();
        Assert.Equal((1L, true), (d.Tells<Fenced>().Step, d.Tells<Fenced>().RetainsCurrent));
    }

    [Fact]
    public void P10_the_donor_dies_while_a_joiner_loads_the_joiner_reports_no_state()
    {
        var d = new StepDriver().Prepare();
        d.Do(StepDriver.OpenOf(3, 7, 10, AlignAction.LoadSnapshot, source: 2));
        d.Do(new PeerLost(new WorkerId(2), StepDriver.IncarnationOf(2), SuspectEvidence.Closed, "closed"));
        d.Tells<Suspect>();
        d.Fence(4);
        d.Only<CancelAlign>();
        Assert.Empty(d.Told);
        d.Do(new StateFailed(new Generation(3), "cancelled"));
        Assert.Equal((4L, -1L), (d.Tells<Fenced>().Generation, d.Tells<Fenced>().Step));
    }

    [Fact]
    public void P11_a_second_death_while_fetching_leaves_state_t_intact()
    {
        var d = new StepDriver().Running().Fence(2).Computed().Stopped();
        d.Do(StepDriver.OpenOf(2, 1, 10, AlignAction.FetchChunks, source: 2)).Fence(3);
        d.Do(new StateFailed(new Generation(2), "cancelled"));
        var fenced = d.Tells<Fenced>();
        Assert.Equal((3L, 0L, StepDriver.H(0).Value), (fenced.Generation, fenced.Step, fenced.Fingerprint));
        // Nobody applied it: the step is redone.
        d.Do(StepDriver.OpenOf(3, 0, 10, AlignAction.Keep));
        d.Do(new StateReady(new Generation(3), new StepNumber(0), StepDriver.H(0), false));
        d.Do(new PeersLinked(new Generation(3)));
        Assert.Equal(1, d.Only<RunStep>().Step.Value);
    }

    [Fact]
    public void P11_a_fence_that_meets_an_alignment_that_has_just_ended_reports_the_new_state()
    {
        var d = new StepDriver().Running().Fence(2).Computed().Stopped();
        d.Do(StepDriver.OpenOf(2, 1, 10, AlignAction.FetchChunks, source: 2)).Fence(3);
        d.Do(new StateReady(new Generation(2), new StepNumber(1), StepDriver.H(1), true));
        Assert.Equal((1L, true), (d.Tells<Fenced>().Step, d.Tells<Fenced>().RetainsCurrent));
    }

    [Fact]
    public void A_failed_alignment_is_named_and_waits_for_the_coordinator()
    {
        var d = new StepDriver().Prepare();
        d.Do(StepDriver.OpenOf(3, 7, 10, AlignAction.LoadCheckpoint));
        d.Do(new StateFailed(new Generation(3), "manifest: checksum differs"));
        Assert.Equal("w1: manifest: checksum differs", d.Tells<AlignFailed>().Text);
        Assert.Equal(StepStatus.Aligning, d.Status);
        Assert.Equal(-1, d.Fence(4).Tells<Fenced>().Step);
    }
}
