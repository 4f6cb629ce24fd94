using Convoy.Shared;

namespace Convoy.Actors;

/// <summary>Recipe of an actor: immutable, used again for every restart.</summary>
public sealed class Props
{
    private readonly Func<ActorBase> _factory;

    private Props(Type type, Func<ActorBase> factory)
    {
        Type = type;
        _factory = factory;
    }

    public Type Type { get; }

    /// <summary>
    /// <see cref="Dispatchers.Pool"/> (default), <see cref="Dispatchers.Pinned"/> or <see cref="Dispatchers.Calling"/>.
    /// </summary>
    public string Dispatcher { get; private init; } = Dispatchers.Pool;

    /// <summary>
    /// Messages that may wait; a message over it goes back to its sender as <see cref="Undeliverable"/>.
    /// </summary>
    public int MailboxCapacity { get; private init; } = Limits.MailboxMessagesMax;

    /// <summary>Replaces the strategy of the actor's own class.</summary>
    public SupervisorStrategy? SupervisorStrategy { get; private init; }

    public static Props Create<TActor>(Func<TActor> factory) where TActor : ActorBase => new(typeof(TActor), factory);

    public static Props Create<TActor>() where TActor : ActorBase, new() =>
        new(typeof(TActor), static () => new TActor());

    public Props WithDispatcher(string dispatcher)
    {
        if (!Dispatchers.IsKnown(dispatcher))
            throw new ArgumentException($"no dispatcher is named {dispatcher}", nameof(dispatcher));
        return new Props(Type, _factory)
        {
            Dispatcher = dispatcher,
            MailboxCapacity = MailboxCapacity,
            SupervisorStrategy = SupervisorStrategy,
        };
    }

    public Props WithMailboxCapacity(int messagesMax)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(messagesMax, 1);
        return new Props(Type, _factory)
        {
            Dispatcher = Dispatcher,
            MailboxCapacity = messagesMax,
            SupervisorStrategy = SupervisorStrategy,
        };
    }

    public Props WithSupervisorStrategy(SupervisorStrategy strategy) => new(Type, _factory)
    {
        Dispatcher = Dispatcher,
        MailboxCapacity = MailboxCapacity,
        SupervisorStrategy = strategy,
    };

    internal ActorBase NewActor() => _factory();
}
