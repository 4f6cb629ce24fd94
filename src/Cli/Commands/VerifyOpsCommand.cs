using System.CommandLine;
using Convoy.Autodiff.Checking;
using Convoy.Cli.Terminal;
using Convoy.Shared;

namespace Convoy.Cli.Commands;

/// <summary>Runs every check of every operator and prints what is covered.</summary>
internal sealed class VerifyOpsCommand : CliCommand
{
    private readonly Option<string?> _html = new("--html") { Description = "Write the matrix as a page to this file." };

    public VerifyOpsCommand() : base("ops", "Check every operator and print the coverage matrix.",
        "convoy verify ops", "convoy verify ops --html ops.html", "convoy verify ops --json") => Add(_html);

    protected override Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        var rows = OpMatrix.Run();
        context.Line(OpMatrixText.Table(rows).TrimEnd());
        var gaps = rows.SelectMany(r => r.Gaps.Select(g => (r.Name, Gap: g))).ToList();
        foreach (var (name, gap) in gaps) context.Line($"gap: {name}, {gap.Check} in {gap.DType}: {gap.Note}");
        if (arguments.GetValue(_html) is { } path) OutputFile.Write("--html", path, OpMatrixText.Html(rows));
        var looped = rows.Where(r => r.IsLooped).Select(r => r.Name).ToList();
        foreach (var name in looped) context.Line($"vmap goes sample by sample: {name}");
        var cells = rows.SelectMany(r => r.Cells).ToList();
        var passed = cells.Count(c => c.State == OpCellState.Pass);
        context.Line(
            $"{rows.Count} operators, {passed} checks passed, {gaps.Count} gaps, {looped.Count} without a vmap rule");
        context.Result(new
        {
            Operators = rows.Count,
            Gaps = gaps.Count,
            Passed = passed,
            NotApplicable = cells.Count(c => c.State == OpCellState.NotApplicable),
            Looped = looped,
            Missing = gaps.Select(g => new { g.Name, Check = $"{g.Gap.Check}", Type = $"{g.Gap.DType}", g.Gap.Note }),
        });
        return Task.FromResult(gaps.Count == 0 ? 0 : (int)ExitCode.Failed);
    }
}
