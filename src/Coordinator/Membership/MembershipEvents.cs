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

/// <summary>What a coordinator knows again after a restart.</summary>
internal sealed class MembershipHistory
{
    private readonly List<(WorkerId Worker, string Name)> _workers = [];

    /// <summary>Highest number that was ever used, opened or only announced.</summary>
    public Generation Highest { get; private set; }

    /// <summary>In the order of registration.</summary>
    public IReadOnlyList<(WorkerId Worker, string Name)> Workers => _workers;

    public void Apply(MembershipEvent happened)
    {
        switch (happened)
        {
            case WorkerRegistered e: _workers.Add((e.Worker, e.Name)); break;
            case FencingStarted e: Raise(e.Generation); break;
            case GenerationOpened e: Raise(e.Generation); break;
            case MembershipPaused e: Raise(e.Generation); break;
            default: throw Shared.Invariant.Unhandled(happened);
        }
    }

    private void Raise(Generation generation)
    {
        if (generation > Highest) Highest = generation;
    }
}
