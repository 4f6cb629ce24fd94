using Convoy.Actors;
using Convoy.Coordinator.Api;
using Convoy.Coordinator.Jobs;
using Convoy.Shared.Jobs;

namespace Convoy.Coordinator.Hosting;

/// <summary>Name of a wall, its job's report, and whether the job runs or waits: what a wall tells the front.</summary>
internal sealed record WallOver(string Wall, StatusReport Report);

/// <summary>The membership of a wall broke and is stopped.</summary>
internal sealed record MembershipBroke(string Wall, Exception Cause);

/// <summary>
/// One job with everything that belongs to it alone: its actor, its membership, its checkpoints, its stream of the
/// journal. What breaks inside ends there. The first wall is the cluster's own: it also has the idle workers, and its
/// files lie where those of a single job do.
/// </summary>
internal sealed class JobWall(string name, IActorRef membership, IActorRef job, StatusBoard board, MetricsFile metrics)
{
    /// <summary>Failures of its job's actor, or of the first wall's membership, that a wall bears.</summary>
    public const int FailuresMax = 3;

    /// <summary>Empty for the first wall.</summary>
    public string Name { get; } = name;
    public IActorRef Membership { get; set; } = membership;
    public IActorRef Job { get; } = job;
    public StatusBoard Board { get; } = board;
    public MetricsFile Metrics { get; } = metrics;

    /// <summary>The job that runs or waits here; null: none, or it is over.</summary>
    public JobDescription? Running { get; set; }

    /// <summary>Place in the order of submissions.</summary>
    public long Order { get; set; }

    /// <summary>Workers asked for by scale; 0: the job's own wish.</summary>
    public int Scaled { get; set; }

    /// <summary>Times that its membership broke.</summary>
    public int Failures { get; set; }

    /// <summary>What it was told last.</summary>
    public bool OthersWait { get; set; }

    public bool Is(string job) => Running is { } d
        && (string.Equals(d.Job.Job, job, StringComparison.Ordinal)
            || string.Equals(d.JobId, job, StringComparison.Ordinal));

    public JobNeed Need(int have)
    {
        if (Running is not { } d) return new JobNeed(0, 0, have);
        var (min, max) = Bounds(d.Job);
        var wish = Scaled > 0 ? Scaled : d.WorkersExpected > 0 ? d.WorkersExpected : max;
        return new JobNeed(min, Math.Clamp(wish, min, max), have);
    }

    private static (int Min, int Max) Bounds(JobSpec job) => job.Parallel.Data > 0
        ? (job.Parallel.Data, job.Parallel.Data)
        : (Math.Max(1, job.Elastic.Min), Math.Max(job.Elastic.Min, Math.Min(job.Elastic.Max, job.Slices)));
}
