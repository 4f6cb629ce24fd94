using System.CommandLine;
using Convoy.Cli.Launch;
using Convoy.Cli.Terminal;
using Convoy.Shared;
using Convoy.Shared.Security;

namespace Convoy.Cli.Commands;

/// <summary>
/// New certificates with new keys, while the old ones still count. Running processes take them up by themselves.
/// </summary>
internal sealed class CertRenewCommand : CliCommand
{
    private readonly CredentialOptions _credentials = new();
    private readonly Option<int> _days = InitCommand.DaysOption();
    private readonly Option<string?> _to = new("--to")
    {
        Description = "Address of the coordinator that signs; not needed where convoy init was run.",
        HelpName = "HOST:PORT",
    };

    public CertRenewCommand()
        : base("renew", "Renew the certificates of this machine; running processes use them for new connections.",
        "convoy cert renew", "convoy cert renew --to train.example.org:7070")
    {
        Add(_credentials.Folder);
        Add(_to);
        Add(_days);
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        var root = _credentials.Root(arguments);
        var to = arguments.GetValue(_to);
        if (root.Authority.Exists && to is null)
            root.RenewLocal(InitCommand.Life(arguments.GetValue(_days)), context.Time.GetUtcNow());
        else if (to is null)
        {
            throw new UserException(ExitCode.Usage,
                $"the authority is not in {root.FolderPath}: give --to HOST:PORT of the coordinator, which signs");
        }
        else
        {
            foreach (var folder in root.Folders()) await Enrolment.RenewAsync(to, folder, context.Time, cancel);
        }

        var renewed = root.Folders().Select(folder => (Folder: folder, CredentialFolder.Load(folder).Expires)).ToList();
        if (renewed.Count == 0)
            throw new UserException(ExitCode.Usage, $"there is no credential in {root.FolderPath}: nothing to renew");
        foreach (var (folder, expires) in renewed) context.Line(
            $"{folder}: counts until {expires.UtcDateTime:yyyy-MM-dd}");
        context.Result(new { Renewed = renewed.Select(r => new { r.Folder, r.Expires }) });
        return 0;
    }
}
