using System.CommandLine;
using System.Globalization;
using System.Net;
using System.Text;
using Convoy.Cli.Bench;
using Convoy.Cli.Terminal;
using Convoy.Shared;

namespace Convoy.Cli.Commands;

/// <summary>
/// Keeping measurements and comparing new ones with them: <c>--save</c>, <c>--against</c>, <c>--html</c>.
/// </summary>
internal sealed class BaselineOptions
{
    private readonly Option<string?> _save = new("--save")
    { Description = "Write the measurements to this file.", HelpName = "FILE" };
    private readonly Option<string?> _against = new("--against")
    {
        Description = "Compare with the measurements of this file; the exit code says whether anything became worse.",
        HelpName = "FILE",
    };
    private readonly Option<double> _worse = new("--worse")
    {
        Description = "Percent of time that counts as worse or better.",
        DefaultValueFactory = _ => 10,
    };
    private readonly Option<string?> _html = new("--html")
    {
        Description = "With --against: write the comparison as a page.",
        HelpName = "FILE",
    };

    public void AddTo(Command command)
    {
        command.Add(_save);
        command.Add(_against);
        command.Add(_worse);
        command.Add(_html);
        command.Validators.Add(result =>
        {
            if (result.GetValue(_html) is not null && result.GetValue(_against) is null)
                result.AddError("--html needs --against: it shows a comparison.");
        });
    }

    /// <summary>The baseline to compare with, or null. What would be refused after the minutes of a measurement is
    /// refused here.</summary>
    public Baseline? Read(ParseResult arguments)
    {
        if (arguments.GetValue(_worse) is var worse and not (> 0 and <= 1000))
            throw new UserException(ExitCode.Usage, $"--worse {worse} is no percentage above 0, at most 1000");
        if (arguments.GetValue(_save) is { } save) OutputFile.Check("--save", save);
        if (arguments.GetValue(_html) is { } page) OutputFile.Check("--html", page);
        return arguments.GetValue(_against) is { } path ? Baseline.Load(path) : null;
    }

    /// <summary>Saves, compares and reports; the exit code of the command.</summary>
    public int Finish(ParseResult arguments, CliContext context, Baseline? before, Baseline now)
    {
        if (arguments.GetValue(_save) is { } path) now.Save(path);
        if (before is null) return 0;
        var changes = now.Since(before, arguments.GetValue(_worse) / 100);
        if (changes.Count == 0)
            throw new UserException(ExitCode.Usage,
                $"--against {arguments.GetValue(_against)}: it has none of what was measured; take the families, --threads and --slices that it was saved with");
        context.Line($"against {before.Date}, build {before.Build}:");
        if (before.Machine != now.Machine)
            context.Line($"  another machine: {before.Machine}; this one: {now.Machine}");
        foreach (var c in changes.Where(c => c.Verdict != "same"))
            context.Line($"  {c.Verdict,-6} {c.Shown}  {c.Name}");
        var worse = changes.Count(c => c.Verdict == "worse");
        context.Line($"{changes.Count} compared, {worse} worse, {changes.Count(c => c.Verdict == "better")} better");
        context.Result(new
        {
            Against = before.Date, SameMachine = before.Machine == now.Machine, Compared = changes.Count, Worse = worse,
            Changes = changes,
        });
        if (arguments.GetValue(_html) is { } page) OutputFile.Write("--html", page, Page(before, now, changes));
        return worse == 0 ? 0 : (int)ExitCode.Failed;
    }

    private static string Page(Baseline before, Baseline now, IReadOnlyList<BaselineChange> changes)
    {
        var text = new StringBuilder("<!doctype html><meta charset=\"utf-8\"><title>Measurements</title><style>");
        text.Append(
            "body{font:14px sans-serif}td{padding:2px 12px}.worse{background:#fcc}.better{background:#cfc}</style>");
        text.Append(WebUtility.HtmlEncode(
            $"{before.Date} build {before.Build} against {now.Date} build {now.Build}; {now.Machine}"));
        text.Append("<table><tr><th>what<th>then, us<th>now, us<th>ratio<th>verdict<th>of what<th>mean, us<th>deviation, us<th>of mean");
        text.Append("<th>calls<th>bytes allocated<th>bytes planned");
        foreach (var c in changes)
        {
            text.Append(Text($"<tr class=\"{c.Verdict}\"><td>{WebUtility.HtmlEncode(c.Name)}<td>{c.WasUs:0.0}<td>{c.IsUs:0.0}"));
            text.Append(Text($"<td>{c.Ratio:0.00}<td>{c.Verdict}<td>{c.Shown}<td>{c.Is.MeanUs:0.0}<td>{c.Is.DeviationUs:0.0}"));
            text.Append(Text($"<td>{c.Is.Variation:0%}<td>{c.Is.Calls}<td>{c.Is.AllocatedBytes}<td>{c.Is.PlannedBytes}"));
        }

        return text.Append("</table>\n").ToString();
    }

    private static string Text(FormattableString text) => text.ToString(CultureInfo.InvariantCulture);
}
