using System.CommandLine;
using Convoy.Cli.Terminal;
using Convoy.Shared;
using Convoy.Shared.Security;

namespace Convoy.Cli.Commands;

/// <summary>
/// Replaces the authority in three steps; between them every machine renews, and nobody refuses anybody.
/// </summary>
internal sealed class CertRollCommand : CliCommand
{
    private readonly CredentialOptions _credentials = new();
    private readonly Option<bool> _begin = new("--begin")
    {
        Description = "Make a second authority, believed from now on; the first goes on signing.",
    };
    private readonly Option<bool> _switch = new("--switch")
    {
        Description = "The second authority signs; the first loses its key and is still believed.",
    };
    private readonly Option<bool> _finish = new("--finish")
    {
        Description = "The first authority is believed no more.",
    };

    public CertRollCommand() : base("roll", "Replace the cluster's authority without a stop, in three steps.",
        "convoy cert roll --begin", "convoy cert roll --switch", "convoy cert roll --finish")
    {
        Add(_credentials.Folder);
        Add(_begin);
        Add(_switch);
        Add(_finish);
    }

    protected override Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        Option<bool>[] steps = [_begin, _switch, _finish];
        if (steps.Count(arguments.GetValue) != 1)
            throw new UserException(ExitCode.Usage, "give one of --begin, --switch and --finish");
        var root = _credentials.Root(arguments);
        var now = context.Time.GetUtcNow();
        if (!root.Authority.Exists)
            throw new UserException(ExitCode.Usage,
                $"the cluster's authority is not in {root.FolderPath}: run this where convoy init was run");
        if (arguments.GetValue(_begin))
        {
            root.Authority.Begin(now);
            root.SpreadTrust();
            context.Line("two authorities are believed on this machine, the old one signs");
            context.Line(
                "next: convoy cert renew --to HOST:PORT on every other machine, then here: convoy cert roll --switch");
        }
        else if (arguments.GetValue(_switch))
        {
            root.Authority.Switch();
            root.RenewLocal(CertificateAuthority.NodeLife, now);
            context.Line(
                "the new authority signs, the old one is still believed; coordinator and operator were renewed");
            context.Line(
                "next: convoy cert renew --to HOST:PORT on every other machine, then here: convoy cert roll --finish");
        }
        else
        {
            root.Authority.Finish();
            root.SpreadTrust();
            context.Line("only the new authority is believed on this machine; others follow when they renew");
        }

        context.Result(new
        {
            Authorities = root.Authority.Trusted()
            .Select(a => Convert.ToHexStringLower(NodeCredential.PinOf(a)))
        });
        return Task.FromResult(0);
    }
}
