namespace Convoy.Cli.Terminal;

/// <summary>Finds the word that was probably meant.</summary>
internal static class Spelling
{
    /// <summary>The nearest of the known words, or null when none is near (a third of the letters differ).</summary>
    public static string? Nearest(string word, IEnumerable<string> known)
    {
        var best = known.Select(k => (Word: k, Edits: Edits(word, k))).MinBy(x => x.Edits);
        return best.Word is not null && best.Edits <= Math.Max(1, word.Length / 3) ? best.Word : null;
    }

    // Levenshtein's distance with swapped neighbours counted as one edit, on three rolling rows.
    private static int Edits(string a, string b)
    {
        int[] before = [], previous = [.. Enumerable.Range(0, b.Length + 1)];
        for (var i = 1; i <= a.Length; i++)
        {
            var row = new int[b.Length + 1];
            row[0] = i;
            for (var j = 1; j <= b.Length; j++)
            {
                var change = previous[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
                row[j] = Math.Min(change, Math.Min(previous[j], row[j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    row[j] = Math.Min(row[j], before[j - 2] + 1);
            }
            (before, previous) = (previous, row);
        }
        return previous[b.Length];
    }
}
