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

    /// <summary>Cells of those who join, each the emptiest when it is its turn.</summary>
    public IReadOnlyList<int> CellsOfJoiners(int cells)
    {
        var members = new int[cells];
        foreach (var seat in Stay) members[seat.Cell]++;
        var dealt = new int[Join.Count];
        for (var i = 0; i < dealt.Length; i++)
        {
            dealt[i] = Array.IndexOf(members, members.Min());
            members[dealt[i]]++;
        }

        return dealt;
    }

    public static MemberPlan Paused(WaitReason reason) => new([], [], []) { Pause = reason };
}
