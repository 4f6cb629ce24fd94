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

    private readonly Option<double> _relative = new("--relative")
    {
        Description = "Relative error that a figure may have.",
        DefaultValueFactory = _ => new GoldenTolerance().Relative,
    };

    private readonly Option<double> _absolute = new("--absolute")
    {
        Description = "Absolute error that a figure may have besides.",
        DefaultValueFactory = _ => new GoldenTolerance().Absolute,
    };

    private readonly Option<string?> _report = new("--report")
    {
        Description = "Write counts and errors of each kind of case to this file, as Markdown.",
    };

    private readonly Option<string?> _export = new("--export")
    {
        Description = "Write the operators' cases with our figures to this file, in the form of ops.json.",
    };

    public VerifyGoldenCommand() : base("golden", "Compare with a folder of reference figures.",
        "convoy verify golden figures", "convoy verify golden figures --json",
        "convoy verify golden figures --export ops.json")
    {
        Add(_folder);
        Add(_relative);
        Add(_absolute);
        Add(_report);
        Add(_export);
    }

    protected override Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        var folder = arguments.GetValue(_folder)!;
        var tolerance = new GoldenTolerance(Allowed(arguments, _relative), Allowed(arguments, _absolute));
        var cases = new List<GoldenCase>();
        foreach (var file in GoldenRunner.Files)
        {
            var path = Path.Combine(folder, file);
            if (File.Exists(path)) cases.AddRange(Read(path, d => GoldenRunner.Run(file, d, tolerance)));
        }

        if (cases.Count == 0)
        {
            throw new UserException(
                ExitCode.BadData,
                    $"{folder}: holds no case of {string.Join(", ", GoldenRunner.Files)}. Name a folder of reference files.");
        }

        foreach (var c in cases) context.Line(Text(c));
        if (arguments.GetValue(_report) is { } report) Write("--report", report, GoldenReport.Markdown(cases));
        if (arguments.GetValue(_export) is { } export) Write("--export", export, Exported(folder));
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

    private static double Allowed(ParseResult arguments, Option<double> option) =>
        arguments.GetValue(option) is var error && error >= 0 && double.IsFinite(error) ? error
            : throw new UserException(ExitCode.Usage, $"{option.Name} {error}: an error is 0 or more.");

    private static string Exported(string folder)
    {
        var path = Path.Combine(folder, "ops.json");
        if (File.Exists(path)) return Read(path, GoldenOperator.Export);
        throw new UserException(ExitCode.BadData,
            $"--export: {folder} has no ops.json. Its cases are what is written, with our figures.");
    }

    private static void Write(string option, string path, string text)
    {
        try
        {
            File.WriteAllText(path, text);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new UserException(ExitCode.Usage, $"{option} {path}: {e.Message} Name a file that can be written.");
        }
    }

    private static T Read<T>(string path, Func<JsonElement, T> use)
    {
        try
        {
            using var document = JsonDocument.Parse(File.ReadAllBytes(path));
            return use(document.RootElement);
        }
        catch (Exception e) when (
            e is JsonException or InvalidOperationException or KeyNotFoundException or IOException
                or UnauthorizedAccessException)
        {
            throw new UserException(ExitCode.BadData,
                $"{path}: {e.Message} Each file has the form that docs/verify.md says.");
        }
    }
}
