using System.CommandLine;
using Convoy.Autodiff.Checking;
using Convoy.Cli.Terminal;
using Convoy.Kernels;
using Convoy.Shared;
using Convoy.Shared.Jobs;

namespace Convoy.Cli.Commands;

/// <summary>Runs every check of every operator and prints what is covered.</summary>
internal sealed class VerifyOpsCommand : CliCommand
{
    private readonly Option<string?> _html = new("--html") { Description = "Write the matrix as a page to this file." };

    private readonly Option<string> _accelerator = new("--accelerator")
    {
        Description = "What computes convolutions: none, opencl or opencl:INDEX.",
        HelpName = "DEVICE",
        DefaultValueFactory = _ => $"{AcceleratorSpec.None}",
    };

    public VerifyOpsCommand() : base("ops", "Check every operator and print the coverage matrix.",
        "convoy verify ops", "convoy verify ops --html ops.html", "convoy verify ops --accelerator opencl --json")
    {
        Add(_html);
        Add(_accelerator);
    }

    protected override Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        using var accelerator = Open(arguments.GetValue(_accelerator)!);
        using var convolutions = accelerator is null ? default : accelerator.Enter();
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
        if (accelerator is not null) context.Line($"{accelerator.Device.Name} ran {accelerator.Use.Launches} programs");
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

    private static Accelerator? Open(string text)
    {
        var spec = AcceleratorSpec.Parse(text, out var broken);
        return broken is null ? Accelerator.Open(spec)
            : throw new UserException(ExitCode.Usage, $"--accelerator: {broken}");
    }
}
