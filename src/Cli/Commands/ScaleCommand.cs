using System.CommandLine;
using Convoy.Cli.Terminal;
using Convoy.Shared;

namespace Convoy.Cli.Commands;

/// <summary>Changes the number of workers of a run while it runs.</summary>
internal sealed class ScaleCommand : CliCommand
{
    private readonly Argument<int> _workers = new("N") { Description = "Workers wanted, within elastic min and max." };
    private readonly Target _target = new();

    public ScaleCommand() : base("scale", "Change the number of workers of a run.",
        "convoy scale 4", "convoy scale 1 --state .convoy/chars-1")
    {
        Add(_workers);
        _target.AddWithJobTo(this);
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        var workers = arguments.GetValue(_workers);
        if (workers < 1) throw new UserException(ExitCode.Usage, $"N {workers} is not at least 1");
        using var client = _target.Connect(arguments, context);
        var reply = await client.ScaleAsync(workers, cancel);
        context.Line(reply.Text);
        context.Result(new { Accepted = reply.Text });
        return 0;
    }
}
