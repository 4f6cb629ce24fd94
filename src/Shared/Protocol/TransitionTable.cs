using System.Text;

namespace Convoy.Shared.Protocol;

/// <summary>
/// Renders the transition table of a protocol as it stands in <c>docs/protocols</c>. The House tests compare the two,
/// so the page cannot go stale.
/// </summary>
public static class TransitionTable
{
    /// <summary>Lines end with '\n'; the last one too.</summary>
    public static string ToMarkdown<TStatus>(IEnumerable<(TStatus From, TStatus To, string On)> transitions)
        where TStatus : struct, Enum
    {
        var text = new StringBuilder("| from | to | on |\n|---|---|---|\n");
        foreach (var (from, to, on) in transitions)
            text.Append("| ").Append(from).Append(" | ").Append(to).Append(" | ").Append(on).Append(" |\n");
        return text.ToString();
    }

    /// <summary>True when the pair is in the table; <c>Become</c> of every protocol asserts it.</summary>
    public static bool Allows<TStatus>((TStatus From, TStatus To, string On)[] transitions, TStatus from, TStatus to)
        where TStatus : struct, Enum
    {
        foreach (var row in transitions)
            if (EqualityComparer<TStatus>.Default.Equals(row.From, from)
                && EqualityComparer<TStatus>.Default.Equals(row.To, to)) return true;
        return false;
    }
}
