using System.CommandLine;
using System.Globalization;
using Convoy.Cli.Terminal;
using Convoy.Coordinator.Api;
using Convoy.Shared;

namespace Convoy.Cli.Commands;

/// <summary>Asks the coordinator for a token with which fresh machines join.</summary>
internal sealed class TokenCreateCommand : CliCommand
{
    private readonly Target _target = new();
    private readonly Option<int> _uses = new("--uses")
    {
        Description = "Machines that the token admits.",
        DefaultValueFactory = _ => 1,
    };
    private readonly Option<string> _ttl = new("--ttl")
    {
        Description = "Time until it admits nobody, such as 90s, 30m, 1h, 2d.",
        HelpName = "TIME",
        DefaultValueFactory = _ => "1h",
    };

    public TokenCreateCommand() : base("create", "Make a token with which fresh machines join the cluster.",
        "convoy token create --to train.example.org:7070",
        "convoy token create --to 10.0.0.5:7070 --uses 8 --ttl 2d --json")
    {
        _target.AddTo(this);
        Add(_uses);
        Add(_ttl);
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        var request = new TokenRequest
        { Uses = arguments.GetValue(_uses), TtlSeconds = SecondsOf(arguments.GetValue(_ttl)!) };
        using var client = _target.Connect(arguments, context);
        var reply = await client.CreateTokenAsync(request, cancel);
        var uses = reply.Uses == 1 ? "1 use" : string.Create(CultureInfo.InvariantCulture, $"{reply.Uses} uses");
        context.Line(string.Create(CultureInfo.InvariantCulture,
            $"token {reply.Id}: {uses} until {reply.Expires.UtcDateTime:yyyy-MM-dd HH:mm} UTC; it is shown this once"));
        context.Line(reply.Token);
        context.Line($"join with: convoy worker --join {client.Address} --token {reply.Token[..9]}... --name NAME");
        context.Result(new { reply.Token, reply.Id, reply.Uses, reply.Expires });
        return 0;
    }

    private static double SecondsOf(string text)
    {
        var unit = text.Length > 1 ? text[^1] switch { 's' => 1, 'm' => 60, 'h' => 3_600, 'd' => 86_400, _ => 0 } : 0;
        if (unit != 0 && double.TryParse(text.AsSpan(0, text.Length - 1), NumberStyles.AllowDecimalPoint,
            CultureInfo.InvariantCulture, out var n))
            return n * unit;
        throw new UserException(ExitCode.Usage, $"--ttl {text} is not a time: write 90s, 30m, 1h or 2d");
    }
}
