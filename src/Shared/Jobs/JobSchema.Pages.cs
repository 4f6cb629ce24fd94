using System.Text;

namespace Convoy.Shared.Jobs;

// The table as pages for people.
public static partial class JobSchema
{
    /// <summary>The text of docs/job-file.md.</summary>
    public static string ToMarkdown()
    {
        var page = new StringBuilder();
        page.Append("""
            # The job file

            A job is one YAML file. It is read strictly: an unknown key, a wrong type, an impossible value or a key that the
            chosen model or data format does not use is refused with file, line, column and what to do. `convoy config --print JOB`
            shows the job with its defaults, `--set a.b=c` overrides a key, `convoy config --keys` prints this table.

            This page is written by `JobSchema.ToMarkdown()`; a test compares the two.


            """.ReplaceLineEndings("\n"));
        foreach (var group in Keys.GroupBy(k => k.Path.Split('.')[0] is var first && first == k.Path ? "" : first))
        {
            page.Append(group.Key.Length == 0 ? "## Top of the file\n\n" : $"## {group.Key}\n\n");
            page.Append("| key | type | default | range | what it does |\n|---|---|---|---|---|\n");
            foreach (var key in group)
            {
                var when = key.UsedWhen.Length == 0 ? "" : $" Only where {key.UsedWhen}.";
                page.Append($"| `{key.Path}` | {key.Type} | {Cell(key.Default)} | {Cell(key.Range)} | "
                    + $"{Cell(key.Doc + when)} |\n");
            }

            page.Append('\n');
        }

        return page.ToString().TrimEnd('\n') + "\n";
    }

    /// <summary>The text of <c>convoy config --keys</c>.</summary>
    public static string ToText()
    {
        var text = new StringBuilder();
        foreach (var key in Keys)
        {
            text.Append($"{key.Path}\n    {key.Doc}\n    {key.Type}; default: {key.Default}");
            if (key.Range.Length > 0) text.Append($"; range: {key.Range}");
            if (key.UsedWhen.Length > 0) text.Append($"; only where {key.UsedWhen}");
            text.Append('\n');
        }

        return text.ToString();
    }

    private static string Cell(string text) =>
        text.Replace("|", "\\|", StringComparison.Ordinal).Replace("<", "&lt;", StringComparison.Ordinal);
}
