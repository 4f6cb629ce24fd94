namespace Convoy.Actors;

/// <summary>An actor could not be constructed or started.</summary>
public sealed class ActorInitializationException(string message, Exception? cause) : Exception(message, cause);

/// <summary>The actor was told <see cref="Kill"/>.</summary>
public sealed class ActorKilledException(string message) : Exception(message);

/// <summary>A watched actor ended and nobody handled its <see cref="Terminated"/>.</summary>
public sealed class DeathPactException(IActorRef dead)
    : Exception($"{dead.Path} ended and its Terminated was not handled")
{
    public IActorRef DeadActor { get; } = dead;
}

/// <summary>The name is taken or has a character that a path cannot have.</summary>
public sealed class InvalidActorNameException(string message) : Exception(message);

/// <summary>No answer came before the deadline.</summary>
public sealed class AskTimeoutException(string message) : TimeoutException(message);

/// <summary>The asked actor ended before it answered.</summary>
public sealed class AskTargetTerminatedException(string message) : Exception(message);

/// <summary>The asked actor's mailbox or link did not take the question.</summary>
public sealed class AskUndeliverableException(Undeliverable reason) : Exception(reason.ToString())
{
    public Undeliverable Reason { get; } = reason;
}

/// <summary>More messages were stashed than a mailbox may hold.</summary>
public sealed class StashOverflowException(string message) : Exception(message);
