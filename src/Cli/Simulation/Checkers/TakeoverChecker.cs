
namespace Convoy.Cli.Simulation.Checkers;

/// <summary>
/// A leader that dies alone is a non-event: its successor is Stable within 5 s (L5) in the generation that it left
/// (L7), and no step takes longer meanwhile (L4). Judged only where nothing else has happened for a while.
/// </summary>
internal sealed class TakeoverChecker : Checker
{
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Quiet = TimeSpan.FromSeconds(20); // after another trouble
    private static readonly TimeSpan LookEvery = TimeSpan.FromMilliseconds(250);

    private TimeSpan _troubleUntil;
    private TimeSpan? _died;
    private bool _beganWithout; // the step that runs began when nobody led
    private long _generation;
    private long _step;
    private TimeSpan _steppedAt;
    private TimeSpan _slowestStep;

    public override void OnFault(Fault fault, string what)
    {
        if (fault.Kind == FaultKind.LeaderKill && Cluster.Plan.HasStandby && _died is null && Now > _troubleUntil
            && _step > 0 // the first step has no step before it that it could be measured from
            && Job.Status is { Membership: "stable", State: "running" } status && status.Step + 5 < status.UntilStep
            && status.Workers.Count(w => w.State == "member") == Job.Plan.Workers)
        {
            (_died, _generation, _beganWithout) = (Now, status.Generation, false);
            return;
        }

        (_died, _beganWithout) = (null, false);
        _troubleUntil = Now + fault.Duration + Quiet;
    }

    public override void OnProcessEnded(string host, string why)
    {
        if (host != SimulatedCluster.CoordinatorHost) Forget();
    }

    public override void OnProcessStarted(string host, Shared.Ids.Incarnation incarnation) => Forget();

    public override void OnCame(string host, Shared.Ids.Incarnation incarnation) => Forget();

    private void Forget()
    {
        (_died, _beganWithout) = (null, false);
        if (Now + Quiet > _troubleUntil) _troubleUntil = Now + (Now < TimeSpan.FromSeconds(1) ? LookEvery : Quiet);
    }

    public override void OnApplied(
        string host, ulong incarnation, long step, ReadOnlySpan<float> weights, ReadOnlySpan<float> momentum)
    {
        if (step <= _step) return;
        var took = Now - _steppedAt;
        (_step, _steppedAt) = (step, Now);
        var judged = _died is not null || _beganWithout;
        _beganWithout = _died is not null;
        if (!judged)
        {
            if (took > _slowestStep) _slowestStep = took;
            return;
        }

        var most = (Cluster.Plan.StepTime * 1.1 * 1.02) + TimeSpan.FromMilliseconds(100);
        if (most < _slowestStep) most = _slowestStep * 1.02;
        // Words that the network lost come again after a while; such a step is no slower for want of a leader.
        if (Cluster.Network.Quality.LossPerMille > 0) most += Cluster.Network.Quality.Retransmission * 3;
        Check(took <= most, $"step {step} took {took.TotalMilliseconds:0} ms without a leader, at most {most.TotalMilliseconds:0} ms are expected");
    }

    public override void OnAppended(long token, string type, JournalRecord record)
    {
        if (_died is { } died && type == "fencing_started" && Now - died < Longest)
            Fail($"g{record.Number("generation")} is fenced {(Now - died).TotalSeconds:0.0} s after the leader died alone: {record.Text("reason")}");
    }

    public override void OnLook()
    {
        if (_died is not { } died) return;
        if (Cluster.IsDiskDown || Cluster.DiskIsFull) { Forget(); return; }
        if (Job.Status is { Membership: "stable" } status)
        {
            Check(status.Generation == _generation,
                $"g{_generation} ran when the leader died, its successor has g{status.Generation}");
            _died = null;
        }
        else
        {
            Check(Now - died <= Longest + LookEvery,
                $"{(Now - died).TotalSeconds:0.0} s after the leader died nobody leads: {Cluster.Describe()}");
        }
    }

    public override void OnJobOver(Convoy.Coordinator.Api.StatusReport report) =>
        (_died, _beganWithout) = (null, false);
}
