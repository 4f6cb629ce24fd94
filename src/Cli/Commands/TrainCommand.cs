using System.CommandLine;
using Convoy.Cli.Launch;
using Convoy.Cli.Terminal;
using Convoy.Shared;

namespace Convoy.Cli.Commands;

/// <summary>Trains here: coordinator, worker processes and progress in one command.</summary>
internal sealed class TrainCommand : CliCommand
{
    private readonly JobArguments _job = new();
    private readonly Option<int> _workers = new("--workers", "-w")
    {
        Description = "Worker processes on this machine.",
        DefaultValueFactory = _ => 2,
    };
    private readonly ThreadsOption _threads = new("the cores, divided among the workers");
    private readonly Option<long?> _steps = new("--steps")
    {
        Description = "Stop with a checkpoint after this many steps of the job's own schedule; --resume goes on.",
    };
    private readonly Option<string?> _state = new("--state")
    {
        Description = "Folder for journal, checkpoints and logs; without it .convoy/JOB-N, a new one each time.",
        HelpName = "DIR",
    };
    private readonly Option<bool> _resume = new("--resume")
    {
        Description = "Go on from the newest checkpoint of the state folder, with any number of workers.",
    };

    public TrainCommand() : base("train", "Train a job on this machine.",
        "convoy train examples/chars.yaml",
        "convoy train examples/digits-mlp.yaml --workers 4 --set optimizer.lr=0.001",
        "convoy train examples/digits-mlp.yaml --steps 300 --state run1",
        "convoy train examples/digits-mlp.yaml --resume --state run1 --workers 3 --json")
    {
        _job.AddTo(this);
        Add(_workers);
        Add(_threads);
        Add(_steps);
        Add(_state);
        Add(_resume);
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        var job = _job.Read(arguments);
        var workers = arguments.GetValue(_workers);
        var steps = arguments.GetValue(_steps);
        if (workers < 1 || workers > job.Elastic.Max)
            throw new UserException(ExitCode.Usage,
                $"--workers {workers} is not within 1 to {job.Elastic.Max} (elastic.max of the job)");
        if (steps < 1) throw new UserException(ExitCode.Usage, $"--steps {steps} is not at least 1");
        var threads = _threads.Read(arguments, Math.Max(1, Environment.ProcessorCount / workers));
        var request = new TrainRequest(
            PreparedJob.Of(BlasChoice.Decide(job, context)), workers, threads, steps, arguments.GetValue(_state),
            arguments.GetValue(_resume));
        return await new TrainRun(request, context).RunAsync();
    }
}
