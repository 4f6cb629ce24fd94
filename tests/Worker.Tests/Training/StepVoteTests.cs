using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Worker.Training;

namespace Convoy.Worker.Tests.Training;

/// <summary>
/// Unanimous commit at one worker (S3), and scenario 4: words of (g,t) that arrive in (g,t+1) or (g+1,t) change nothing
/// and are named.
/// </summary>
public sealed class StepVoteTests
{
    private static Complete Vote(long generation, long step, int from, bool ofAll = false) =>
        new() { Generation = generation, Step = step, From = from, OfAll = ofAll };

    private static StepDriver Running(int members = 3, int fanOut = 0, int me = 1) =>
        new StepDriver(me: me).Unanimous(1, 0, members, fanOut);

    [Fact]
    public void S3_it_applies_when_all_members_have_said_complete_and_not_before()
    {
        var d = Running().Computed().Held();
        Assert.Equal(StepStatus.Vote, d.Status);
        Assert.Equal(Vote(1, 1, 1), Assert.IsType<Complete>(d.Only<TellMembers>().Message));
        Assert.Empty(d.Do(Vote(1, 1, 2)).Last);
        Assert.Equal(StepStatus.Vote, d.Status);
        d.Do(Vote(1, 1, 3));
        Assert.Equal(new ApplyStep(new Generation(1), new StepNumber(1)), d.Only<ApplyStep>());
        Assert.Equal(2, d.Applied().Only<RunStep>().Step.Value);
    }

    [Fact]
    public void Votes_that_come_while_it_computes_are_counted()
    {
        var d = Running().Do(Vote(1, 1, 3)).Computed().Do(Vote(1, 1, 2));
        Assert.Equal(StepStatus.Reduce, d.Status);
        d.Held();
        d.Only<TellMembers>();
        d.Only<ApplyStep>();
    }

    [Fact]
    public void A_single_member_is_unanimous() => Running(members: 1).Computed().Held().Only<ApplyStep>();

    [Fact]
    public void Through_a_tree_it_tells_only_whom_it_reports_to_and_whom_it_stands_above()
    {
        var d = Running(members: 8, fanOut: 2, me: 2).Computed().Held().Do(Vote(1, 1, 4));
        Assert.Empty(d.Last.OfType<TellSome>());
        Assert.Equal(new TellSome(0, 1, Vote(1, 1, 2)), d.Do(Vote(1, 1, 5)).Only<TellSome>());
        Assert.Equal(StepStatus.Vote, d.Status);
        d.Do(Vote(1, 1, 1, ofAll: true));
        Assert.Equal(new TellSome(3, 5, Vote(1, 1, 2, ofAll: true)), d.Only<TellSome>());
        d.Only<ApplyStep>();
    }

    // P6: everybody holds it, somebody's word is missing when the fence comes: it is reported as held, not applied.
    [Fact]
    public void P6_a_fence_while_votes_are_awaited_reports_the_step_as_held()
    {
        var d = Running().Computed().Held().Do(Vote(1, 1, 2)).Fence(2);
        d.Only<StopExchange>();
        var fenced = d.Stopped().Tells<Fenced>();
        Assert.Equal((0L, true), (fenced.Step, fenced.HoldsNext));
        Assert.Contains("no vote is under way in Fenced", d.Do(Vote(1, 1, 3)).Noted, StringComparison.Ordinal);
        Assert.Equal(0, d.Protocol.State.Value);
        d.Do(StepDriver.OpenOf(2, 1, 10, AlignAction.ApplyHeld, members: 2));
        Assert.Equal(1, d.Only<AlignState>().Target.Value);
    }

    // Whoever was fenced before it held the step has not voted and does not vote any more.
    [Fact]
    public void Held_after_the_fence_is_reported_but_no_vote()
    {
        var d = Running().Computed().Fence(2).Held();
        Assert.Empty(d.Last.OfType<TellMembers>());
        Assert.True(d.Stopped().Tells<Fenced>().HoldsNext);
    }

    [Fact]
    public void A_soft_fence_waits_for_the_votes_of_the_steps_before_its_boundary()
    {
        var d = Running().Computed().Held().Fence(2, FenceKind.Soft, stopAt: 1);
        Assert.Equal(StepStatus.Vote, d.Status);
        d.Do(Vote(1, 1, 2)).Do(Vote(1, 1, 3)).Applied();
        Assert.Equal(1, d.Tells<Fenced>().Step);
    }

    [Fact]
    public void Scenario_4_words_of_g_t_in_g_t_plus_1()
    {
        var d = Running().Computed().Held().Do(Vote(1, 1, 2)).Do(Vote(1, 1, 3)).Applied().Computed();
        foreach (var late in new object[]
        {
            Vote(1, 1, 2), Vote(1, 1, 3), new StepHeld(new Generation(1), new StepNumber(1)),
            new StepComputed(new Generation(1), new StepNumber(1)),
        })
            Assert.Contains("of step 1, this worker makes step 2", d.Do(late).Noted, StringComparison.Ordinal);
        d.Held();
        Assert.Equal(StepStatus.Vote, d.Status); // the late votes were not counted for step 2
    }

    [Fact]
    public void Scenario_4_words_of_g_t_in_g_plus_1_t()
    {
        var d = Running().Computed().Held().Fence(2).Stopped().Unanimous(2, 0, 3, 0, prepare: false).Computed();
        foreach (var late in new object[]
        {
            Vote(1, 1, 2), Vote(1, 1, 3), new StepHeld(new Generation(1), new StepNumber(1)),
        })
            Assert.Contains("this worker is in g2", d.Do(late).Noted, StringComparison.Ordinal);
        Assert.NotEmpty(d.Do(new ExchangeStopped(new Generation(1))).Noted);
        Assert.NotEmpty(d.Do(new StateFailed(new Generation(1), "late")).Noted);
        d.Held();
        Assert.Equal(StepStatus.Vote, d.Status);
        d.Do(Vote(2, 1, 2)).Do(Vote(2, 1, 3)).Only<ApplyStep>();
    }

    [Fact]
    public void Votes_of_strangers_twice_or_where_nobody_votes_are_named()
    {
        var d = Running().Do(Vote(1, 1, 2));
        Assert.Contains("voted already", d.Do(Vote(1, 1, 2)).Noted, StringComparison.Ordinal);
        Assert.Contains("not a member", d.Do(Vote(1, 1, 9)).Noted, StringComparison.Ordinal);
        Assert.Contains("of step 2", d.Do(Vote(1, 2, 3)).Noted, StringComparison.Ordinal);
        Assert.Contains("commits locally", new StepDriver().Running().Do(Vote(1, 1, 2)).Noted,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_tree_with_one_branch_is_refused()
    {
        var open = StepDriver.OpenOf(1, 0, 10, AlignAction.Initialize);
        (open.Commit, open.VoteFanOut) = (CommitRule.Unanimous, 1);
        Assert.Contains("fan-out of 1", new StepDriver().Prepare().Do(open).Tells<AlignFailed>().Text,
            StringComparison.Ordinal);
    }
}
