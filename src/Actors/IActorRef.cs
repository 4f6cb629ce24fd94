namespace Convoy.Actors;

/// <summary>Something that messages can be told to.</summary>
public interface ICanTell
{
    void Tell(object message, IActorRef? sender);
}

/// <summary>Handle of an actor: thread-safe, cheap to copy, also valid after the actor's end.</summary>
public interface IActorRef : ICanTell
{
    ActorPath Path { get; }
}

public static class ActorRefs
{
    /// <summary>No sender: what is told without one has nobody to answer to.</summary>
    public static readonly IActorRef? NoSender;

    /// <summary>Swallows what it is told.</summary>
    public static readonly IActorRef Nobody = Runtime.NobodyRef.Instance;

    public static bool IsNobody(this IActorRef? actor) => actor is null || ReferenceEquals(actor, Nobody);
}

public static class ActorRefExtensions
{
    /// <summary>Tells with the current actor as sender, when called inside a handler.</summary>
    public static void Tell(this IActorRef receiver, object message) =>
        receiver.Tell(message, Runtime.ActorCell.Current?.Self);

    /// <summary>Tells and keeps the sender of the message that is being handled.</summary>
    public static void Forward(this IActorRef receiver, object message) =>
        receiver.Tell(message, Runtime.ActorCell.Current?.SenderOrNull);
}
