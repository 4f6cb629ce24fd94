namespace Convoy.Actors;

public delegate bool Receive(object message);

public interface IActorRefFactory
{
    IActorRef ActorOf(Props props, string? name = null);

    void Stop(IActorRef child);
}

/// <summary>What an actor knows of its surroundings. Valid only inside its own handlers.</summary>
public interface IActorContext : IActorRefFactory
{
    IActorRef Self { get; }

    /// <summary>Who told the message that is being handled; the dead letters when nobody did.</summary>
    IActorRef Sender { get; }

    IActorRef Parent { get; }

    ActorSystem System { get; }

    Props Props { get; }

    IReadOnlyList<IActorRef> GetChildren();

    /// <summary>The child of that name, or Nobody.</summary>
    IActorRef Child(string name);

    IActorRef Watch(IActorRef subject);

    /// <summary>
    /// As <see cref="Watch"/>, with a message of the caller's own in place of <see cref="Terminated"/>.
    /// </summary>
    IActorRef WatchWith(IActorRef subject, object message);

    IActorRef Unwatch(IActorRef subject);

    void Become(Receive receive);

    void BecomeStacked(Receive receive);

    void UnbecomeStacked();

    TimeSpan? ReceiveTimeout { get; }

    void SetReceiveTimeout(TimeSpan? timeout);
}
