namespace Convoy.Shared.Jobs;

/// <summary>Finds the word that was probably meant.</summary>
public static class NearestWord
{
    /// <summary>" (did you mean x?)" when a candidate is near enough to be a slip of the pen, else nothing.</summary>
    public static string DidYouMean(string word, IEnumerable<string> candidates) =>
        Of(word, candidates) is { } nearest ? $" (did you mean {nearest}?)" : "";

    /// <summary>The nearest candidate within a third of the word's length and at least two edits; the first of
    /// equals.</summary>
    public static string? Of(string word, IEnumerable<string> candidates)
    {
        string? best = null;
        var bestDistance = Math.Max(2, word.Length / 3) + 1;
        foreach (var candidate in candidates)
        {
            var distance = Distance(word, candidate);
            if (distance < bestDistance && distance < candidate.Length) (best, bestDistance) = (candidate, distance);
        }

        return best;
    }

    /// <summary>Insertions, deletions, replacements and swaps of neighbours that turn one word into the
    /// other.</summary>
    internal static int Distance(string a, string b)
    {
        // Longer input is never a slip of the pen, and the table grows with the product of the lengths.
        if (a.Length > 64 || b.Length > 64) return int.MaxValue;
        var d = new int[a.Length + 1, b.Length + 1];
        for (var i = 0; i <= a.Length; i++) d[i, 0] = i;
        for (var j = 0; j <= b.Length; j++) d[0, j] = j;
        for (var i = 1; i <= a.Length; i++)
        {
            for (var j = 1; j <= b.Length; j++)
            {
                var replace = d[i - 1, j - 1]
                    + (char.ToLowerInvariant(a[i - 1]) == char.ToLowerInvariant(b[j - 1]) ? 0 : 1);
                d[i, j] = Math.Min(replace, Math.Min(d[i - 1, j], d[i, j - 1]) + 1);
                if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                    d[i, j] = Math.Min(d[i, j], d[i - 2, j - 2] + 1);
            }
        }

        return d[a.Length, b.Length];
    }
}
