using System.CommandLine;
using Convoy.Cli.Launch;
using Convoy.Cli.Terminal;
using Convoy.Coordinator.Api;
using Convoy.Coordinator.Health;
using Convoy.Coordinator.Jobs;
using Convoy.Shared;
using Convoy.Shared.Jobs;

namespace Convoy.Cli.Commands;

/// <summary>
/// How well a run is doing, running or ended: memory, graph, gradients, performance, one score (PROD-01).
/// </summary>
internal sealed class HealthCommand : CliCommand
{
    private readonly Target _target = new();
    private readonly Option<string?> _job = new("--job")
    {
        Description = "Job file of the run: its graph is checked too.",
        HelpName = "FILE",
    };

    public HealthCommand()
        : base("health", "Judge a run: memory, graph, gradients, performance, with a score and advice.",
        "convoy health", "convoy health --state .convoy/chars-1 --job examples/chars.yaml",
        "convoy health --to 127.0.0.1:7070 --json")
    {
        _target.AddTo(this);
        Add(_job);
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        var graph = arguments.GetValue(_job) is { } file ? GraphHealth.Of(PreparedJob.Of(
            JobReader.ReadFile(file, [], Directory.GetCurrentDirectory())).Graph) : null;
        var report = await RunHealthAsync(arguments, context, cancel);
        if (graph is not null) report = new HealthReport([.. report.Findings, graph]);
        Print(report, context);
        return report.Verdict == "ill" ? (int)ExitCode.Failed : 0;
    }

    private async Task<HealthReport> RunHealthAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        if (_target.Folder(arguments) is { } folder && EndpointFile.TryRead(folder) is null
            && StateFolder.ReadResult(folder) is not null)
            return HealthReview.Of(status: null, MetricsFile.Stored(folder, HealthReview.RowsMax));
        using var client = _target.Connect(arguments, context);
        var status = await client.StatusAsync(cancel);
        var page = await client.StepsAsync(Math.Max(0, status.Step - HealthReview.RowsMax + 1), cancel);
        return HealthReview.Of(status, page.Rows);
    }

    private static void Print(HealthReport report, CliContext context)
    {
        foreach (var finding in report.Findings)
        {
            context.Line($"{(finding.Penalty == 0 ? "ok" : $"-{finding.Penalty}"),4}  {finding.Area,-11} {finding.Name}: {finding.Found}");
            if (finding.Penalty > 0) context.Line($"      {"",-11} {finding.Advice}");
        }

        context.Line($"{report.Verdict}, {report.Score} of 100");
        context.Result(report);
    }
}
