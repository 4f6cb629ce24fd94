using System.CommandLine;
using Convoy.Cli.Launch;
using Convoy.Cli.Terminal;
using Convoy.Coordinator.Api;

namespace Convoy.Cli.Commands;

/// <summary>Hands a job to a running coordinator and follows it to its end.</summary>
internal sealed class SubmitCommand : CliCommand
{
    private readonly JobArguments _job = new();
    private readonly CredentialOptions _credentials = new();
    private readonly Option<string> _to = new("--to")
    {
        Description = "Address of the coordinator; with commas, of those that stand by too.",
        HelpName = "HOST:PORT,...",
        Required = true,
    };
    private readonly Option<long?> _steps = new("--steps")
    {
        Description = "Stop with a checkpoint after this many steps of the job's own schedule.",
    };
    private readonly Option<bool> _resume = new("--resume")
    {
        Description = "Go on from the newest checkpoint in the coordinator's state folder.",
    };
    private readonly Option<bool> _detach = new("--detach")
    {
        Description = "Do not follow the job: return when it was accepted.",
    };

    public SubmitCommand() : base("submit", "Hand a job to a coordinator and follow it.",
        "convoy submit examples/chars.yaml --to 127.0.0.1:7070",
        "convoy submit examples/digits-mlp.yaml --to 127.0.0.1:7070 --detach --json")
    {
        _job.AddTo(this);
        Add(_to);
        _credentials.AddTo(this);
        Add(_steps);
        Add(_resume);
        Add(_detach);
    }

    protected override async Task<int> RunAsync(ParseResult arguments, CliContext context, CancellationToken cancel)
    {
        using var signals = new Signals();
        var launchedAt = context.Time.GetUtcNow();
        var prepared = PreparedJob.Of(BlasChoice.Decide(_job.Read(arguments), context));
        using var client = _credentials.Client(arguments, context, arguments.GetValue(_to)!);
        var request = prepared.Request(arguments.GetValue(_steps), arguments.GetValue(_resume), launchedAt);
        var reply = await client.SubmitAsync(request, signals.Stop);
        client.Job = reply.JobId;
        context.Line($"job {prepared.Job.Job} accepted as {reply.JobId}, from step {reply.StartStep}");
        if (arguments.GetValue(_detach))
        {
            context.Result(new { reply.JobId, reply.StartStep });
            return 0;
        }
        var view = new ProgressView(context);
        var follower = new RunFollower(client, view, context.Time);
        var status = await view.AroundAsync(() => follower.ToEndAsync(reply.StartStep, signals.Stop, signals.AtOnce));
        return RunEnd.Report(context, prepared, status, follower, signals.Stop.IsCancellationRequested, state: null);
    }
}
