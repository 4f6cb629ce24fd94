using Convoy.Actors.Runtime;

namespace Convoy.Actors;

/// <summary>Base of all actors. One message at a time; handlers run to completion and never block.</summary>
public abstract class ActorBase
{
    private readonly ActorCell _cell;

    protected ActorBase()
    {
        _cell = ActorCell.Constructing
            ?? throw new InvalidOperationException(
                $"{GetType().Name} is an actor: make it with ActorOf(Props.Create(() => new {GetType().Name}(…))), not with new");
    }

    protected IActorContext Context => _cell;

    protected IActorRef Self => _cell.Self;

    protected IActorRef Sender => _cell.Sender;

    /// <summary>Handles a message; false: unhandled.</summary>
    protected abstract bool Receive(object message);

    protected virtual void PreStart()
    {
    }

    protected virtual void PostStop()
    {
    }

    /// <summary>Called on the failed instance. Ends the children unless overridden without a call to base.</summary>
    protected virtual void PreRestart(Exception reason, object? message)
    {
        foreach (var child in _cell.GetChildren()) _cell.Stop(child);
        PostStop();
    }

    /// <summary>Called on the new instance.</summary>
    protected virtual void PostRestart(Exception reason) => PreStart();

    protected virtual SupervisorStrategy SupervisorStrategy() => Actors.SupervisorStrategy.DefaultStrategy;

    /// <summary>A message that no handler took: it is logged, and an unhandled Terminated ends the actor.</summary>
    protected virtual void Unhandled(object message) => _cell.OnUnhandled(message);

    internal bool CallReceive(object message) => Receive(message);

    internal void CallPreStart() => PreStart();

    internal void CallPostStop() => PostStop();

    internal void CallPreRestart(Exception reason, object? message) => PreRestart(reason, message);

    internal void CallPostRestart(Exception reason) => PostRestart(reason);

    internal void CallUnhandled(object message) => Unhandled(message);

    internal SupervisorStrategy CallSupervisorStrategy() => SupervisorStrategy();
}

/// <summary>An actor with one handler for everything.</summary>
public abstract class UntypedActor : ActorBase
{
    protected sealed override bool Receive(object message)
    {
        OnReceive(message);
        return true;
    }

    protected abstract void OnReceive(object message);

    protected void Become(Action<object> receive) => Context.Become(m => { receive(m); return true; });

    protected void BecomeStacked(Action<object> receive) => Context.BecomeStacked(m => { receive(m); return true; });

    protected void UnbecomeStacked() => Context.UnbecomeStacked();
}
