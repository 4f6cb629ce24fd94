using System.CommandLine;
using System.Globalization;
using Convoy.Cli.Terminal;
using Convoy.Shared;
using Convoy.Shared.Security;

namespace Convoy.Cli.Commands;

/// <summary>Shows the certificates of a folder: whose, until when, and which authorities they believe.</summary>
internal sealed class CertShowCommand : CliCommand
{
    private readonly CredentialOptions _credentials = new();

    public CertShowCommand() : base("show", "Show certificates, when they expire, and whom they believe.",
        "convoy cert show", "convoy cert show --credentials /etc/convoy --json") => Add(_credentials.Folder);

    protected override Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        var root = _credentials.Root(arguments);
        var folders = root.Folders();
        if (folders.Count == 0)
        {
            throw new UserException(ExitCode.Usage,
                $"there is no credential in {root.FolderPath}: make one with convoy init, or name another folder");
        }

        var now = context.Time.GetUtcNow();
        var shown = folders.Select(folder => (Folder: folder, Credential: CredentialFolder.Load(folder))).ToList();
        foreach (var (folder, credential) in shown)
        {
            context.Line($"{credential.Identity}: {Until(credential.Expires, now)}, serial {credential.Certificate.SerialNumber}, in {folder}");
            foreach (var authority in credential.Trusted)
            {
                var pin = Convert.ToHexStringLower(NodeCredential.PinOf(authority))[..16];
                context.Line($"  believes {authority.GetNameInfo(default, forIssuer: false)}: {Until(authority.NotAfter, now)}, {pin}");
            }
        }

        if (root.Authority.Exists)
            context.Line($"the authority is here: {root.Authority.FolderPath}{Phase(root.Authority)}");
        context.Result(new
        {
            Certificates = shown.Select(s => new
            {
                s.Folder, Role = NodeIdentity.Word(s.Credential.Identity.Role), s.Credential.Identity.Name,
                s.Credential.Expires,
                Serial = s.Credential.Certificate.SerialNumber,
                Authorities = s.Credential.Trusted.Select(a => Convert.ToHexStringLower(NodeCredential.PinOf(a))),
            }),
        });
        return Task.FromResult(0);
    }

    private static string Phase(AuthorityFolder authority) =>
        authority.HasNext ? "; a new one is believed but does not sign yet"
        : authority.HasPrevious ? "; the one before it is still believed" : "";

    private static string Until(DateTimeOffset expires, DateTimeOffset now) =>
        string.Create(CultureInfo.InvariantCulture,
        $"{(expires < now ? "EXPIRED on" : "counts until")} {expires.UtcDateTime:yyyy-MM-dd} ({Math.Abs((expires - now).TotalDays):0} days)");
}
