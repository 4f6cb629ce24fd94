using System.CommandLine;
using Convoy.Cli.Launch;
using Convoy.Cli.Terminal;
using Convoy.Worker.Hosting;

namespace Convoy.Cli.Commands;

/// <summary>A worker process: joins a coordinator and computes what it is dealt.</summary>
internal sealed class WorkerCommand : CliCommand
{
    private readonly Option<string> _join = new("--join")
    {
        Description = "Address of the coordinator.",
        HelpName = "HOST:PORT",
        Required = true,
    };
    private readonly Option<string> _name = new("--name")
    {
        Description = "Stable name; a restarted worker takes its place again under the same name.",
        DefaultValueFactory = _ => $"{Environment.MachineName}-{Environment.ProcessId}",
    };
    private readonly Option<string> _listen = new("--listen")
    {
        Description = "Where other workers reach this one, loopback only; port 0 takes a free one.",
        HelpName = "HOST:PORT",
        DefaultValueFactory = _ => "127.0.0.1:0",
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
        "convoy worker --join 127.0.0.1:7070", "convoy worker --join 127.0.0.1:7070 --name w0 --logs run2/logs")
    {
        Add(_join);
        Add(_name);
        Add(_listen);
        Add(_threads);
        Add(_logs);
        Add(_grace);
        Add(_endWithParent);
    }

    protected override Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel) =>
        WorkerHost.RunAsync(new WorkerOptions
        {
            Join = arguments.GetValue(_join)!,
            Name = arguments.GetValue(_name)!,
            Listen = arguments.GetValue(_listen)!,
            Threads = _threads.Read(arguments, 1),
            LogDirectory = arguments.GetValue(_logs),
            EndWithParent = arguments.GetValue(_endWithParent),
            // Ctrl-C reaches every process of the terminal; the launcher decides what it means.
            IgnoreInterrupt = arguments.GetValue(_endWithParent),
            Grace = TimeSpan.FromSeconds(arguments.GetValue(_grace)),
            TimeProvider = context.Time,
        }, cancel);
}
