using System.CommandLine;
using Convoy.Cli.Launch;
using Convoy.Cli.Terminal;
using Convoy.Coordinator.Api;
using Convoy.Coordinator.Hosting;
using Convoy.Shared;
using Convoy.Shared.Diagnostics;

namespace Convoy.Cli.Commands;

/// <summary>A coordinator of its own: waits for workers and jobs until it is told to end.</summary>
internal sealed class CoordinatorCommand : CliCommand
{
    private readonly Option<string> _listen = new("--listen")
    {
        Description = "Address to listen on, loopback only; port 0 takes a free one.",
        HelpName = "HOST:PORT",
        DefaultValueFactory = _ => "127.0.0.1:7070",
    };
    private readonly Option<string> _state = new("--state")
    {
        Description = "Folder for journal, checkpoints and logs.",
        HelpName = "DIR",
        DefaultValueFactory = _ => Path.Combine(StateFolder.DefaultRoot, "coordinator"),
    };
    private readonly Option<int> _workers = new("--workers")
    {
        Description = "Start a job when this many workers are ready; 0: elastic.min of the job.",
        DefaultValueFactory = _ => 0,
    };

    public CoordinatorCommand() : base("coordinator", "Run a coordinator that waits for workers and jobs.",
        "convoy coordinator", "convoy coordinator --listen 127.0.0.1:7070 --state run2 --workers 2")
    {
        Add(_listen);
        Add(_state);
        Add(_workers);
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        using var signals = new Signals();
        var state = Path.GetFullPath(arguments.GetValue(_state)!);
        using var log = new RollingFileLog(Path.Combine(state, "logs", "coordinator.log"), context.Time);
        await using var host = await CoordinatorHost.StartAsync(new CoordinatorOptions
        {
            Listen = arguments.GetValue(_listen)!,
            StateDirectory = state,
            WorkersExpected = arguments.GetValue(_workers),
            Time = context.Time,
            Log = log,
        });
        context.Line($"coordinator listens on {host.Address}, state in {state}");
        context.Line($"join with: convoy worker --join {host.Address}");
        var stopped = Task.Delay(Timeout.InfiniteTimeSpan, context.Time, signals.Stop);
        if (await Task.WhenAny(stopped, host.WhenFailed) != stopped)
            throw new UserException(ExitCode.Failed, $"the coordinator cannot go on: {(await host.WhenFailed).Message}");
        await SaveRunningJobAsync(host.Address, context, signals.AtOnce);
        context.Line("coordinator ends");
        context.Result(new { host.Address, State = state });
        return 0;
    }

    // The first signal saves what runs; the second ends at once, and --resume goes on from the last checkpoint.
    private static async Task SaveRunningJobAsync(string address, CliContext context, CancellationToken atOnce)
    {
        using var client = new ConvoyClient(address);
        var status = await client.StatusAsync(atOnce);
        if (status.Job is null || status.Outcome is not null) return;
        context.Line($"saving job {status.Job} (again: end at once)");
        var follower = new RunFollower(client, new ProgressView(context), context.Time);
        using var asked = new CancellationTokenSource();
        await asked.CancelAsync();
        try
        {
            await follower.ToEndAsync(status.Step, asked.Token, atOnce);
        }
        catch (OperationCanceledException) when (atOnce.IsCancellationRequested)
        {
            context.Line("not saved: ended at once");
        }
    }
}
