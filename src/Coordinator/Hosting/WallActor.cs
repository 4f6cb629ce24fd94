using Convoy.Actors;
using Convoy.Coordinator.Api;
using Convoy.Coordinator.Jobs;
using Convoy.Coordinator.Membership;
using Convoy.Shared;
using Convoy.Shared.Diagnostics;

namespace Convoy.Coordinator.Hosting;

/// <summary>What the supervisor of one job needs.</summary>
/// <param name="Job">Makes the job's actor.</param>
/// <param name="Board">Shows the end of a job whose actor is gone.</param>
/// <param name="Log">Where failures are written.</param>
/// <param name="Over">Told once when the job ended this way.</param>
internal sealed record WallShell(Props Job, StatusBoard Board, ILogSink Log, Action<StatusReport> Over);

/// <summary>
/// Supervisor of one job's actor: the actor goes on after a failure, a few times; then it is stopped and its job has
/// failed. Nothing of it reaches membership, checkpoints or another job (protocols 1.6).
/// </summary>
internal sealed class WallActor : ReceiveActor
{
    private const string Source = "wall";
    private readonly WallShell _shell;
    private IActorRef _job = ActorRefs.Nobody;
    private IActorRef _membership = ActorRefs.Nobody;
    private Exception? _cause;
    private int _failures;

    public WallActor(WallShell shell)
    {
        _shell = shell;
        Receive<MembershipIs>(m =>
        {
            _membership = m.Membership;
            _job.Forward(m);
        });
        Receive<Terminated>(_ => OnJobGone());
        ReceiveAny(OnForJob);
    }

    protected override void PreStart()
    {
        _job = Context.ActorOf(_shell.Job, "job");
        Context.Watch(_job);
    }

    protected override SupervisorStrategy SupervisorStrategy() => new OneForOneStrategy(cause =>
    {
        _cause = cause;
        var goesOn = ++_failures <= JobWall.FailuresMax;
        _shell.Log.Write(LogLevel.Error, Source, $"the job's actor failed for the {_failures}. time: {cause.Message}"
            + (goesOn ? "" : "; it is stopped"), cause);
        return goesOn ? Directive.Resume : Directive.Stop;
    });

    private void OnForJob(object message)
    {
        if (_job == ActorRefs.Nobody && message is TakeJob or TakeStop or TakeScale or TakeProfile)
            Sender.Tell(new Status.Failure(new UserException(ExitCode.Cluster, Text)));
        else _job.Forward(message);
    }

    private void OnJobGone()
    {
        if (_job == ActorRefs.Nobody) return;
        _job = ActorRefs.Nobody;
        _membership.Tell(new JobEnded((int)ExitCode.JobFailed, Text));
        var report = _shell.Board.Read() with
        {
            State = "failed",
            Outcome = JobProtocol.OutcomeFailed,
            RootCause = new RootCause { Text = Text, Detail = $"{_cause}", ExitCode = (int)ExitCode.Failed },
        };
        _shell.Board.PutJob(report);
        _shell.Over(report);
    }

    private string Text =>
        $"the actor of this job failed {_failures} times and was stopped: {_cause?.Message ?? "it ended by itself"}";
}
