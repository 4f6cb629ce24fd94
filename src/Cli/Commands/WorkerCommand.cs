using System.CommandLine;
using System.Net;
using Convoy.Actors.Remoting;
using Convoy.Cli.Launch;
using Convoy.Cli.Terminal;
using Convoy.Shared;
using Convoy.Shared.Security;
using Convoy.Worker.Hosting;

namespace Convoy.Cli.Commands;

/// <summary>A worker process: joins a coordinator and computes what it is dealt.</summary>
internal sealed class WorkerCommand : CliCommand
{
    private const string TokenVariable = "CONVOY_TOKEN";

    private readonly Option<string> _join = new("--join")
    {
        Description = "Address of the coordinator; several with commas are tried, the nearest first.",
        HelpName = "HOST:PORT,...",
        Required = true,
    };
    private readonly Option<string?> _name = new("--name")
    {
        Description =
            "Stable name; a restarted worker takes its place again under the same name. With credentials: the name in its certificate.",
    };
    private readonly Option<string?> _listen = new("--listen")
    {
        Description =
            "Where other workers reach this one; port 0 takes a free one. Without it: loopback, or the address that the coordinator sees.",
        HelpName = "HOST:PORT",
    };
    private readonly AdvertiseOption _advertise = new();
    private readonly CredentialOptions _credentials = new();
    private readonly Option<string?> _token = new("--token")
    {
        Description =
            $"Token of convoy token create: this machine gets its certificate with it, once. Also ${TokenVariable}.",
        HelpName = "TOKEN",
    };
    private readonly ThreadsOption _threads = new("1");
    private readonly Option<string?> _logs = new("--logs")
    {
        Description = "Folder for a log file; without it the log goes to standard error.",
        HelpName = "DIR",
    };
    private readonly Option<int> _grace = new("--grace")
    {
        Description = "Seconds to hand over or save in after SIGTERM.",
        DefaultValueFactory = _ => 30,
    };
    private readonly Option<bool> _endWithParent = new("--end-with-parent")
    {
        Description = "End at once when standard input closes; the local launcher uses it.",
    };

    public WorkerCommand() : base("worker", "Run a worker that joins a coordinator.",
        "convoy worker --join 127.0.0.1:7070", "convoy worker --join 127.0.0.1:7070 --name w0 --logs run2/logs",
        "convoy worker --join train.example.org:7070 --name w0 --token cvy1_AbC",
        "convoy worker --join train.example.org:7070")
    {
        Add(_join);
        Add(_name);
        Add(_listen);
        Add(_advertise);
        Add(_threads);
        Add(_logs);
        Add(_grace);
        Add(_endWithParent);
        _credentials.AddTo(this);
        Add(_token);
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        var join = arguments.GetValue(_join)!;
        var credentials = _credentials.IsSecure(arguments, join)
            ? await CredentialsAsync(arguments, context, cancel) : null;
        var isLoopback = Endpoints.IsLoopback(join);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        if (credentials?.Folder is { } folder)
        {
            _ = AutoRenewal.RunAsync(folder,
                stop => Enrolment.RenewByAnyAsync(join, folder, context.Time, stop), context.Time,
                (_, line) => context.Line(line), ending.Token);
        }

        var code = await WorkerHost.RunAsync(new WorkerOptions
        {
            Join = join,
            Name = credentials?.Identity.Name ?? arguments.GetValue(_name)
                ?? $"{Environment.MachineName}-{Environment.ProcessId}",
            Listen = arguments.GetValue(_listen)
                ?? new IPEndPoint(isLoopback ? IPAddress.Loopback : Enrolment.AddressTowards(Endpoints.First(join)), 0)
                    .ToString(),
            Advertise = arguments.GetValue(_advertise),
            Credentials = credentials,
            Threads = _threads.Read(arguments, 1),
            LogDirectory = arguments.GetValue(_logs),
            EndWithParent = arguments.GetValue(_endWithParent),
            // Ctrl-C reaches every process of the terminal; the launcher decides what it means.
            IgnoreInterrupt = arguments.GetValue(_endWithParent),
            Grace = TimeSpan.FromSeconds(arguments.GetValue(_grace)),
            TimeProvider = context.Time,
        }, cancel);
        await ending.CancelAsync();
        return code;
    }

    /// <summary>The certificate that is there, or one for the token.</summary>
    private async Task<CredentialSource> CredentialsAsync(ParseResult arguments, CliContext context,
        CancellationToken cancel)
    {
        var (root, name) = (_credentials.Root(arguments), arguments.GetValue(_name));
        var folder = root.FolderOfWorker(name);
        if (!CredentialFolder.Exists(folder))
        {
            var text = arguments.GetValue(_token) ?? Environment.GetEnvironmentVariable(TokenVariable)
                ?? throw new UserException(ExitCode.Cluster,
                    $"{arguments.GetValue(_join)} needs a certificate, and there is none in {folder}: "
                    + "join with --token TOKEN (convoy token create makes one), or name its folder with --credentials");
            if (!JoinToken.TryParse(text, out var token))
                throw new UserException(ExitCode.Usage,
                    "--token is not a join token, or was cut or mistyped: copy all of what convoy token create printed");
            name ??= Environment.MachineName;
            if (NodeIdentity.NameFault(name) is { } fault)
                throw new UserException(ExitCode.Usage, $"--name {name}: {fault}");
            await Enrolment.JoinAsync(Endpoints.First(arguments.GetValue(_join)!), token, name, folder,
                context.Time, cancel);
            context.Line($"this machine has its certificate in {folder}");
        }

        var source = CredentialOptions.Announced(new CredentialSource(folder, ClusterRole.Worker, context.Time,
            context.Line), context);
        if (name is not null && source.Identity.Name != name)
            throw new UserException(ExitCode.Usage,
                $"--name {name}: the certificate in {folder} is of {source.Identity}");
        return source;
    }
}
