using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;
using Convoy.Shared.Time;

namespace Convoy.Coordinator.Jobs;

/// <summary>A worker process as the job sees it.</summary>
internal sealed class JobWorker(WorkerId id, Incarnation incarnation, string name)
{
    public WorkerId Id { get; } = id;
    public Incarnation Incarnation { get; } = incarnation;
    public string Name { get; } = name;
    public Instant? AssignedAt { get; set; }
    public Ready? Ready { get; set; }
    public bool Unfit { get; set; }
    public Beat LastBeat { get; set; } = new();
    public ReachedEnd? End { get; set; }
    /// <summary>What its operators took since it was told to time them.</summary>
    public Profiled? Times { get; set; }

    public override string ToString() => $"{Name} ({Id})";
}
