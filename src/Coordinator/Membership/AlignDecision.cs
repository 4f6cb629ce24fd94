using Convoy.Shared;
using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;

namespace Convoy.Coordinator.Membership;

/// <summary>What a worker holds when it has stopped. <c>Step</c> -1: no intact state.</summary>
public sealed record StateReport(WorkerId Worker, StepNumber Step, Fingerprint Fingerprint, bool HoldsNext,
    bool RetainsCurrent)
{
    public bool HasState => Step.Value >= 0;

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

// Chooses the state that a new generation starts from, out of what its members report (4.3; data parallel part).
//
//   (a) somebody has applied t+1          T = t+1; who holds it all applies it; the others fetch the reduced chunks
//   (c) nobody applied, somebody holds it T = t+1; the holder applies, the others fetch from it
//   (d) nobody holds it                   T = t; the step is dealt anew and redone
//   none has state                        T = step of the last verified checkpoint, or 0
//
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
    public static AlignDecision Of(
        IReadOnlyList<StateReport> members, IReadOnlyList<StateReport> joiners, StateOrigin origin)
    {
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
        var decision = sound.Exists(r => r.HasState && r.Step.Value < newest)
            || !sound.Exists(r => HoldsNext(r, newest))
            ? AtNewest(sound, newest, fingerprint)
            : ApplyHeld(sound, newest);
        return WithJoiners(decision with { Corrupt = corrupt }, joiners);
    }

    /// <summary>Joiners copy the state from members that have it at T without a transfer of their own.</summary>
    private static AlignDecision WithJoiners(AlignDecision decision, IReadOnlyList<StateReport> joiners)
    {
        if (joiners.Count == 0) return decision;
        var donors = decision.Actions.Where(a => a.Action == AlignAction.Keep).Select(a => a.Worker).ToList();
        if (donors.Count == 0)
            donors = [.. decision.Actions.Where(a => a.Action == AlignAction.ApplyHeld).Select(a => a.Worker)];
        var deal = new SourceDeal();
        var actions = decision.Actions.ToList();
        foreach (var joiner in joiners)
        {
            var warm = joiner.Step == decision.Start && joiner.Fingerprint == decision.StartFingerprint
                && decision.StartFingerprint != default;
            actions.Add(warm
                ? new MemberAction(joiner.Worker, AlignAction.Keep, default)
                : new MemberAction(joiner.Worker, AlignAction.LoadSnapshot, deal.Next(donors)));
        }

        actions.Sort((a, b) => a.Worker.CompareTo(b.Worker));
        return decision with { Actions = actions, Reason = decision.Reason + $"; {joiners.Count} join" };
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
        List<StateReport> sound, long newest, Fingerprint fingerprint)
    {
        var state = sound.Where(r => r.Step.Value == newest).Select(r => r.Worker).ToList();
        var chunks = sound.Where(r => r.Step.Value == newest && r.RetainsCurrent).Select(r => r.Worker).ToList();
        var deal = new SourceDeal();
        var actions = sound.ConvertAll(r =>
            r.Step.Value == newest ? new MemberAction(r.Worker, AlignAction.Keep, default)
            : HoldsNext(r, newest - 1) ? new MemberAction(r.Worker, AlignAction.ApplyHeld, default)
            : r.Step.Value == newest - 1 && chunks.Count > 0
                ? new MemberAction(r.Worker, AlignAction.FetchChunks, deal.Next(chunks))
            : new MemberAction(r.Worker, AlignAction.LoadSnapshot, deal.Next(state)));

        var behind = sound.Count(r => r.HasState && r.Step.Value < newest);
        var joining = sound.Count(r => !r.HasState);
        var reason = (behind > 0
                ? $"(a) {state.Count} applied step {newest}, {behind} behind reach it"
                : $"(d) all have state {newest}, nobody holds all of step {newest + 1}")
            + (joining > 0 ? $"; {joining} without state copy it" : "");
        return new AlignDecision(new StepNumber(newest), fingerprint, actions, [], reason);
    }

    /// <summary>(c): everybody with state is at t, somebody holds all of t+1.</summary>
    private static AlignDecision ApplyHeld(List<StateReport> sound, long newest)
    {
        var holders = sound.Where(r => HoldsNext(r, newest)).Select(r => r.Worker).ToList();
        var deal = new SourceDeal();
        var actions = sound.ConvertAll(r =>
            HoldsNext(r, newest) ? new MemberAction(r.Worker, AlignAction.ApplyHeld, default)
            : r.HasState && r.Step.Value == newest
                ? new MemberAction(r.Worker, AlignAction.FetchChunks, deal.Next(holders))
            : new MemberAction(r.Worker, AlignAction.LoadSnapshot, deal.Next(holders)));
        var reason = $"(c) {holders.Count} of {sound.Count} hold all of step {newest + 1}: it is applied, not redone";
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
