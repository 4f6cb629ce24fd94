using Convoy.Shared.Ids;

namespace Convoy.Cli.Simulation.Checkers;

/// <summary>
/// No job starves while another one goes on: once nothing has happened for a while, each makes steps as long as there
/// are workers for it, or is over.
/// </summary>
internal sealed class FairnessChecker : Checker
{
    /// <summary>Everything that a job waits for in turn: a move, the preparation, a state, a generation.</summary>
    private static readonly TimeSpan Longest = TimeSpan.FromSeconds(25);

    private readonly SortedDictionary<int, TimeSpan> _stepped = []; // of each job: its newest step, or its submission
    private TimeSpan _troubleUntil;

    public void OnApplied(SimulatedJob job) => _stepped[job.Index] = Now;

    public override void OnFault(Fault fault, string what) => Trouble(fault.Duration);

    public override void OnProcessEnded(string host, string why) => Trouble(TimeSpan.Zero);

    public override void OnProcessStarted(string host, Incarnation incarnation) => Trouble(TimeSpan.Zero);

    private void Trouble(TimeSpan lasts)
    {
        if (Now + lasts > _troubleUntil) _troubleUntil = Now + lasts;
    }

    public override void OnLook()
    {
        if (Cluster.IsDiskDown || Cluster.DiskIsFull || Cluster.Speaks is null) Trouble(TimeSpan.Zero);
        var step = Cluster.Plan.StepTime * 1.1 * SimulatedCluster.SlowFactor;
        foreach (var job in Cluster.Jobs)
        {
            if (!job.IsSubmitted || job.IsOver) continue;
            if (!_stepped.TryGetValue(job.Index, out var since)) _stepped[job.Index] = since = Now;
            if (since < _troubleUntil) since = _troubleUntil;
            if (Now - since <= Longest + step) continue;
            foreach (var other in Cluster.Jobs)
                Check(other == job || other.IsOver || _stepped.GetValueOrDefault(other.Index) < Now - step,
                    $"{job.Name} makes no step for {(Now - since).TotalSeconds:0.0} s, and {other.Name} goes on: {Cluster.Describe()}");
        }
    }
}
