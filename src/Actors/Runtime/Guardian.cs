namespace Convoy.Actors.Runtime;

/// <summary>Parent of the actors that a program makes. Its own death ends the system.</summary>
internal sealed class Guardian : ActorBase
{
    protected override bool Receive(object message) => false;
}

/// <summary>Parent of the guardians.</summary>
internal sealed class RootRef(ActorSystem system, ActorPath path) : InternalActorRef
{
    public override ActorPath Path { get; } = path;

    public override void Tell(object message, IActorRef? sender) => system.DeadLetters.Tell(message, sender);

    public override void SendSystem(SystemMessage message)
    {
        if (message is DeathNotice notice) system.OnGuardianEnded(notice.Actor);
        else if (message is FailedMessage failed) failed.Child.SendSystem(new TerminateMessage());
        else if (message is WatchMessage watch) watch.Watcher.SendSystem(new DeathNotice(this, false, false));
    }
}
