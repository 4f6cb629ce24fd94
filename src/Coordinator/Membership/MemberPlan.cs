namespace Convoy.Coordinator.Membership;

/// <summary>
/// Who is in the next generation. Leave: released when it opens. Pause: there is no next generation for now.
/// </summary>
internal sealed record MemberPlan(
    IReadOnlyList<MemberSeat> Stay, IReadOnlyList<WorkerRecord> Join, IReadOnlyList<MemberSeat> Leave)
{
    public WaitReason? Pause { get; init; }

    /// <summary>The generation only saves: it ends where it starts.</summary>
    public bool SaveOnly { get; init; }

    public static MemberPlan Paused(WaitReason reason) => new([], [], []) { Pause = reason };
}
