using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Convoy.Autodiff.Checking.Golden;
using Convoy.Cli.Terminal;
using Convoy.Shared;

namespace Convoy.Cli.Commands;

/// <summary>
/// Compares operators, derivatives, optimizers, schedules and trainings with a folder of reference figures.
/// </summary>
internal sealed class VerifyGoldenCommand : CliCommand
{
    private readonly Argument<string> _folder =
        new("dir") { Description = "Folder of reference files (docs/verify.md)." };

    public VerifyGoldenCommand() : base("golden", "Compare with a folder of reference figures.",
        "convoy verify golden figures", "convoy verify golden figures --json") => Add(_folder);

    protected override Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        var folder = arguments.GetValue(_folder)!;
        var cases = new List<GoldenCase>();
        foreach (var file in GoldenRunner.Files)
        {
            var path = Path.Combine(folder, file);
            if (File.Exists(path)) cases.AddRange(Run(path, file));
        }

        if (cases.Count == 0)
        {
            throw new UserException(
                ExitCode.BadData,
                    $"{folder}: holds no case of {string.Join(", ", GoldenRunner.Files)}. Name a folder of reference files.");
        }

        foreach (var c in cases) context.Line(Text(c));
        var failed = cases.Count(c => c.State == GoldenState.Failed);
        var unknown = cases.Count(c => c.State == GoldenState.Unknown);
        context.Line($"{cases.Count} cases, {failed} failed, {unknown} unknown");
        context.Result(new
        {
            Cases = cases.Count,
            Failed = failed,
            Unknown = unknown,
            AbsoluteMax = cases.Max(c => c.AbsoluteMax),
            RelativeMax = cases.Max(c => c.RelativeMax),
            Wrong = cases.Where(c => c.State != GoldenState.Passed).Select(c =>
                new { c.File, c.Name, State = $"{c.State}", c.Note }),
        });
        return Task.FromResult(failed + unknown == 0 ? 0 : (int)ExitCode.Failed);
    }

    private static string Text(GoldenCase c) => string.Create(
        CultureInfo.InvariantCulture,
        $"{c.State.ToString().ToLowerInvariant(),-8} abs {c.AbsoluteMax:e1}  rel {c.RelativeMax:e1}  {c.File} {c.Name}{(c.Note.Length > 0 ? ": " + c.Note : "")}");

    private static IReadOnlyList<GoldenCase> Run(string path, string file)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return GoldenRunner.Run(file, document.RootElement);
        }
        catch (Exception e) when (
            e is JsonException or InvalidOperationException or KeyNotFoundException or IOException or UnauthorizedAccessException)
        {
            throw new UserException(ExitCode.BadData,
                $"{path}: {e.Message} Each file has the form that docs/verify.md says.");
        }
    }
}
