using System.CommandLine;
using Convoy.Cli.Terminal;

namespace Convoy.Cli.Commands;

/// <summary>MON-07: begins or ends to time the operators of a run while it trains.</summary>
internal sealed class ProfileCommand : CliCommand
{
    private readonly Argument<string> _switch = new("on|off") { Description = "Time each operator, or stop." };
    private readonly Target _target = new();

    public ProfileCommand() : base("profile", "Time the operators of a run while it trains; status shows them.",
        "convoy profile on", "convoy profile off --state .convoy/chars-1")
    {
        _switch.AcceptOnlyFromAmong("on", "off");
        Add(_switch);
        _target.AddWithJobTo(this);
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        using var client = _target.Connect(arguments, context);
        var reply = await client.ProfileAsync(arguments.GetValue(_switch) == "on", cancel);
        context.Line(reply.Text);
        context.Result(new { Accepted = reply.Text });
        return 0;
    }
}
