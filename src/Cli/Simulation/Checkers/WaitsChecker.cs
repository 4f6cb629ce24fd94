using Convoy.Actors.Simulation;
using Convoy.Coordinator.Api;
using Convoy.Shared.Protocol;
using Google.Protobuf;

namespace Convoy.Cli.Simulation.Checkers;

/// <summary>
/// Every wait has a deadline (decision 7): no state in which somebody waits for somebody lasts longer than the clock
/// table allows for it. Time in which the waiting process was stopped, or its device
/// hung, or its coordinator was stopped, does not count.
/// </summary>
internal sealed class WaitsChecker : Checker
{
    private readonly SortedDictionary<string, (string State, TimeSpan Since, long Generation)> _since =
        new(StringComparer.Ordinal);
    private readonly SortedDictionary<string, (long Step, TimeSpan Since)> _learns = new(StringComparer.Ordinal);
    private TimeSpan _excusedUntil;
    private TimeSpan _linksBreakUntil;

    public override void OnFault(Fault fault, string what)
    {
        var ends = Now + fault.Duration + TimeSpan.FromSeconds(5);
        if (ends > _linksBreakUntil) _linksBreakUntil = ends;
        if (fault.Kind is FaultKind.LeaderStop or FaultKind.LeaderKill or FaultKind.Usurp)
            _excusedUntil = Now + fault.Duration + TimeSpan.FromSeconds(5);
    }

    public override void OnProcessEnded(string host, string why)
    {
        _since.Remove(host);
        // Nobody hears learners while there is no coordinator, and the next one hears of them anew.
        if (host == SimulatedCluster.CoordinatorHost) _learns.Clear();
        else _learns.Remove(host);
    }

    public override void OnDelivered(SimulatedRemoting from, SimulatedRemoting to, IMessage message)
    {
        switch (message)
        {
            case Beat beat: See(from.Process.Host, beat.Phase, beat.Generation); break;
            case LearnerReport report: SeeLearner(from.Process.Host, report); break;
            case Hello: _learns.Remove(from.Process.Host); break;
            case Evict or Open or Cast { Open: not null }: _learns.Remove(to.Process.Host); break;
            default: break;
        }
    }

    /// <summary>Members have applied the step that it needs next: it comes, or it is another load.</summary>
    private void SeeLearner(string host, LearnerReport report)
    {
        if (report.Phase is not (LearnerPhase.Replaying or LearnerPhase.Level) || report.Lag == 0) _learns.Remove(host);
        else if (!_learns.TryGetValue(host, out var seen) || seen.Step != report.Step)
            _learns[host] = (report.Step, Now);
    }

    private void LookAtLearners()
    {
        var step = Cluster.Plan.StepTime * 1.1 * (Cluster.Plan.Faults.Any(f => f.Kind == FaultKind.Slow)
            ? SimulatedCluster.SlowFactor : 1);
        var longest = (2 * (Cluster.Clocks.LearnerPiece + (4 * step))) + TimeSpan.FromSeconds(2);
        foreach (var (host, (next, since)) in _learns)
        {
            var begins = since > _linksBreakUntil ? since : _linksBreakUntil;
            if (Now - begins <= longest || Now < _excusedUntil || Cluster.IsStopped(host) || Cluster.IsHung(host))
                continue;
            Fail($"{host} learns, and waits for a piece of the step after {next} since {(Now - since).TotalSeconds:0.0} s, at most {longest.TotalSeconds:0.0} s are allowed");
            return;
        }
    }

    public override void OnLook()
    {
        if (_learns.Count > 0) LookAtLearners();
        if (Job.Status is not { } status) _since.Remove(SimulatedCluster.CoordinatorHost);
        else See(SimulatedCluster.CoordinatorHost, status.Membership, status.Generation);
    }

    public override void OnJobOver(StatusReport report)
    {
        _since.Clear();
        _learns.Clear();
    }

    private void See(string host, string state, long generation)
    {
        if (!_since.TryGetValue(host, out var seen) || seen.State != state || seen.Generation != generation
            || Now < _excusedUntil || Cluster.IsStopped(host) || Cluster.IsHung(host))
        {
            _since[host] = (state, Now, generation);
            return;
        }

        // Almost always it is not even the shortest of them.
        if (Now - seen.Since <= Cluster.Clocks.SoftFence) return;
        if (LongestOf(state) is { } longest && Now - seen.Since > longest)
            Fail($"{host} is {state} since {(Now - seen.Since).TotalSeconds:0.0} s, at most {longest.TotalSeconds:0.0} s are allowed");
    }

    /// <summary>The clock table's deadlines for what this state waits for, one after the other, and a second.</summary>
    private TimeSpan? LongestOf(string state)
    {
        var clocks = Cluster.Clocks;
        var step = Cluster.Plan.StepTime * SimulatedCluster.SlowFactor;
        var second = TimeSpan.FromSeconds(1);
        return state.ToLowerInvariant() switch
        {
            // A soft fence turns hard at its deadline; a hard one waits for twice the longest kernel.
            // Of a device that hangs before its first kernel was measured nobody knows how long one takes.
            "fencing" => clocks.SoftFence + clocks.Fence + (6 * step) + clocks.Form + second
                + (Cluster.Plan.Faults.Any(f => f.Kind == FaultKind.Hang) ? clocks.AlignWithState : TimeSpan.Zero),
            "opening" or "aligning" => clocks.AlignWithState + clocks.Align + clocks.Fence + (2 * step) + (2 * second),
            "savewait" => clocks.SaveRoom + second,
            "closing" => clocks.Save + second,
            _ => null,
        };
    }
}
