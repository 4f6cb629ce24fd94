using System.CommandLine;
using System.Globalization;
using Convoy.Actors.Remoting;
using Convoy.Cli.Terminal;
using Convoy.Coordinator.Api;
using Convoy.Shared.Security;

namespace Convoy.Cli.Commands;

/// <summary>
/// Which credential a command uses, and whether it needs one: loopback is plain unless <c>--tls</c> is given, every
/// other address has TLS.
/// </summary>
internal sealed class CredentialOptions
{
    public const string FolderVariable = "CONVOY_CREDENTIALS";
    private static readonly TimeSpan ExpiresSoon = TimeSpan.FromDays(30);

    public readonly Option<string?> Folder = new("--credentials", "--dir")
    {
        Description =
            $"Folder of credentials; without it ${FolderVariable}, or .convoy/credentials in the home folder.",
        HelpName = "DIR",
    };
    public readonly Option<bool> Tls = new("--tls")
    {
        Description = "Use TLS and certificates on a loopback address too; every other address has them anyway.",
    };

    public void AddTo(Command command)
    {
        command.Add(Folder);
        command.Add(Tls);
    }

    public CredentialRoot Root(ParseResult arguments) => Root(arguments.GetValue(Folder));

    public static CredentialRoot Root(string? given) => new(given
        ?? Environment.GetEnvironmentVariable(FolderVariable)
        ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".convoy", "credentials"));

    public bool IsSecure(ParseResult arguments, string address) =>
        arguments.GetValue(Tls) || !Endpoints.IsLoopback(address);

    /// <summary>A client of the coordinator at the address, as an operator where TLS is needed.</summary>
    public ConvoyClient Client(ParseResult arguments, CliContext context, string address) =>
        IsSecure(arguments, address) ? new ConvoyClient(address, Operator(arguments, context))
            : new ConvoyClient(address);

    /// <summary>A client of the coordinator of a state folder, which says whether it speaks TLS.</summary>
    public ConvoyClient ClientOfState(ParseResult arguments, CliContext context, string folder)
    {
        var standbys = EndpointFile.Standbys(folder);
        var endpoint = EndpointFile.TryRead(folder) ?? standbys.FirstOrDefault() ?? EndpointFile.Read(folder);
        // Whoever stands by may lead by the time that the command arrives.
        var address = string.Join(',', standbys.Select(s => s.Address).Prepend(endpoint.Address).Distinct());
        return endpoint.Tls ? new ConvoyClient(address, Operator(arguments, context)) : new ConvoyClient(address);
    }

    /// <summary>A certificate that will expire soon is worth a line while there is time.</summary>
    public static CredentialSource Announced(CredentialSource source, CliContext context)
    {
        var left = source.Current.Expires - context.Time.GetUtcNow();
        if (left < ExpiresSoon)
            context.Line(string.Create(CultureInfo.InvariantCulture,
                $"the certificate of {source.Identity} expires in {left.TotalDays:0} days: renew it with convoy cert renew"));
        return source;
    }

    private CredentialSource Operator(ParseResult arguments, CliContext context) =>
        Announced(new CredentialSource(Root(arguments).FolderOf(ClusterRole.Operator), ClusterRole.Operator,
            context.Time), context);
}
