using Convoy.Coordinator.Membership;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;

namespace Convoy.Coordinator.Tests.Membership;

// The rows of 4.3, as states of survivors and what they do.
public sealed class AlignDecisionTests
{
    private static readonly StateOrigin Saved = new(new StepNumber(4), new Fingerprint(260), "step-4");

    private static StateReport At(int worker, long step, bool holds = false, bool retains = false, ulong? h = null) =>
        new(new WorkerId(worker), new StepNumber(step), new Fingerprint(h ?? ((ulong)step + 256)), holds, retains);

    private static StateReport Nothing(int worker) => StateReport.Nothing(new WorkerId(worker));

    private static string Text(AlignDecision d) => $"T={d.Start} {string.Join(", ", d.Actions)}";

    [Fact]
    public void D_nobody_holds_the_step_so_it_is_redone() =>
        Assert.Equal("T=5 w1 Keep, w2 Keep", Text(DecideAlignment.Of([At(1, 5), At(2, 5, retains: true)], [], Saved)));

    [Fact]
    public void C_one_holds_it_and_the_others_fetch() =>
        Assert.Equal("T=6 w1 FetchChunks from w2, w2 ApplyHeld, w3 FetchChunks from w2",
            Text(DecideAlignment.Of([At(1, 5), At(2, 5, holds: true), At(3, 5)], [], Saved)));

    [Fact]
    public void A_applied_holding_and_behind() =>
        Assert.Equal("T=6 w1 Keep, w2 ApplyHeld, w3 FetchChunks from w1",
            Text(DecideAlignment.Of([At(1, 6, retains: true), At(2, 5, holds: true), At(3, 5)], [], Saved)));

    [Fact]
    public void A_without_retained_chunks_the_state_is_copied() =>
        Assert.Equal("T=6 w1 Keep, w2 LoadSnapshot from w1", Text(DecideAlignment.Of([At(1, 6), At(2, 5)], [], Saved)));

    [Fact]
    public void Further_behind_copies_the_state() =>
        Assert.Equal("T=9 w1 Keep, w2 LoadSnapshot from w1",
            Text(DecideAlignment.Of([At(1, 9, retains: true), At(2, 3)], [], Saved)));

    [Fact]
    public void S1_the_newest_state_is_never_given_up_for_chunks_of_the_next() =>
        Assert.Equal("T=6 w1 Keep, w2 FetchChunks from w1",
            Text(DecideAlignment.Of([At(1, 6, holds: true, retains: true), At(2, 5)], [], Saved)));

    [Fact]
    public void J1_joiners_copy_in_turn_and_have_no_voice()
    {
        var d = DecideAlignment.Of([At(1, 5), At(2, 5)], [At(3, 6), Nothing(4), At(5, 5)], Saved);
        Assert.Equal("T=5 w1 Keep, w2 Keep, w3 LoadSnapshot from w1, w4 LoadSnapshot from w2, w5 Keep", Text(d));
    }

    [Fact]
    public void A_joiner_that_brings_several_steps_back_is_heard() =>
        Assert.Equal("T=9 w1 LoadSnapshot from w2, w2 Keep", Text(DecideAlignment.Of([At(1, 5)], [At(2, 9)], Saved)));

    [Fact]
    public void A_joiner_copies_from_a_holder_when_all_members_move() =>
        Assert.Equal("T=6 w1 ApplyHeld, w2 FetchChunks from w1, w3 LoadSnapshot from w1",
            Text(DecideAlignment.Of([At(1, 5, holds: true), At(2, 5)], [Nothing(3)], Saved)));

    [Fact]
    public void P12_all_replicas_lost_means_the_last_checkpoint() =>
        Assert.Equal("T=4 w1 LoadCheckpoint, w2 LoadCheckpoint",
            Text(DecideAlignment.Of([Nothing(1)], [Nothing(2)], Saved)));

    [Fact]
    public void Nothing_anywhere_means_the_seed() =>
        Assert.Equal("T=0 w1 Initialize", Text(DecideAlignment.Of([], [Nothing(1)], StateOrigin.Initial)));

    [Fact]
    public void Warm_joiners_save_the_state_when_no_member_has_any() =>
        Assert.Equal("T=8 w1 LoadSnapshot from w2, w2 Keep", Text(DecideAlignment.Of([Nothing(1)], [At(2, 8)], Saved)));

    [Fact]
    public void M6_the_minority_is_left_out()
    {
        var d = DecideAlignment.Of([At(1, 5), At(2, 5, h: 9), At(3, 5)], [], Saved);
        Assert.Equal([new WorkerId(2)], d.Corrupt);
        Assert.Equal("T=5 w1 Keep, w3 Keep", Text(d));
    }

    [Fact]
    public void M6_without_a_majority_nobody_goes_on()
    {
        var d = DecideAlignment.Of([At(1, 5), At(2, 5, h: 9)], [], Saved);
        Assert.True(d.Contradiction);
        Assert.Empty(d.Actions);
        Assert.Contains("silent corruption", d.Reason, StringComparison.Ordinal);
    }

    private static AlignDecision Voted(params StateReport[] members) =>
        DecideAlignment.Of(members, [], Saved, CommitPlan.Unanimous);

    private static AlignDecision InCells(params StateReport[] members) =>
        DecideAlignment.Of(members, [], Saved, new CommitPlan(CommitRule.Unanimous, 2));

    [Fact]
    public void B_all_survivors_hold_the_step_and_apply_it()
    {
        var d = Voted(At(1, 5, holds: true), At(2, 5, holds: true), Nothing(3));
        Assert.Equal("T=6 w1 ApplyHeld, w2 ApplyHeld, w3 LoadSnapshot from w1", Text(d));
        Assert.StartsWith("(b)", d.Reason, StringComparison.Ordinal);
    }

    // Nobody can have applied it: not all had voted. It is redone, though one could finish it.
    [Fact]
    public void B_needs_all_survivors_else_the_step_is_redone()
    {
        var d = Voted(At(1, 5, holds: true), At(2, 5));
        Assert.Equal("T=5 w1 Keep, w2 Keep", Text(d));
        Assert.Contains("(d) all have state 5, only 1 of 2 hold all of step 6", d.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void A_under_votes_the_others_hold_what_one_applied_P7() =>
        Assert.Equal("T=6 w1 ApplyHeld, w2 Keep", Text(Voted(At(1, 5, holds: true), At(2, 6, retains: true))));

    [Fact]
    public void B_every_cell_has_a_holder()
    {
        var d = InCells(At(1, 5, holds: true), At(2, 5, holds: true) with { Cell = 1 });
        Assert.Equal("T=6 w1 ApplyHeld, w2 ApplyHeld", Text(d));
    }

    [Fact]
    public void P12_a_cell_without_state_means_the_last_checkpoint_for_all()
    {
        var d = InCells(At(1, 5, holds: true), At(2, 5, holds: true), Nothing(3) with { Cell = 1 });
        Assert.Equal("T=4 w1 LoadCheckpoint, w2 LoadCheckpoint, w3 LoadCheckpoint", Text(d));
        Assert.Contains("cell 1", d.Reason, StringComparison.Ordinal);
    }

    [Fact]
    public void State_is_copied_inside_a_cell()
    {
        var d = DecideAlignment.Of([At(1, 5), At(2, 5) with { Cell = 1 }],
            [Nothing(3) with { Cell = 1 }, Nothing(4)], Saved, new CommitPlan(CommitRule.Unanimous, 2));
        Assert.Equal("T=5 w1 Keep, w2 Keep, w3 LoadSnapshot from w2, w4 LoadSnapshot from w1", Text(d));
    }

    [Fact]
    public void Joiners_fill_the_emptiest_cells()
    {
        var stay = new[] { 0, 0, 1 }.Select((c, i) => new MemberSeat(new WorkerRecord(new WorkerId(i + 1), $"w{i + 1}"), c)).ToList();
        var join = Enumerable.Range(4, 3).Select(i => new WorkerRecord(new WorkerId(i), $"w{i}")).ToList();
        Assert.Equal([2, 1, 2], new MemberPlan(stay, join, []).CellsOfJoiners(3));
    }

    // Every combination of two steps, holding, retaining for three survivors: whoever must fetch has a source that
    // holds what is fetched, nobody goes back, T is the newest applied state or one more that somebody holds.
    [Fact]
    public void S1_S4_hold_for_every_state_of_three_survivors()
    {
        for (var code = 0; code < 512; code++)
        {
            var reports = Enumerable.Range(0, 3).Select(i =>
            {
                var bits = code >> (3 * i);
                return At(i + 1, 5 + (bits & 1), holds: (bits & 2) != 0, retains: (bits & 4) != 0);
            }).ToList();
            var d = DecideAlignment.Of(reports, [], Saved);
            var newest = reports.Max(r => r.Step.Value);
            Assert.InRange(d.Start.Value, newest, newest + 1);
            foreach (var action in d.Actions) CheckAction(action, reports, d);
        }
    }

    private static void CheckAction(MemberAction action, List<StateReport> reports, AlignDecision d)
    {
        var mine = reports.Find(r => r.Worker == action.Worker)!;
        var source = reports.Find(r => r.Worker == action.Source);
        switch (action.Action)
        {
            case AlignAction.Keep: Assert.Equal(d.Start, mine.Step); break;
            case AlignAction.ApplyHeld: Assert.True(mine.HoldsNext && mine.Step.Next == d.Start); break;
            case AlignAction.FetchChunks:
                Assert.Equal(d.Start, mine.Step.Next);
                Assert.True(source!.Step == d.Start ? source.RetainsCurrent : source.HoldsNext
                    && source.Step.Next == d.Start);
                break;
            case AlignAction.LoadSnapshot: Assert.Equal(d.Start, source!.Step); break;
            default: Assert.Fail($"{action} with state in the cluster"); break;
        }
    }
}
