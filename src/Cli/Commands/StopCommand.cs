using System.CommandLine;
using Convoy.Cli.Terminal;
using Convoy.Coordinator.Api;

namespace Convoy.Cli.Commands;

/// <summary>Asks a run to save a checkpoint and end.</summary>
internal sealed class StopCommand : CliCommand
{
    private readonly Target _target = new();

    public StopCommand() : base("stop", "Save a checkpoint and end a run.",
        "convoy stop", "convoy stop --state .convoy/chars-1", "convoy stop --to 127.0.0.1:7070") =>
        _target.AddWithJobTo(this);

    protected override async Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        using var client = _target.Connect(arguments, context);
        var reply = await client.StopAsync(new StopRequest(), cancel);
        context.Line(reply.Text);
        context.Result(new { Accepted = reply.Text });
        return 0;
    }
}
