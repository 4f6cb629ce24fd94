using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;

namespace Convoy.Coordinator.Membership;

/// <summary>What a worker holds when it has stopped. <c>Step</c> -1: no intact state.</summary>
public sealed record StateReport(WorkerId Worker, StepNumber Step, Fingerprint Fingerprint, bool HoldsNext,
    bool RetainsCurrent)
{
    /// <summary>Part of the state that it holds, or is to hold (<see cref="CommitPlan"/>).</summary>
    public int Cell { get; init; }

    public bool HasState => Step.Value >= 0;

    /// <summary>A learner that is level: it needs no transfer, its feed brings it to T.</summary>
    public bool Follows { get; init; }

    public static StateReport Nothing(WorkerId worker) => new(worker, new StepNumber(-1), default, false, false);
}

/// <summary>Where state comes from when no member of the new generation has any.</summary>
public sealed record StateOrigin(StepNumber Step, Fingerprint Fingerprint, string CheckpointPath)
{
    /// <summary>Initial weights are a function of (seed, graph): step 0, nothing to read.</summary>
    public static readonly StateOrigin Initial = new(StepNumber.Zero, default, "");

    public AlignAction Action => CheckpointPath.Length > 0 ? AlignAction.LoadCheckpoint : AlignAction.Initialize;
}

public sealed record MemberAction(WorkerId Worker, AlignAction Action, WorkerId Source)
{
    public override string ToString() =>
        Action is AlignAction.FetchChunks or AlignAction.LoadSnapshot
            ? $"{Worker} {Action} from {Source}" : $"{Worker} {Action}";
}

/// <summary>
/// T, what each member does to reach it, and why. Corrupt: workers whose state contradicts the majority.
/// </summary>
public sealed record AlignDecision(
    StepNumber Start, Fingerprint StartFingerprint, IReadOnlyList<MemberAction> Actions,
    IReadOnlyList<WorkerId> Corrupt,
    string Reason)
{
    /// <summary>
    /// Set when there is no majority between contradicting states: nothing may go on (silent corruption).
    /// </summary>
    public bool Contradiction { get; init; }
}

// Chooses the state that a new generation starts from, out of what its members report (4.3).
//
//   (a) somebody has applied t+1          T = t+1; who holds it all applies it; the others fetch the reduced chunks
//   (b) unanimous commit: nobody applied, all that have state hold it, every cell has one    T = t+1, all apply it
//   (c) local commit: nobody applied, somebody holds it    T = t+1; the holder applies, the others fetch from it
//   (d) otherwise                         T = t; the step is dealt anew and redone
//   a cell of which nobody has state      T = step of the last verified checkpoint, or 0
//
// Under unanimous commit (a) leaves nobody behind who does not hold the step: all have said so before one applied (S3).
// Whoever fetches or copies takes from its own cell: others hold another part.
// Who is further behind, or has nothing (a joiner), copies the whole state from a member that has it. A joiner has no
// voice (J1), unless it brings more than one step that no member has: no committed step is lost while one replica
// lives, and a single step is sooner redone (with the same bits) than copied to everybody.
// S1: T is never below a state that a member reports. S4: a source holds what it is asked for. Pure: same reports, same
// decision.
internal static class DecideAlignment
{
    private const int RedoStepsMax = 1;

    /// <param name="members">Fenced reports of the survivors that stay, sorted by worker.</param>
    /// <param name="joiners">What new members hold by their own account, sorted by worker.</param>
    /// <param name="origin">Used when nobody has state.</param>
    /// <param name="commit">How the steps of these members committed; local when null.</param>
    public static AlignDecision Of(IReadOnlyList<StateReport> members, IReadOnlyList<StateReport> joiners,
        StateOrigin origin, CommitPlan? commit = null)
    {
        commit ??= CommitPlan.Local;
        Invariant.Check(members.Count + joiners.Count > 0, "M4 a generation has members");
        if (Newest(members) < 0 || Newest(joiners) > Newest(members) + RedoStepsMax)
        {
            (members, joiners) = ([.. members.Concat(joiners).OrderBy(r => r.Worker)], []);
            if (Newest(members) < 0) return FromOrigin(members, origin);
        }

        var newest = Newest(members);
        var corrupt = Contradicting(members, newest, out var majority);
        if (majority is not { } fingerprint)
        {
            return new AlignDecision(new StepNumber(newest), default, [], corrupt,
                $"members disagree about state {newest} and none of the versions has a majority: silent corruption, "
                + "nobody goes on")
            { Contradiction = true };
        }

        var sound = members.Where(r => !corrupt.Contains(r.Worker)).ToList();
        if (LostCell(sound, newest, commit.Cells) is { } lost)
        {
            return FromOrigin([.. sound.Concat(joiners).OrderBy(r => r.Worker)], origin) with
            {
                Corrupt = corrupt,
                Reason = $"nobody has the part of cell {lost} at step {newest} any more: all begin at step {origin.Step}",
            };
        }

        var decision = MayFinish(sound, newest, commit) ? ApplyHeld(sound, newest, commit)
            : AtNewest(sound, newest, fingerprint, commit);
        return WithJoiners(decision with { Corrupt = corrupt }, sound, joiners, commit.Cells);
    }

    /// <summary>
    /// (b), (c): the step after the newest state can be finished from what is held, and nobody is behind.
    /// </summary>
    private static bool MayFinish(List<StateReport> sound, long newest, CommitPlan commit)
    {
        if (sound.Exists(r => r.HasState && r.Step.Value < newest)) return false;
        if (commit.Rule == CommitRule.Unanimous && sound.Exists(r => r.HasState && !r.HoldsNext)) return false;
        return Array.TrueForAll(ByCell(sound, commit.Cells, r => HoldsNext(r, newest)), holders => holders.Count > 0);
    }

    /// <summary>The first cell that nobody can bring to this step; null: there is none.</summary>
    private static int? LostCell(List<StateReport> sound, long step, int cells)
    {
        for (var c = 0; c < cells; c++)
            if (!sound.Exists(r => r.Cell == c && (r.Step.Value == step || HoldsNext(r, step - 1)))) return c;
        return null;
    }

    /// <summary>
    /// Joiners follow their feed, or copy the state from members of their cell that have it at T without a transfer.
    /// </summary>
    private static AlignDecision WithJoiners(AlignDecision decision, List<StateReport> sound,
        IReadOnlyList<StateReport> joiners, int cells)
    {
        if (joiners.Count == 0) return decision;
        var keep = new List<StateReport>();
        var apply = new List<StateReport>();
        for (var i = 0; i < sound.Count; i++)
        {
            if (decision.Actions[i].Action == AlignAction.Keep) keep.Add(sound[i]);
            else if (decision.Actions[i].Action == AlignAction.ApplyHeld) apply.Add(sound[i]);
        }

        var donors = ByCell(keep, cells, static _ => true);
        var makers = ByCell(apply, cells, static _ => true);
        var deal = new SourceDeal();
        var actions = decision.Actions.ToList();
        foreach (var joiner in joiners)
        {
            var warm = joiner.Step == decision.Start && joiner.Fingerprint == decision.StartFingerprint
                && decision.StartFingerprint != default;
            var sources = donors[joiner.Cell].Count > 0 ? donors[joiner.Cell] : makers[joiner.Cell];
            actions.Add(joiner.Follows ? new MemberAction(joiner.Worker, AlignAction.Replay, default) : warm
                ? new MemberAction(joiner.Worker, AlignAction.Keep, default)
                : new MemberAction(joiner.Worker, AlignAction.LoadSnapshot, deal.Next(sources)));
        }

        actions.Sort((a, b) => a.Worker.CompareTo(b.Worker));
        return decision with { Actions = actions, Reason = decision.Reason + $"; {joiners.Count} join" };
    }

    /// <summary>Workers whose report is as wanted, cell by cell, in the order of the reports.</summary>
    private static List<WorkerId>[] ByCell(List<StateReport> reports, int cells, Func<StateReport, bool> wanted)
    {
        var found = new List<WorkerId>[cells];
        for (var c = 0; c < cells; c++) found[c] = [];
        foreach (var r in reports)
            if (wanted(r)) found[r.Cell].Add(r.Worker);
        return found;
    }

    private static bool HoldsNext(StateReport r, long step) => r.Step.Value == step && r.HoldsNext;

    private static long Newest(IReadOnlyList<StateReport> reports)
    {
        var newest = -1L;
        foreach (var r in reports) newest = Math.Max(newest, r.Step.Value);
        return newest;
    }

    private static AlignDecision FromOrigin(IReadOnlyList<StateReport> reports, StateOrigin origin)
    {
        var reason = origin.CheckpointPath.Length > 0
            ? $"no member has state: all load the checkpoint of step {origin.Step}"
            : "no member has state: all initialize it from the seed";
        return new AlignDecision(origin.Step, origin.Fingerprint,
            [.. reports.Select(r => new MemberAction(r.Worker, origin.Action, default))], [], reason);
    }

    /// <summary>
    /// (a) and (d): T is the newest applied state. Chunks of a step after it that some member may hold are thrown away:
    /// with a member behind T, the step after T cannot be complete anywhere (M3).
    /// </summary>
    private static AlignDecision AtNewest(
        List<StateReport> sound, long newest, Fingerprint fingerprint, CommitPlan commit)
    {
        var keepers = ByCell(sound, commit.Cells, r => r.Step.Value == newest);
        var makers = ByCell(sound, commit.Cells, r => HoldsNext(r, newest - 1));
        var chunks = ByCell(sound, commit.Cells, r => r.Step.Value == newest && r.RetainsCurrent);
        var deal = new SourceDeal();
        var actions = sound.ConvertAll(r =>
        {
            if (r.Step.Value == newest) return new MemberAction(r.Worker, AlignAction.Keep, default);
            if (HoldsNext(r, newest - 1)) return new MemberAction(r.Worker, AlignAction.ApplyHeld, default);
            if (r.Step.Value == newest - 1 && chunks[r.Cell].Count > 0)
                return new MemberAction(r.Worker, AlignAction.FetchChunks, deal.Next(chunks[r.Cell]));
            return new MemberAction(r.Worker, AlignAction.LoadSnapshot,
                deal.Next(keepers[r.Cell].Count > 0 ? keepers[r.Cell] : makers[r.Cell]));
        });

        var behind = sound.Count(r => r.HasState && r.Step.Value < newest);
        var joining = sound.Count(r => !r.HasState);
        var reason = (behind > 0
                ? $"(a) {sound.Count(r => r.Step.Value == newest)} applied step {newest}, {behind} behind reach it"
                : $"(d) all have state {newest}, {Holders(sound, newest)} all of step {newest + 1}")
            + (joining > 0 ? $"; {joining} without state copy it" : "");
        return new AlignDecision(new StepNumber(newest), fingerprint, actions, [], reason);
    }

    private static string Holders(List<StateReport> sound, long newest) =>
        sound.Count(r => HoldsNext(r, newest)) is > 0 and var holders
            ? $"only {holders} of {sound.Count} hold" : "nobody holds";

    /// <summary>(b), (c): everybody with state is at t, and t+1 is finished from what is held.</summary>
    private static AlignDecision ApplyHeld(List<StateReport> sound, long newest, CommitPlan commit)
    {
        var holders = ByCell(sound, commit.Cells, r => HoldsNext(r, newest));
        var deal = new SourceDeal();
        var actions = sound.ConvertAll(r =>
        {
            if (HoldsNext(r, newest)) return new MemberAction(r.Worker, AlignAction.ApplyHeld, default);
            var fetches = r.HasState && r.Step.Value == newest;
            return new MemberAction(r.Worker, fetches ? AlignAction.FetchChunks : AlignAction.LoadSnapshot,
                deal.Next(holders[r.Cell]));
        });
        var count = sound.Count(r => HoldsNext(r, newest));
        var reason = commit.Rule == CommitRule.Unanimous
            ? $"(b) all {count} with state hold all of step {newest + 1}: it is applied, not redone"
            : $"(c) {count} of {sound.Count} hold all of step {newest + 1}: it is applied, not redone";
        return new AlignDecision(new StepNumber(newest + 1), default, actions, [], reason);
    }

    /// <summary>
    /// Members whose state <paramref name="step"/> is not the majority's (M6). A tie has no majority.
    /// </summary>
    private static List<WorkerId> Contradicting(IReadOnlyList<StateReport> reports, long step,
        out Fingerprint? majority)
    {
        var versions = new List<(Fingerprint Fingerprint, int Count)>();
        foreach (var r in reports)
        {
            if (r.Step.Value != step) continue;
            var at = versions.FindIndex(v => v.Fingerprint == r.Fingerprint);
            if (at < 0) versions.Add((r.Fingerprint, 1));
            else versions[at] = (r.Fingerprint, versions[at].Count + 1);
        }

        var most = versions.Max(v => v.Count);
        var winners = versions.FindAll(v => v.Count == most);
        Fingerprint? chosen = winners.Count == 1 ? winners[0].Fingerprint : null;
        majority = chosen;
        return [.. reports.Where(r => r.Step.Value == step && r.Fingerprint != chosen).Select(r => r.Worker)];
    }

    /// <summary>Deals transfers over the sources in turn, so that no donor serves all.</summary>
    private sealed class SourceDeal
    {
        private int _next;

        public WorkerId Next(IReadOnlyList<WorkerId> sources) => sources[_next++ % sources.Count];
    }
}
