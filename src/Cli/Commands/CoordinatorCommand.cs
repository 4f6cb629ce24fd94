using System.CommandLine;
using Convoy.Cli.Launch;
using Convoy.Cli.Terminal;
using Convoy.Coordinator.Api;
using Convoy.Coordinator.Hosting;
using Convoy.Coordinator.Security;
using Convoy.Shared;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Security;

namespace Convoy.Cli.Commands;

/// <summary>A coordinator of its own: waits for workers and jobs until it is told to end.</summary>
internal sealed class CoordinatorCommand : CliCommand
{
    private readonly Option<string> _listen = new("--listen")
    {
        Description =
            "Address to listen on; port 0 takes a free one. Other addresses than loopback need credentials (convoy init).",
        HelpName = "HOST:PORT",
        DefaultValueFactory = _ => "127.0.0.1:7070",
    };
    private readonly Option<string> _state = new("--state")
    {
        Description = "Folder for journal, checkpoints and logs.",
        HelpName = "DIR",
        DefaultValueFactory = _ => Path.Combine(StateFolder.DefaultRoot, "coordinator"),
    };
    private readonly AdvertiseOption _advertise = new();
    private readonly CredentialOptions _credentials = new();
    private readonly Option<int> _workers = new("--workers")
    {
        Description = "Start a job when this many workers are ready; 0: elastic.min of the job.",
        DefaultValueFactory = _ => 0,
    };

    private readonly Option<bool> _standby = new("--standby")
    {
        Description = "While another coordinator leads on the state folder, stand by; when it is gone, go on with its jobs.",
    };

    public CoordinatorCommand() : base("coordinator", "Run a coordinator that waits for workers and jobs.",
        "convoy coordinator", "convoy coordinator --listen 127.0.0.1:7070 --state run2 --workers 2",
        "convoy coordinator --standby --listen 127.0.0.1:7071 --state run2")
    {
        Add(_listen);
        Add(_advertise);
        Add(_state);
        Add(_workers);
        Add(_standby);
        _credentials.AddTo(this);
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        using var signals = new Signals();
        RefuseWithoutCredentials(arguments); // before a file is made
        var state = Path.GetFullPath(arguments.GetValue(_state)!);
        // Two coordinators on one folder must not write into one file.
        var name = arguments.GetValue(_standby) ? $"coordinator-{Environment.ProcessId}.log" : "coordinator.log";
        using var log = new RollingFileLog(Path.Combine(state, "logs", name), context.Time);
        var security = SecurityOf(arguments, context, log);
        await using var host = await CoordinatorHost.StartAsync(new CoordinatorOptions
        {
            Listen = arguments.GetValue(_listen)!,
            Advertise = arguments.GetValue(_advertise),
            StateDirectory = state,
            WorkersExpected = arguments.GetValue(_workers),
            Standby = arguments.GetValue(_standby),
            Security = security,
            Time = context.Time,
            Log = log,
        });
        using var ending = new CancellationTokenSource();
        RenewInTime(security, context, log, ending.Token);
        context.Line($"coordinator listens on {host.Address}, state in {state}");
        if (host.Status.Membership == StatusReport.StandbyState)
            context.Line($"stands by: {string.Join("; ", host.Status.Reasons)}");
        context.Line($"join with: convoy worker --join {host.Advertised}{(security is null ? "" : " --token TOKEN (convoy token create)")}");
        var stopped = Task.Delay(Timeout.InfiniteTimeSpan, context.Time, signals.Stop);
        if (await Task.WhenAny(stopped, host.WhenFailed) != stopped)
        {
            var cause = await host.WhenFailed;
            throw cause as UserException
                ?? new UserException(ExitCode.Failed, $"the coordinator cannot go on: {cause.Message}");
        }

        await ending.CancelAsync();
        return await EndAsync(host, signals, state, context);
    }

    // Only the machine that has the authority can sign for itself; elsewhere a person brings new files in time.
    private static void RenewInTime(ServerSecurity? security, CliContext context, RollingFileLog log,
        CancellationToken cancel)
    {
        if (security is not { Authority: { Exists: true } authority, Credentials.Folder: { } folder }) return;
        var root = new CredentialRoot(Path.GetDirectoryName(authority.FolderPath)!);
        _ = AutoRenewal.RunAsync(folder, _ =>
        {
            var old = CredentialFolder.Load(folder);
            root.RenewLocal(old.Expires - old.Issued, context.Time.GetUtcNow());
            return Task.CompletedTask;
        }, context.Time, (level, line) => log.Write(level, "credentials", line), cancel);
    }

    private void RefuseWithoutCredentials(ParseResult arguments)
    {
        if (!_credentials.IsSecure(arguments, arguments.GetValue(_listen)!)) return;
        var root = _credentials.Root(arguments);
        if (CredentialFolder.Exists(root.FolderOf(ClusterRole.Coordinator))) return;
        throw new UserException(ExitCode.Cluster,
            $"listen on {arguments.GetValue(_listen)}: needs cluster credentials, and there are none in {root.FolderPath}; "
            + "make them with convoy init, or name their folder with --credentials");
    }

    private ServerSecurity? SecurityOf(ParseResult arguments, CliContext context, ILogSink log)
    {
        if (!_credentials.IsSecure(arguments, arguments.GetValue(_listen)!)) return null;
        var root = _credentials.Root(arguments);
        return new ServerSecurity
        {
            Credentials = CredentialOptions.Announced(new CredentialSource(
                root.FolderOf(ClusterRole.Coordinator), ClusterRole.Coordinator, context.Time,
                note => log.Write(LogLevel.Info, "credentials", note)), context),
            Authority = root.Authority,
        };
    }

    // A standby goes on with what runs. Without one the first signal saves it; the second ends at once, and whoever
    // leads next goes on with what was left.
    private static async Task<int> EndAsync(CoordinatorHost host, Signals signals, string state, CliContext context)
    {
        if (host.Heir is { } heir) return await HandOverAsync(host, heir, state, context);
        var runs = host.Status is { Job: not null, Outcome: null };
        if (runs) context.Line($"saving job {host.Status.Job} (again: end at once)");
        using var atOnce = signals.AtOnce.Register(() => _ = host.StopAsync("a second signal"));
        await host.ShutDownAsync("asked to end");
        var saved = host.Status.Outcome is not null;
        if (runs)
            context.Line(saved ? $"job {host.Status.Job}: {host.Status.Outcome} at step {host.Status.Step}"
                : "not saved: ended at once");
        context.Line("coordinator ends");
        context.Result(new { host.Address, State = state });
        return (int)(runs && !saved ? ExitCode.GraceExpired : ExitCode.Finished);
    }

    private static async Task<int> HandOverAsync(
        CoordinatorHost host, EndpointFile heir, string state, CliContext context)
    {
        context.Line($"hands over to the standby at {heir.Address}");
        await host.ShutDownAsync("asked to end");
        if (!await CoordinatorHost.IsLedByAnotherAsync(state, context.Time))
        {
            throw new UserException(ExitCode.Cluster,
                $"the standby at {heir.Address} (pid {heir.Pid}) does not lead yet: its jobs wait until a coordinator "
                + $"leads on {state}");
        }

        context.Line("coordinator ends");
        context.Result(new { host.Address, State = state });
        return (int)ExitCode.Finished;
    }
}
