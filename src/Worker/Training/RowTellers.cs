using Convoy.Shared.Protocol;

namespace Convoy.Worker.Training;

/// <summary>
/// Who of very many members tells the rows of steps: those nearest to the coordinator, and as many of those that bring
/// their state along. The nearest ones may all have joined, and who joins knows no row of the steps before.
/// </summary>
internal static class RowTellers
{
    /// <param name="members">Of the generation, in their order.</param>
    /// <param name="position">Whose part is asked for.</param>
    /// <param name="count">How many tell at least, and at most twice.</param>
    public static bool Includes(IReadOnlyList<Member> members, int position, int count)
    {
        if (position < count) return true;
        if (!BringsState(members[position])) return false;
        for (var i = 0; i < position; i++)
            if (BringsState(members[i]) && --count == 0) return false;
        return true;
    }

    private static bool BringsState(Member member) =>
        member.Action is AlignAction.Keep or AlignAction.ApplyHeld or AlignAction.FetchChunks;
}
