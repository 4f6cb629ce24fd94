using System.Numerics;
using Convoy.Coordinator.Membership;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;

namespace Convoy.Coordinator.Tests.Membership;

/// <summary>
/// One step of two cells with two replicas each, every order of its messages, a death at every point, up to two deaths:
/// a small model that is walked whole. A worker sends activations to the one of the other cell, its half of the sums to
/// its replica, the reduced half back, and, where they vote, Complete to all. The decision about each state is the real
/// one. With votes the step is never lost while a replica of each cell lives (S1, S3); without them it is.
/// </summary>
public sealed class ShardedCommitModelTests
{
    private const int Workers = 4;
    private const int Cells = 2;
    private const long Before = 7;
    private static readonly StateOrigin Saved = new(new StepNumber(3), new Fingerprint(3), "step-3");

    // Bits of a state: who lives and has applied; what has arrived at whom.
    private const int Alive = 0;
    private const int Applied = 4;
    private const int Activations = 8;
    private const int Halves = 12;
    private const int Reduced = 16;
    private const int Votes = 20;

    private static bool Has(ulong state, int bit) => ((state >> bit) & 1) != 0;

    private static bool HoldsAll(ulong state, int w) => ReducedOwn(state, w) && Has(state, Reduced + w);

    private static bool ReducedOwn(ulong state, int w) => Computed(state, w) && Has(state, Halves + w);

    private static bool Computed(ulong state, int w) => Has(state, Activations + w);

    private static int VoteOf(int from, int to) => Votes + (Workers * to) + from;

    private static IEnumerable<ulong> Next(ulong state, bool votes, int deathsMax)
    {
        for (var w = 0; w < Workers; w++)
        {
            // What a dead worker had sent may still arrive, or never: its account stays as it was when it died.
            var (other, replica) = (w ^ 2, w ^ 1);
            if (Takes(state, other, Activations)) yield return With(state, Activations + other);
            if (Computed(state, w) && Takes(state, replica, Halves)) yield return With(state, Halves + replica);
            if (ReducedOwn(state, w) && Takes(state, replica, Reduced)) yield return With(state, Reduced + replica);
            if (votes && HoldsAll(state, w))
                for (var to = 0; to < Workers; to++)
                    if (to != w && Has(state, Alive + to) && !Has(state, VoteOf(w, to)))
                        yield return With(state, VoteOf(w, to));
            if (!Has(state, Alive + w)) continue;
            if (HoldsAll(state, w) && !Has(state, Applied + w) && (!votes || HasAllVotes(state, w)))
                yield return With(state, Applied + w);
            if (Workers - BitOperations.PopCount(state & 15) < deathsMax) yield return state & ~(1UL << (Alive + w));
        }
    }

    private static bool Takes(ulong state, int to, int message) => Has(state, Alive + to) && !Has(state, message + to);

    private static ulong With(ulong state, int bit) => state | (1UL << bit);

    private static bool HasAllVotes(ulong state, int w) =>
        Enumerable.Range(0, Workers).All(from => from == w || Has(state, VoteOf(from, w)));

    private static (int States, int Lost) Walk(bool votes, int deathsMax)
    {
        var seen = new HashSet<ulong> { 15 };
        var open = new Queue<ulong>([15]);
        var judged = new Dictionary<ulong, bool>();
        var lost = 0;
        while (open.TryDequeue(out var state))
        {
            var summary = Summary(state);
            if (!judged.TryGetValue(summary, out var isLost)) judged[summary] = isLost = Judge(state, votes);
            if (isLost && BitOperations.PopCount(state & 15) < Workers) lost++;
            foreach (var next in Next(state, votes, deathsMax))
                if (seen.Add(next)) open.Enqueue(next);
        }

        return (seen.Count, lost);
    }

    private static ulong Summary(ulong state)
    {
        var summary = state & 255;
        for (var w = 0; w < Workers; w++)
            if (HoldsAll(state, w)) summary |= 1UL << (8 + w);
        return summary;
    }

    /// <summary>True: the survivors hold neither the state before the step nor the one after it.</summary>
    private static bool Judge(ulong state, bool votes)
    {
        var reports = Enumerable.Range(0, Workers).Where(w => Has(state, Alive + w)).Select(w =>
        {
            var applied = Has(state, Applied + w);
            var step = applied ? Before + 1 : Before;
            return new StateReport(new WorkerId(w + 1), new StepNumber(step), new Fingerprint((ulong)step),
                !applied && HoldsAll(state, w), applied)
            { Cell = w / 2 };
        }).ToList();
        // Of a cell with no replica left the state is gone whatever the rule is (P12).
        if (reports.Select(r => r.Cell).Distinct().Count() < Cells) return false;
        var possible = new[] { Before, Before + 1 }.Any(t => Enumerable.Range(0, Cells).All(c => reports.Exists(r =>
            r.Cell == c && (r.Step.Value == t || (r.Step.Value == t - 1 && r.HoldsNext)))));
        var rule = votes ? CommitRule.Unanimous : CommitRule.Local;
        var decision = DecideAlignment.Of(reports, [], Saved, new CommitPlan(rule, Cells));
        var goesOn = decision.Start.Value >= Before;
        // Without votes the newest state is kept or all begin anew: nobody goes back to a state that another has left.
        Assert.True(votes ? goesOn == possible : possible || !goesOn, decision.Reason);
        if (goesOn) CheckActions(decision, reports);
        if (votes && reports.Exists(r => r.Step.Value > Before))
            Assert.All(reports, r => Assert.True(r.HoldsNext || r.Step.Value > Before, "S3"));
        return !possible;
    }

    private static void CheckActions(AlignDecision decision, List<StateReport> reports)
    {
        bool Makes(StateReport r) => r.Step.Next == decision.Start && r.HoldsNext;
        foreach (var action in decision.Actions)
        {
            var mine = reports.Find(r => r.Worker == action.Worker)!;
            var source = reports.Find(r => r.Worker == action.Source);
            Assert.True(action.Action switch
            {
                AlignAction.Keep => mine.Step == decision.Start,
                AlignAction.ApplyHeld => Makes(mine),
                AlignAction.FetchChunks => mine.Step.Next == decision.Start && source!.Cell == mine.Cell
                    && (Makes(source) || (source.Step == decision.Start && source.RetainsCurrent)),
                _ => source is not null && source.Cell == mine.Cell && (source.Step == decision.Start || Makes(source)),
            }, $"{action}: {decision.Reason}");
        }
    }

    [Fact]
    public void Local_commit_of_a_divided_state_loses_the_step_after_one_death()
    {
        var (states, lost) = Walk(votes: false, deathsMax: 1);
        Assert.True(states > 100, $"{states} states");
        Assert.True(lost > 0, $"{states} states, all safe");
    }

    [Fact]
    public void S3_with_votes_every_state_with_up_to_two_deaths_is_safe()
    {
        var (states, lost) = Walk(votes: true, deathsMax: 2);
        Assert.True(states > 10_000, $"{states} states");
        Assert.Equal(0, lost);
    }
}
