namespace Convoy.Actors;

public enum Directive
{
    /// <summary>Keep the instance and its state; go on with the next message.</summary>
    Resume,
    /// <summary>New instance from the same Props; the mailbox stays.</summary>
    Restart,
    /// <summary>Fail with the same cause: the supervisor's supervisor decides.</summary>
    Escalate,
    Stop,
}

/// <summary>Delay before a restart: first, doubled for each further restart inside the window, at most max.</summary>
public sealed record RestartBackoff(TimeSpan First, TimeSpan Max)
{
    internal TimeSpan Of(int restarts) =>
        TimeSpan.FromTicks((long)Math.Min(First.Ticks * Math.Pow(2, Math.Min(restarts - 1, 40)), Max.Ticks));
}

/// <summary>What a parent does about a failed child.</summary>
public abstract class SupervisorStrategy
{
    /// <summary>Restarts in the window; over it the child stops.</summary>
    public const int DefaultRetriesMax = 10;

    public static readonly SupervisorStrategy DefaultStrategy = new OneForOneStrategy(DefaultDecider);

    public static readonly SupervisorStrategy StoppingStrategy = new OneForOneStrategy(static _ => Directive.Stop);

    private readonly Func<Exception, Directive> _decider;

    private protected SupervisorStrategy(
        int? maxNrOfRetries, TimeSpan? withinTimeRange, Func<Exception, Directive> decider, RestartBackoff? backoff)
    {
        RetriesMax = maxNrOfRetries ?? DefaultRetriesMax;
        Window = withinTimeRange ?? TimeSpan.FromMinutes(1);
        _decider = decider;
        Backoff = backoff;
    }

    /// <summary>Restarts allowed inside the window; -1: any number.</summary>
    public int RetriesMax { get; }

    public TimeSpan Window { get; }

    public RestartBackoff? Backoff { get; }

    internal abstract bool AppliesToAllChildren { get; }

    public Directive Decide(Exception cause) => _decider(cause);

    /// <summary>A failed start, a kill and a broken death pact stop the child; anything else restarts it.</summary>
    public static Directive DefaultDecider(Exception cause) => cause switch
    {
        ActorInitializationException or ActorKilledException or DeathPactException => Directive.Stop,
        _ => Directive.Restart,
    };
}

/// <summary>Only the failed child is treated.</summary>
public sealed class OneForOneStrategy : SupervisorStrategy
{
    public OneForOneStrategy(Func<Exception, Directive> localOnlyDecider) : base(null, null, localOnlyDecider, null)
    {
    }

    public OneForOneStrategy(
        int? maxNrOfRetries, TimeSpan? withinTimeRange, Func<Exception, Directive> localOnlyDecider,
        RestartBackoff? backoff = null)
        : base(maxNrOfRetries, withinTimeRange, localOnlyDecider, backoff)
    {
    }

    internal override bool AppliesToAllChildren => false;
}

/// <summary>A restart or stop of one child is done to all of them.</summary>
public sealed class AllForOneStrategy : SupervisorStrategy
{
    public AllForOneStrategy(Func<Exception, Directive> localOnlyDecider) : base(null, null, localOnlyDecider, null)
    {
    }

    public AllForOneStrategy(
        int? maxNrOfRetries, TimeSpan? withinTimeRange, Func<Exception, Directive> localOnlyDecider,
        RestartBackoff? backoff = null)
        : base(maxNrOfRetries, withinTimeRange, localOnlyDecider, backoff)
    {
    }

    internal override bool AppliesToAllChildren => true;
}
