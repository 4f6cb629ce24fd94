using System.CommandLine;
using Convoy.Cli.Terminal;
using Convoy.Shared;
using Convoy.Shared.Security;

namespace Convoy.Cli.Commands;

/// <summary>Makes a cluster's authority, the coordinator's certificate and an operator's certificate.</summary>
internal sealed class InitCommand : CliCommand
{
    private readonly CredentialOptions _credentials = new();
    private readonly Option<string[]> _host = new("--host")
    {
        Description =
            "Address or DNS name of the coordinator for its certificate, so that browsers believe it; repeatable.",
        HelpName = "HOST",
        DefaultValueFactory = _ => [],
    };
    private readonly Option<string> _operator = new("--operator")
    {
        Description = "Name in the operator's certificate.",
        HelpName = "NAME",
        DefaultValueFactory = _ => NodeIdentity.Word(ClusterRole.Operator),
    };
    private readonly Option<int> _days = DaysOption();

    public InitCommand() : base("init", "Make the credentials of a new cluster: once, on the coordinator's machine.",
        "convoy init", "convoy init --credentials /etc/convoy --host train.example.org")
    {
        Add(_credentials.Folder);
        Add(_host);
        Add(_operator);
        Add(_days);
    }

    /// <summary>How long a certificate counts.</summary>
    public static Option<int> DaysOption() => new("--days")
    {
        Description = "Days that the certificates count.",
        DefaultValueFactory = _ => (int)CertificateAuthority.NodeLife.TotalDays,
    };

    public static TimeSpan Life(int days) => days is >= 1 and <= 3_650 ? TimeSpan.FromDays(days)
        : throw new UserException(ExitCode.Usage, $"--days {days} is not within 1 to 3650");

    protected override Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        var root = _credentials.Root(arguments);
        var person = arguments.GetValue(_operator)!;
        if (NodeIdentity.NameFault(person) is { } fault)
            throw new UserException(ExitCode.Usage, $"--operator {person}: {fault}");
        var life = Life(arguments.GetValue(_days));
        root.Init(CredentialRoot.HostsOf(arguments.GetValue(_host)!), person, life, context.Time.GetUtcNow());
        var (leader, human) = (root.FolderOf(ClusterRole.Coordinator), root.FolderOf(ClusterRole.Operator));
        context.Line($"a new cluster has its credentials in {root.FolderPath}:");
        context.Line($"  {root.Authority.FolderPath,-40} the authority: stays on this machine, and in a backup that nobody else reads");
        context.Line($"  {leader,-40} the coordinator's certificate: stays here");
        context.Line($"  {human,-40} operator {person}: copy this folder to the machine that you submit from");
        context.Line("next:");
        context.Line($"  here:          convoy coordinator --listen 0.0.0.0:7070 --credentials {root.FolderPath}");
        context.Line(
            $"  here:          convoy token create --to 127.0.0.1:7070 --tls --uses 8 --credentials {root.FolderPath}");
        context.Line("  on each other: convoy worker --join HOST:7070 --token TOKEN --name NAME");
        context.Result(new
        {
            Credentials = root.FolderPath, Authority = root.Authority.FolderPath, Coordinator = leader,
            Operator = human
        });
        return Task.FromResult(0);
    }
}
