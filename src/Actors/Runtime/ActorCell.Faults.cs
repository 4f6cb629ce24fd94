using Convoy.Shared.Diagnostics;

namespace Convoy.Actors.Runtime;

/// <summary>Failure of this actor, and this actor's decisions about its failed children.</summary>
internal sealed partial class ActorCell
{
    private void OnFailure(Exception cause, object message)
    {
        Log(LogLevel.Error, $"{Props.Type.Name} failed on {NameOf(message)}: {cause.Message}", cause);
        _failedOn = message is SystemMessage ? null : message;
        Fail(cause, null);
    }

    /// <summary>Suspends this actor and its children and asks the parent.</summary>
    /// <param name="cause">What went wrong.</param>
    /// <param name="alreadySuspended">The child that the failure came from, if it came from one.</param>
    private void Fail(Exception cause, LocalActorRef? alreadySuspended)
    {
        if (_terminating) return;
        _failed = true;
        // An instance that failed during its restart is suspended already; once more would never be undone.
        if (_actor is not null || !Mailbox.IsSuspended)
        {
            Mailbox.Suspend();
            foreach (var child in ChildRefs())
                if (child != alreadySuspended) child.SendSystem(new SuspendMessage());
        }

        _parent.SendSystem(new FailedMessage(_self, cause));
    }

    private void OnFailed(FailedMessage m)
    {
        if (_terminating || StatsOf(m.Child) is not { Stopping: false } stats) return;
        Directive directive;
        var strategy = Strategy;
        try
        {
            directive = strategy.Decide(m.Cause);
        }
        catch (Exception inDecider)
        {
            Log(LogLevel.Error, $"the decider for {m.Child.Path.Name} failed: the failure goes up", inDecider);
            directive = Directive.Escalate;
        }

        switch (directive)
        {
            case Directive.Resume:
                m.Child.SendSystem(new ResumeMessage(m.Cause));
                break;
            case Directive.Restart:
                RestartWithinBudget(strategy, m, stats);
                break;
            case Directive.Stop:
                StopFor(strategy, m.Child);
                break;
            default:
                Escalate(m);
                break;
        }
    }

    private void Escalate(FailedMessage m)
    {
        Log(LogLevel.Warning, $"failure of {m.Child.Path.Name} goes up: {m.Cause.Message}");
        if (_failed)
        {
            // The answer to the open failure will not name this child, so it would stay suspended for ever.
            Stop(m.Child);
            return;
        }

        Fail(m.Cause, m.Child);
    }

    private void RestartWithinBudget(SupervisorStrategy strategy, FailedMessage m, ChildStats stats)
    {
        var restarts = stats.NoteRestart(System.Time, strategy.Window);
        if (strategy.RetriesMax >= 0 && restarts > strategy.RetriesMax)
        {
            Log(
                LogLevel.Error,
                $"{m.Child.Path.Name} failed {restarts} times within {strategy.Window}: stopped (budget {strategy.RetriesMax})",
                m.Cause);
            StopFor(strategy, m.Child);
            return;
        }

        if (strategy.Backoff is { } backoff)
        {
            System.Timers.Schedule(backoff.Of(restarts),
                () => _self.SendSystem(new RestartDueMessage(m.Child, m.Cause)));
            return;
        }

        RestartFor(strategy, m.Child, m.Cause);
    }

    private void OnRestartDue(RestartDueMessage m)
    {
        if (_terminating || StatsOf(m.Child) is not { Stopping: false }) return;
        RestartFor(Strategy, m.Child, m.Cause);
    }

    private void RestartFor(SupervisorStrategy strategy, LocalActorRef failed, Exception cause)
    {
        if (!strategy.AppliesToAllChildren)
        {
            failed.SendSystem(new RecreateMessage(cause));
            return;
        }

        foreach (var child in ChildRefs())
        {
            if (StatsOf(child) is { Stopping: true }) continue;
            if (child != failed) child.SendSystem(new SuspendMessage());
            child.SendSystem(new RecreateMessage(cause));
        }
    }

    private void StopFor(SupervisorStrategy strategy, LocalActorRef failed)
    {
        if (strategy.AppliesToAllChildren) foreach (var child in ChildRefs()) Stop(child);
        else Stop(failed);
    }

    private SupervisorStrategy Strategy =>
        _strategy ??= Props.SupervisorStrategy ?? _actor?.CallSupervisorStrategy()
            ?? SupervisorStrategy.DefaultStrategy;

    private static string NameOf(object message) => message switch
    {
        CreateMessage => "its start",
        RecreateMessage => "its restart",
        DeathNotice => nameof(Terminated),
        _ => message.GetType().Name,
    };
}
