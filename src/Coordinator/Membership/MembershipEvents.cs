using Convoy.Shared.Ids;
using Convoy.Shared.Protocol;

namespace Convoy.Coordinator.Membership;

/// <summary>What membership appends to the journal. The journal alone says which numbers were used (M1).</summary>
internal abstract record MembershipEvent;

internal sealed record WorkerRegistered(WorkerId Worker, string Name) : MembershipEvent;

internal sealed record FencingStarted(
    Generation Generation, FenceKind Kind, IReadOnlyList<WorkerId> Lost, string Reason) : MembershipEvent;

internal sealed record GenerationOpened(
    Generation Generation, string JobId, IReadOnlyList<WorkerId> Members, IReadOnlyList<int> Cuts, StepNumber Start,
    StepNumber Until, string Reason) : MembershipEvent;

internal sealed record MembershipPaused(Generation Generation, string Reason) : MembershipEvent;

/// <summary>A coordinator began to lead: from here on everything is of its token.</summary>
internal sealed record LeaderStarted(LeaderToken Token, string Holder) : MembershipEvent;

/// <summary>What a coordinator knows again after a restart.</summary>
internal sealed class MembershipHistory
{
    private readonly List<(WorkerId Worker, string Name)> _workers = [];

    /// <summary>Highest number that was ever used, opened or only announced.</summary>
    public Generation Highest { get; private set; }

    /// <summary>The generation that was opened last; null: none.</summary>
    public GenerationOpened? Opened { get; private set; }

    /// <summary>A change was announced after it, or the job was paused: its members may have stopped.</summary>
    public bool IsFencing => Opened is { } opened && Highest > opened.Generation;

    /// <summary>Generations that were opened for a job, and the first of them.</summary>
    public (long Count, Generation First) OpenedFor(string jobId) => _opened.Find(o => o.JobId == jobId) is { } found
        ? (found.Count, found.First) : default;

    private readonly List<OpenedJob> _opened = [];

    private sealed class OpenedJob(string jobId, Generation first)
    {
        public string JobId { get; } = jobId;
        public Generation First { get; } = first;
        public long Count { get; set; }
    }

    /// <summary>In the order of registration.</summary>
    public IReadOnlyList<(WorkerId Worker, string Name)> Workers => _workers;

    public void Apply(MembershipEvent happened)
    {
        switch (happened)
        {
            case WorkerRegistered e: _workers.Add((e.Worker, e.Name)); break;
            case FencingStarted e: Raise(e.Generation); break;
            case GenerationOpened e: OnOpened(e); break;
            case MembershipPaused e: Raise(e.Generation); break;
            case LeaderStarted: break;
            default: throw Shared.Invariant.Unhandled(happened);
        }
    }

    private void OnOpened(GenerationOpened e)
    {
        Raise(e.Generation);
        Opened = e;
        var job = _opened.Find(o => o.JobId == e.JobId);
        if (job is null) _opened.Add(job = new OpenedJob(e.JobId, e.Generation));
        job.Count++;
    }

    private void Raise(Generation generation)
    {
        if (generation > Highest) Highest = generation;
    }
}
