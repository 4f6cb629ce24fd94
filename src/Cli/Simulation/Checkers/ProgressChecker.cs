using Convoy.Coordinator.Api;

namespace Convoy.Cli.Simulation.Checkers;

/// <summary>Once faults stop, the job goes on and ends within a bound, and it ends well (M8).</summary>
internal sealed class ProgressChecker : Checker
{
    private bool _over;

    /// <summary>
    /// The rest of the job at a third of its speed, twice over because a coordinator that was lost redoes it from the
    /// last save, and two minutes for everything that waits: quarantine, spacing of joins, deadlines of saves.
    /// </summary>
    public static TimeSpan Bound(SimulationPlan plan) =>
        plan.QuietAfter + (6 * plan.Steps * plan.StepTime) + TimeSpan.FromMinutes(2);

    public override void OnJobOver(StatusReport report)
    {
        if (report.Outcome == "finished") _over = true;
        else if (!(report.Outcome == "stopped" && Job.MayBeStopped) && Now > Cluster.Plan.QuietAfter + TimeSpan.FromSeconds(30)
            && Now > Cluster.LastTrouble + TimeSpan.FromSeconds(30))
            Fail($"the job ends as {report.Outcome} although faults are over: {report.RootCause?.Text}");
    }

    public override void OnEnd() =>
        Check(_over || !Job.IsSubmitted,
            $"the job is not over {Bound(Cluster.Plan) - Cluster.Plan.QuietAfter:g} after the last fault: {Cluster.Describe()}");
}
