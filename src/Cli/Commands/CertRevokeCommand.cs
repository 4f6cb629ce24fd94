using System.CommandLine;
using Convoy.Cli.Terminal;
using Convoy.Shared;
using Convoy.Shared.Security;

namespace Convoy.Cli.Commands;

/// <summary>
/// Takes a node's certificates back before their time. The coordinator of this machine spreads the list.
/// </summary>
internal sealed class CertRevokeCommand : CliCommand
{
    private readonly CredentialOptions _credentials = new();
    private readonly Argument<string> _node = new("node") { Description = "Name of the node, as in its certificate." };
    private readonly Option<string> _role = new("--role")
    {
        Description = "Its role: worker, operator or coordinator.",
        DefaultValueFactory = _ => NodeIdentity.Word(ClusterRole.Worker),
    };

    public CertRevokeCommand()
        : base("revoke", "Take back the certificates of a node; it can join again with a new token.",
        "convoy cert revoke w7", "convoy cert revoke ann --role operator")
    {
        Add(_node);
        Add(_role);
        Add(_credentials.Folder);
    }

    protected override Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        var root = _credentials.Root(arguments);
        if (!root.Authority.Exists)
            throw new UserException(ExitCode.Usage,
                $"the cluster's authority is not in {root.FolderPath}: run this where convoy init was run");
        var (name, word) = (arguments.GetValue(_node)!, arguments.GetValue(_role)!);
        if (NodeIdentity.NameFault(name) is { } fault) throw new UserException(ExitCode.Usage, $"'{name}': {fault}");
        var roles = Enum.GetValues<ClusterRole>().Where(r => NodeIdentity.Word(r) == word).ToList();
        if (roles.Count == 0)
            throw new UserException(ExitCode.Usage, $"--role {word}: it is worker, operator or coordinator");
        var list = root.Authority.Revoke(new NodeIdentity(roles[0], name), context.Time.GetUtcNow());
        root.SpreadTrust();
        context.Line($"every certificate of {word} {name} that was issued until now is revoked (list {list.Number})");
        context.Line("the coordinator on this machine takes the list up within a second and gives it to its workers");
        context.Result(new { list.Number, Revoked = list.Nodes.Select(n => n.ToString()) });
        return Task.FromResult(0);
    }
}
