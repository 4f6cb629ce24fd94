using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Worker.Training;

namespace Convoy.Worker.Tests.Training;

// FT-01, R2: the step of one worker as a pure protocol.
public sealed class StepProtocolTests
{
    [Fact]
    public void One_step_goes_compute_reduce_held_apply_and_tells_the_members()
    {
        var d = new StepDriver().Running();
        Assert.Equal(1, d.Only<RunStep>().Step.Value);
        Assert.Equal(StepStatus.Reduce, d.Computed().Status);
        Assert.Equal(1, d.Held().Only<ApplyStep>().Step.Value);
        Assert.Equal(StepStatus.Apply, d.Status);
        d.Applied();
        var done = Assert.IsType<StepDone>(d.Only<TellMembers>().Message);
        Assert.Equal((1L, 1L, StepDriver.H(1).Value, 1), (done.Generation, done.Step, done.Fingerprint, done.From));
        Assert.Equal(2, d.Only<RunStep>().Step.Value);
        Assert.Equal(StepStatus.Compute, d.Status);
    }

    [Fact]
    public void A_step_held_before_the_device_has_reported_is_applied_after_it()
    {
        var d = new StepDriver().Running().Held();
        Assert.Equal(StepStatus.Compute, d.Status);
        Assert.Equal(1, d.Computed().Only<ApplyStep>().Step.Value);
    }

    [Fact]
    public void Aligned_is_said_once_when_links_and_state_are_there_W4()
    {
        var d = new StepDriver().Aligning();
        Assert.Equal(AlignAction.Initialize, d.Only<AlignState>().Action);
        Assert.Equal(3, d.Only<EnterGeneration>().Members.Count);
        d.Do(new StateReady(new Generation(1), new StepNumber(0), StepDriver.H(0), false));
        Assert.Empty(d.Told);
        d.Do(new PeersLinked(new Generation(1)));
        Assert.Equal(StepDriver.H(0).Value, d.Tells<Aligned>().Fingerprint);
        Assert.Single(d.Last.OfType<RunStep>());
    }

    [Fact]
    public void A_single_member_needs_no_links()
    {
        var d = new StepDriver().Aligning(members: 1);
        d.Do(new StateReady(new Generation(1), new StepNumber(0), StepDriver.H(0), false));
        Assert.Equal(StepStatus.Compute, d.Status);
    }

    [Fact]
    public void Another_fingerprint_than_the_members_is_not_aligned_and_named_M6()
    {
        var d = new StepDriver().Prepare();
        d.Do(StepDriver.OpenOf(3, 5, 10, AlignAction.LoadSnapshot, source: 2, fingerprint: StepDriver.H(5).Value));
        d.Do(new PeersLinked(new Generation(3)));
        d.Do(new StateReady(new Generation(3), new StepNumber(5), StepDriver.H(99), false));
        var text = d.Tells<AlignFailed>().Text;
        Assert.Contains(StepDriver.H(5).ToString(), text);
        Assert.Contains(StepDriver.H(99).ToString(), text);
        Assert.Equal(StepStatus.Aligning, d.Status);
    }

    [Fact]
    public void At_until_step_the_shard_is_saved_and_the_end_is_said()
    {
        var d = new StepDriver().Running(start: 9, until: 10).OneStep();
        Assert.Equal(StepStatus.Closing, d.Status);
        var save = d.Only<SaveShard>();
        Assert.Equal((10L, 0, 3), (save.Step.Value, save.Index, save.Count));
        d.Do(new ShardEnded(d.Protocol.Generation, new StepNumber(10), new ShardSaved { Step = 10 }, null));
        d.Tells<ShardSaved>();
        d.Do(new WeightsHashed(d.Protocol.Generation, new StepNumber(10), new byte[32]));
        Assert.Equal(10, d.Tells<ReachedEnd>().Step);
        Assert.Equal(StepStatus.Ended, d.Status);
        d.Do(new Release { LeaderToken = 1, ExitCode = 0 });
        Assert.Equal(0, d.Only<StopWork>().ExitCode);
        Assert.Equal(StepStatus.Gone, d.Do(new WorkStopped()).Status);
    }

    [Fact]
    public void A_failed_last_shard_is_reported_and_the_end_is_still_said()
    {
        var d = StepDriver.In(StepStatus.Closing);
        d.Do(new ShardEnded(d.Protocol.Generation, d.Protocol.State, null, new ShardFailed { Text = "disk full" }));
        Assert.Equal("disk full", d.Tells<ShardFailed>().Text);
        d.Do(new WeightsHashed(d.Protocol.Generation, d.Protocol.State, new byte[32]));
        d.Tells<ReachedEnd>();
    }

    [Fact]
    public void Saves_are_due_by_the_step_number_alone()
    {
        var d = new StepDriver(saveEvery: 2).Running();
        for (var step = 1; step <= 9; step++)
        {
            d.OneStep();
            Assert.Equal(step % 2 == 0, d.Last.OfType<SaveShard>().Any());
            Assert.Single(d.Last.OfType<RunStep>()); // training goes on at once
            if (step % 2 == 0) d.SaveIsOver(step);
        }
    }

    [Fact]
    public void A_fence_in_Prepared_is_answered_without_a_state()
    {
        var fenced = new StepDriver().Prepare().Fence(1).Tells<Fenced>();
        Assert.Equal((-1L, 1L), (fenced.Step, fenced.Generation));
    }

    [Fact]
    public void A_newer_fence_replaces_an_older_one_W7()
    {
        var d = StepDriver.In(StepStatus.Fencing).Fence(3);
        Assert.Empty(d.Told);
        d.Computed().Stopped();
        Assert.Equal(3, d.Tells<Fenced>().Generation);
        Assert.Equal(4, d.Fence(4).Tells<Fenced>().Generation);
        Assert.Equal(4, d.Fence(4).Tells<Fenced>().Generation); // repeated: answered again
    }

    [Fact]
    public void A_soft_fence_stops_at_its_boundary_W2()
    {
        var d = new StepDriver().Running().Fence(2, FenceKind.Soft, stopAt: 2);
        Assert.Empty(d.Last);
        d.OneStep();
        Assert.Equal(StepStatus.Compute, d.Status);
        d.OneStep();
        Assert.Equal(StepStatus.Fenced, d.Status);
        var fenced = d.Tells<Fenced>();
        Assert.Equal((2L, false, true), (fenced.Step, fenced.HoldsNext, fenced.RetainsCurrent));
        Assert.Empty(d.Last.OfType<RunStep>());
    }

    [Fact]
    public void A_soft_fence_whose_boundary_has_passed_stops_the_step_that_cannot_end()
    {
        var d = new StepDriver().Running().OneStep().Fence(2, FenceKind.Soft, stopAt: 1);
        d.Only<StopExchange>();
        d.Computed().Stopped();
        Assert.Equal(1, d.Tells<Fenced>().Step);
    }

    [Fact]
    public void A_hard_fence_overrides_a_soft_one()
    {
        var d = new StepDriver().Running().Fence(2, FenceKind.Soft, stopAt: 5).Fence(3);
        Assert.Equal(StepStatus.Fencing, d.Status);
        d.Computed().Stopped();
        Assert.Equal(3, d.Tells<Fenced>().Generation);
    }

    [Fact]
    public void Messages_of_an_older_leader_are_refused_with_Stale_W6_M2()
    {
        var d = new StepDriver().Running().Fence(2, token: 7);
        Assert.Equal(7, d.Protocol.Token.Value);
        object[] older =
        [
            new Fence { LeaderToken = 6, Generation = 9 }, new Release { LeaderToken = 6 },
            new Assign { LeaderToken = 6 },
            new Evict { LeaderToken = 6, Generation = 9 }, new Evaluate { LeaderToken = 6 },
            StepDriver.OpenOf(9, 0, 1, AlignAction.Keep, token: 6),
        ];
        foreach (var message in older)
        {
            Assert.Equal((7L, 2L), (d.Do(message).Tells<Stale>().TokenSeen, d.Tells<Stale>().GenerationSeen));
            Assert.Equal(StepStatus.Fencing, d.Status);
        }
    }

    [Fact]
    public void Messages_of_an_older_generation_are_refused_with_Stale_W6_M2()
    {
        var d = new StepDriver().Running(generation: 5);
        foreach (var message in new object[]
        {
            new Fence { LeaderToken = 1, Generation = 4 }, new Evict { LeaderToken = 1, Generation = 4 },
            StepDriver.OpenOf(4, 0, 9, AlignAction.Keep),
        })
        {
            Assert.Equal(5, d.Do(message).Tells<Stale>().GenerationSeen);
            Assert.Equal(StepStatus.Compute, d.Status);
        }
    }

    [Fact]
    public void An_open_again_changes_nothing()
    {
        var d = new StepDriver().Running();
        d.Do(StepDriver.OpenOf(1, 0, 10, AlignAction.Initialize));
        Assert.Equal("g1 again in Compute", d.Noted);
        Assert.Empty(d.Told);
    }

    [Fact]
    public void An_open_that_did_not_wait_for_the_fence_answer_is_refused_by_name()
    {
        var d = StepDriver.In(StepStatus.Reduce).Do(StepDriver.OpenOf(2, 0, 10, AlignAction.Keep));
        Assert.Contains("before this worker answered", d.Tells<AlignFailed>().Text);
        Assert.Equal(StepStatus.Reduce, d.Status);
    }

    [Theory]
    [InlineData("until")]
    [InlineData("cuts")]
    [InlineData("job")]
    public void An_open_that_makes_no_sense_is_refused(string what)
    {
        var open = StepDriver.OpenOf(2, 5, 10, AlignAction.Keep);
        if (what == "until") open.UntilStep = 4;
        if (what == "cuts") open.Cuts[1] = 9;
        if (what == "job") open.JobId = "other";
        new StepDriver().Prepare().Do(open).Tells<AlignFailed>();
    }

    [Fact]
    public void Another_incarnation_of_this_worker_is_not_this_worker()
    {
        var open = StepDriver.OpenOf(2, 0, 10, AlignAction.Keep);
        open.Members[0].Incarnation = 4711;
        var d = StepDriver.In(StepStatus.Fenced).Do(open);
        Assert.Equal(StepStatus.Prepared, d.Status);
        d.Only<SayHello>();
    }

    [Fact]
    public void Evicted_while_running_it_comes_to_rest_keeps_its_state_and_greets_again_W5()
    {
        var d = new StepDriver().Running().OneStep()
            .Do(new Evict { LeaderToken = 1, Generation = 2, MayRejoin = true });
        Assert.Equal(StepStatus.Fencing, d.Status);
        d.Computed().Stopped();
        Assert.Equal(StepStatus.Prepared, d.Status);
        Assert.Empty(d.Told);
        d.Only<DropPeers>();
        d.Only<SayHello>();
        Assert.Equal(1, d.Protocol.State.Value);
    }

    // One leader let it go while its device hung, and the next one, which found it a member, fences it.
    [Fact]
    public void A_fence_after_an_eviction_is_answered_W7()
    {
        var d = new StepDriver().Running().OneStep()
            .Do(new Evict { LeaderToken = 1, Generation = 2, MayRejoin = true })
            .Do(new Fence { LeaderToken = 2, Generation = 3, Kind = FenceKind.Hard });
        Assert.Equal(StepStatus.Fencing, d.Status);
        d.Computed().Stopped();
        Assert.Equal(StepStatus.Fenced, d.Status);
        Assert.Equal(3, Assert.IsType<Fenced>(Assert.Single(d.Told)).Generation);
    }

    [Fact]
    public void Evicted_for_good_it_leaves_with_the_reason()
    {
        var d = StepDriver.In(StepStatus.Fenced)
            .Do(new Evict { LeaderToken = 1, Generation = 3, Reason = "other bits" });
        Assert.Equal((int)ExitCode.Cluster, d.Only<StopWork>().ExitCode);
        Assert.Contains("other bits", d.Only<StopWork>().Reason);
    }

    [Theory]
    [InlineData(1L, 2UL, true)]
    [InlineData(1L, 0xF01UL, false)]
    public void Fingerprints_of_members_are_compared(long step, ulong theirs, bool differs)
    {
        var d = new StepDriver().Running().OneStep();
        d.Do(new StepDone { Generation = 1, Step = step, Fingerprint = theirs, From = 2 });
        Assert.Equal(differs ? StepStatus.Leaving : StepStatus.Compute, d.Status);
        if (!differs) return;
        var text = d.Tells<WorkerFailed>().Text;
        Assert.Contains("w1 has", text);
        Assert.Contains("w2 has", text);
    }

    [Fact]
    public void A_member_that_is_one_step_ahead_is_compared_when_this_worker_gets_there()
    {
        var d = new StepDriver().Running();
        d.Do(new StepDone { Generation = 1, Step = 1, Fingerprint = 5, From = 3 });
        Assert.Empty(d.Last);
        d.OneStep();
        Assert.Contains("w3", d.Tells<WorkerFailed>().Text);
        Assert.Empty(d.Last.OfType<RunStep>());
    }

    [Theory]
    [InlineData(1, 2, 2, "M3")]
    [InlineData(2, 1, 2, "S4")]
    [InlineData(1, 1, 9, "not a member")]
    public void A_StepDone_that_does_not_fit_is_refused_by_name(long generation, long step, int from, string reason)
    {
        var d = new StepDriver().Running();
        d.Do(new StepDone { Generation = generation, Step = step, From = from });
        Assert.Contains(reason, d.Noted);
    }

    [Fact]
    public void A_lost_peer_is_reported_and_the_step_waits()
    {
        var d = StepDriver.In(StepStatus.Reduce);
        d.Do(new PeerLost(new WorkerId(2), StepDriver.IncarnationOf(2), SuspectEvidence.Reset, "reset"));
        Assert.Equal((2, SuspectEvidence.Reset), (d.Tells<Suspect>().About, d.Tells<Suspect>().Evidence));
        Assert.Equal(StepStatus.Reduce, d.Status);
        d.Do(new PeerLost(new WorkerId(2), new Incarnation(1), SuspectEvidence.Reset, "an older one"));
        Assert.Empty(d.Told);
    }

    [Fact]
    public void State_is_served_when_it_is_the_one_asked_for()
    {
        var d = new StepDriver().Running().OneStep();
        Assert.Equal(new ServeState(new WorkerId(3), new Generation(1), new StepNumber(1), true),
            d.Do(new NeedState { Generation = 1, Step = 1, ChunksOnly = true, From = 3 }).Only<ServeState>());
        d.Do(new NeedState { Generation = 1, Step = 2, From = 3 }).Only<DeclineState>();
        Assert.Contains("over", new StepDriver().Running(generation: 3)
            .Do(new NeedState { Generation = 2, Step = 0, From = 3 }).Noted);
    }

    [Fact]
    public void A_request_of_a_generation_not_heard_of_waits_for_it()
    {
        var d = new StepDriver().Running().OneStep().Fence(2).Computed().Stopped();
        d.Do(new NeedState { Generation = 2, Step = 1, ChunksOnly = true, From = 3 });
        Assert.Empty(d.Last);
        d.Do(StepDriver.OpenOf(2, 1, 10, AlignAction.Keep));
        d.Do(new StateReady(new Generation(2), new StepNumber(1), StepDriver.H(1), true));
        d.Only<ServeState>();
    }

    [Fact]
    public void Chunks_that_came_with_a_snapshot_are_not_there_to_serve()
    {
        var d = new StepDriver().Running(start: 4);
        d.Do(new NeedState { Generation = 1, Step = 4, ChunksOnly = true, From = 2 }).Only<DeclineState>();
        d.Do(new NeedState { Generation = 1, Step = 4, From = 2 }).Only<ServeState>();
    }

    [Theory]
    [InlineData("Compute", true)]
    [InlineData("Reduce", true)]
    [InlineData("Ended", true)]
    [InlineData("Apply", false)]
    public void Evaluation_runs_on_a_state_at_rest(string status, bool runs)
    {
        var d = StepDriver.In(Enum.Parse<StepStatus>(status));
        d.Do(new Evaluate { LeaderToken = 1, Generation = 1, Step = d.Protocol.State.Value });
        Assert.Equal(runs, d.Last.OfType<RunEvaluation>().Any());
        Assert.Equal(!runs, d.Told.OfType<Evaluated>().Any());
        Assert.Contains("holds step", d.Do(new Evaluate { LeaderToken = 1, Generation = 1, Step = 77 })
            .Tells<Evaluated>().Error);
    }

    [Fact]
    public void What_a_new_leader_may_have_missed_is_repeated()
    {
        StepDriver In(StepStatus s) => StepDriver.In(s).Do(new CoordinatorBack(new LeaderToken(2)));
        In(StepStatus.Prepared).Tells<Ready>();
        In(StepStatus.Fenced).Tells<Fenced>();
        In(StepStatus.Ended).Tells<ReachedEnd>();
        var d = new StepDriver().Running().OneStep().Do(new CoordinatorBack(new LeaderToken(2)));
        Assert.Equal(0, d.Tells<Aligned>().Step); // what was said, not where it is now
        Assert.Equal(2, d.Protocol.Token.Value);
    }

    [Fact]
    public void A_device_failure_is_reported_once_and_ends_the_worker()
    {
        var d = StepDriver.In(StepStatus.Apply).Do(new DeviceFailed("boom", "stack", 1));
        Assert.Equal("boom", d.Tells<WorkerFailed>().Text);
        Assert.Equal(1, d.Only<StopWork>().ExitCode);
        Assert.Empty(d.Do(new DeviceFailed("again", "", 1)).Told);
        Assert.Empty(d.Fence(2).Told); // P8: a torn state is never reported
    }
}
