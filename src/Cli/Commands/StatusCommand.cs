using System.CommandLine;
using Convoy.Cli.Launch;
using Convoy.Cli.Terminal;
using Convoy.Coordinator.Api;

namespace Convoy.Cli.Commands;

/// <summary>Shows a run: progress, workers with their slices, why there is no progress.</summary>
internal sealed class StatusCommand : CliCommand
{
    private readonly Target _target = new();

    public StatusCommand() : base("status", "Show a run: progress, workers, reasons.",
        "convoy status", "convoy status --state .convoy/chars-1", "convoy status --to 127.0.0.1:7070 --json") =>
        _target.AddWithJobTo(this);

    protected override async Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        if (_target.Folder(arguments) is { } folder && EndpointFile.TryRead(folder) is null
            && StateFolder.ReadResult(folder) is { } ended)
        {
            // The run is over: its last word is what there is to show.
            context.Line($"ended: {ended}");
            if (context.Json) context.Streams.Out.WriteLine(ended);
            return 0;
        }
        using var client = _target.Connect(arguments, context);
        var status = await client.StatusAsync(cancel);
        foreach (var line in StatusText.Lines(status)) context.Line(line);
        if (context.Json) context.Streams.Out.WriteLine(StatusText.Json(status));
        return 0;
    }
}
