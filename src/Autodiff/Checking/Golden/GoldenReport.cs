using System.Globalization;
using System.Text;

namespace Convoy.Autodiff.Checking.Golden;

/// <summary>GV-03, GV-06: what a run over reference figures found, as a page in Markdown.</summary>
public static class GoldenReport
{
    /// <summary>
    /// Counts, a line for each file and kind of case with its largest errors, and a line for each case that is wrong.
    /// </summary>
    public static string Markdown(IReadOnlyList<GoldenCase> cases)
    {
        var text = new StringBuilder("# Reference figures\n\n");
        var (failed, unknown) = (Count(cases, GoldenState.Failed), Count(cases, GoldenState.Unknown));
        text.Append(CultureInfo.InvariantCulture, $"{cases.Count} cases, {failed} failed, {unknown} unknown\n\n");
        text.Append("| file | what | cases | failed | absolute, largest | relative, largest | relative, mean |\n");
        text.Append("|---|---|---|---|---|---|---|\n");
        foreach (var group in cases.GroupBy(c => (c.File, What: c.Name.Split(' ')[0])))
        {
            GoldenCase[] all = [.. group];
            text.Append(CultureInfo.InvariantCulture,
                $"| {group.Key.File} | {group.Key.What} | {all.Length} | {Count(all, GoldenState.Failed)} ");
            text.Append(CultureInfo.InvariantCulture,
                $"| {all.Max(c => c.AbsoluteMax):e1} | {all.Max(c => c.RelativeMax):e1} | {all.Average(c => c.RelativeMax):e1} |\n");
        }

        if (failed + unknown > 0) text.Append("\n## Wrong\n\n");
        foreach (var c in cases.Where(c => c.State != GoldenState.Passed))
            text.Append(CultureInfo.InvariantCulture, $"- {c.File} {c.Name}: {c.Note}\n");
        return text.ToString();
    }

    private static int Count(IEnumerable<GoldenCase> cases, GoldenState state) => cases.Count(c => c.State == state);
}
