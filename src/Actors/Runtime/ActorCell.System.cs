using Convoy.Shared.Diagnostics;

namespace Convoy.Actors.Runtime;

/// <summary>Life cycle: create, suspend, resume, restart, terminate.</summary>
internal sealed partial class ActorCell
{
    private bool _failed;
    private object? _failedOn;
    private bool _terminating;
    private Exception? _recreateWhenChildless;
    private List<SystemMessage>? _parked; // deliveries that wait for the parent's decision (AC-4)

    internal bool IsTerminating => _terminating;

    public void InvokeSystem(SystemMessage message)
    {
        try
        {
            switch (message)
            {
                case CreateMessage: OnCreate(); break;
                case SuspendMessage: OnSuspend(); break;
                case ResumeMessage m: OnResume(m); break;
                case RecreateMessage m: OnRecreate(m.Cause); break;
                case TerminateMessage: OnTerminate(); break;
                case WatchMessage m: OnWatch(m.Watcher); break;
                case UnwatchMessage m: _watchers?.Remove(m.Watcher); break;
                case DeathNotice m: OnDeathNotice(m); break;
                case FailedMessage m: OnFailed(m); break;
                case RestartDueMessage m: OnRestartDue(m); break;
                case UrgentMessage m: OnUrgent(m); break;
                default: throw Shared.Invariant.Unhandled(message);
            }
        }
        catch (Exception failure)
        {
            OnFailure(failure, message);
        }
    }

    /// <summary>What still matters when the actor has ended: nobody may wait for its death in vain.</summary>
    public void InvokeSystemAfterEnd(SystemMessage message)
    {
        if (message is WatchMessage watch) watch.Watcher.SendSystem(new DeathNotice(_self, true, false));
        else if (message is UrgentMessage m)
            System.OnRefused(m.Message, m.Sender, _self, UndeliverableReason.ReceiverGone, 0);
    }

    private void OnCreate()
    {
        NewInstance();
        Started(static actor => actor.CallPreStart());
    }

    private void Started(Action<ActorBase> start)
    {
        try
        {
            start(_actor!);
        }
        catch (Exception cause)
        {
            _actor = null;
            throw new ActorInitializationException($"{_self.Path}: {Props.Type.Name} could not be started", cause);
        }
    }

    private void OnSuspend()
    {
        Mailbox.Suspend();
        foreach (var child in ChildRefs()) child.SendSystem(new SuspendMessage());
    }

    private void OnResume(ResumeMessage m)
    {
        if (_terminating) return;
        if (_actor is null)
        {
            // There is no state to keep: resuming what never started means starting it.
            OnRecreate(m.Cause);
            return;
        }

        _failed = false;
        Mailbox.Resume();
        foreach (var child in ChildRefs()) child.SendSystem(new ResumeMessage(m.Cause));
        DeliverParked();
    }

    private void OnRecreate(Exception cause)
    {
        if (_terminating) return;
        if (!Mailbox.IsSuspended) Mailbox.Suspend();
        if (_actor is { } failed)
        {
            try
            {
                failed.CallPreRestart(cause, _failedOn);
            }
            catch (Exception inPreRestart)
            {
                Log(LogLevel.Error, $"PreRestart of {Props.Type.Name} failed", inPreRestart);
            }
        }

        _timers?.CancelAll();
        _stash?.ReturnAll();
        CancelReceiveTimeout();
        _actor = null;
        if (AnyChildStopping()) _recreateWhenChildless = cause;
        else FinishRecreate(cause);
    }

    private void FinishRecreate(Exception cause)
    {
        _recreateWhenChildless = null;
        var survivors = ChildRefs();
        NewInstance();
        Started(actor => actor.CallPostRestart(cause));
        _failed = false;
        _failedOn = null;
        Mailbox.Resume();
        foreach (var survivor in survivors) survivor.SendSystem(new RecreateMessage(cause));
        DeliverParked();
    }

    private void OnTerminate()
    {
        if (_terminating) return;
        _terminating = true;
        Mailbox.Suspend();
        _timers?.CancelAll();
        CancelReceiveTimeout();
        foreach (var child in ChildRefs()) Stop(child);
        if (!HasChildren) FinishTerminate();
    }

    private void FinishTerminate()
    {
        try
        {
            _actor?.CallPostStop();
        }
        catch (Exception inPostStop)
        {
            Log(LogLevel.Error, $"PostStop of {Props.Type.Name} failed", inPostStop);
        }

        _timers?.CancelAll();
        _stash?.ReturnAll();
        _actor = null;
        Mailbox.Close();
        UnwatchAll();
        TellWatchers();
        _parent.SendSystem(new DeathNotice(_self, true, false));
        _dispatcher.Detach();
    }

    private void OnUrgent(UrgentMessage m)
    {
        if (_terminating)
        {
            System.OnRefused(m.Message, m.Sender, _self, UndeliverableReason.ReceiverGone, 0);
            return;
        }

        if (Mailbox.IsSuspended || _actor is null) Park(m);
        else Invoke(new Envelope(m.Message, m.Sender));
    }

    private void Park(SystemMessage message) => (_parked ??= []).Add(message);

    private void DeliverParked()
    {
        if (_parked is not { Count: > 0 } parked || Mailbox.IsSuspended) return;
        _parked = null;
        foreach (var message in parked) InvokeSystem(message);
    }
}
