using Convoy.Actors.Runtime;
using Convoy.Shared.Diagnostics;
using Convoy.Shared.Threading;

namespace Convoy.Actors;

public sealed record ActorSystemOptions
{
    public TimeProvider Time { get; init; } = TimeProvider.System;

    public ILogSink? LogSink { get; init; }

    /// <summary>Runs every actor of the system, whatever its Props say: for tests and simulation.</summary>
    public MessageDispatcher? Dispatcher { get; init; }

    /// <summary>
    /// An actor that handles one message for longer is named in the log, with its queue. Null: 30 seconds on real
    /// threads and the system's clock, never under virtual time.
    /// </summary>
    public TimeSpan? WedgedAfter { get; init; }

    /// <summary>Gets each dead letter, on the thread that made it.</summary>
    public Action<DeadLetter>? DeadLetterSink { get; init; }
}

/// <summary>A tree of actors with one clock, one log and one timer queue.</summary>
public sealed class ActorSystem : IActorRefFactory
{
    private static readonly TimeSpan? WedgedAfterByDefault = TimeSpan.FromSeconds(30);

    private readonly TaskCompletionSource _terminated = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly ActorSystemOptions _options;
    private readonly LocalActorRef _user;
    private readonly LocalActorRef _system;
    private readonly DeadLettersRef _deadLetters;
    private readonly ActorPath _temp;
    private readonly Watchdog? _watchdog;
    private long _uid;
    private long _deadLetterCount;
    private long _unhandledCount;

    private ActorSystem(string name, ActorSystemOptions options)
    {
        Name = name;
        _options = options;
        Timers = new TimerQueue(options.Time);
        Scheduler = new SystemScheduler(options.Time, Timers);
        var root = new ActorPath($"convoy://{name}", null, "", 0);
        _temp = root.Child("temp", 0);
        _deadLetters = new DeadLettersRef(this, root.Child("deadLetters", 0));
        var parent = new RootRef(this, root);
        _system = NewGuardian(parent, root.Child("system", NextUid()));
        _user = NewGuardian(parent, root.Child("user", NextUid()));
        var isReal = options.Dispatcher is null && options.Time == TimeProvider.System;
        if ((options.WedgedAfter ?? (isReal ? WedgedAfterByDefault : null)) is { } bound)
            _watchdog = new Watchdog(this, bound);
    }

    public string Name { get; }

    public IScheduler Scheduler { get; }

    public IActorRef DeadLetters => _deadLetters;

    /// <summary>Completes when the last actor has ended.</summary>
    public Task WhenTerminated => _terminated.Task;

    /// <summary>Messages that reached nobody since the start.</summary>
    public long DeadLetterCount => Interlocked.Read(ref _deadLetterCount);

    /// <summary>Messages that reached an actor without a handler for them.</summary>
    public long UnhandledCount => Interlocked.Read(ref _unhandledCount);

    public TimeProvider Time => _options.Time;

    /// <summary>Actors that do not come out of a handler; answered without asking any of them.</summary>
    public IReadOnlyList<WedgedActor> Wedged => _watchdog?.Wedged() ?? [];

    internal TimerQueue Timers { get; }

    public static ActorSystem Create(string name, ActorSystemOptions? options = null) => new(name, options ?? new());

    public IActorRef ActorOf(Props props, string? name = null) => _user.Cell.ActorOf(props, name);

    public void Stop(IActorRef child) => _user.Cell.Stop(child);

    /// <summary>
    /// Stops every actor, children first. Returns <see cref="WhenTerminated"/>; call it as often as you like.
    /// </summary>
    public Task Terminate()
    {
        _user.SendSystem(new TerminateMessage());
        return WhenTerminated;
    }

    internal List<ActorCell> Cells()
    {
        var cells = new List<ActorCell>();
        _system.Cell.AddTo(cells);
        _user.Cell.AddTo(cells);
        return cells;
    }

    internal IActorRef SystemActorOf(Props props, string name) => _system.Cell.ActorOf(props, name);

    /// <summary>
    /// Of the lists of children of all its actors: held for a few instructions. With a lock in each actor's cell,
    /// ping-pong of a pair was a third slower (in turns, 2026-11).
    /// </summary>
    internal OrderedLock ChildrenLock { get; } = new("the children of actors", LockRank.Runtime);

    internal long NextUid() => Interlocked.Increment(ref _uid);

    internal ActorPath NextTempPath()
    {
        var uid = NextUid();
        return _temp.Child("$" + uid.ToString(System.Globalization.CultureInfo.InvariantCulture), uid);
    }

    internal MessageDispatcher DispatcherOf(Props props, ActorPath path) =>
        _options.Dispatcher ?? props.Dispatcher switch
        {
            Dispatchers.Pinned => new PinnedDispatcher(path.ToString()),
            Dispatchers.Calling => CallingDispatcher.Instance,
            _ => PoolDispatcher.Instance,
        };

    internal void OnGuardianEnded(InternalActorRef guardian)
    {
        if (guardian == _user)
        {
            _system.SendSystem(new TerminateMessage());
            return;
        }

        Timers.Dispose();
        _terminated.TrySetResult();
    }

    internal void OnDeadLetter(DeadLetter letter)
    {
        Interlocked.Increment(ref _deadLetterCount);
        _options.DeadLetterSink?.Invoke(letter);
    }

    /// <summary>A mailbox did not take a message. A full one tells the sender by name; both are dead letters.</summary>
    internal void OnRefused(object message, IActorRef? sender, IActorRef recipient,
        UndeliverableReason reason, int limit)
    {
        if (message is TimerFired or ReceiveTimeoutCheck or DeathNotice or PoisonPill
            or Undeliverable { Reason: UndeliverableReason.ReceiverGone })
            return;
        OnDeadLetter(new DeadLetter(message, sender, recipient, reason));
        if (reason != UndeliverableReason.MailboxFull) return;
        Log(LogLevel.Warning, recipient.Path.ToString(),
            $"mailbox full ({limit}): {message.GetType().Name} refused", null);
        if (message is not Undeliverable)
            sender?.Tell(new Undeliverable(reason, limit, limit, recipient.Path.ToString(), message.GetType().Name),
                recipient);
    }

    internal void OnUnhandled(object message, IActorRef recipient)
    {
        Interlocked.Increment(ref _unhandledCount);
        Log(LogLevel.Debug, recipient.Path.ToString(), $"no handler for {message.GetType().Name}", null);
    }

    internal void Log(LogLevel level, string source, string text, Exception? exception) =>
        _options.LogSink?.Write(level, source, text, exception);

    private LocalActorRef NewGuardian(RootRef parent, ActorPath path)
    {
        // Guardians only supervise; on the calling thread they cost no hand-over.
        var guardian = new ActorCell(this, Props.Create(static () => new Guardian())
            .WithDispatcher(Dispatchers.Calling), parent, path).SelfRef;
        guardian.SendSystem(new CreateMessage());
        return guardian;
    }
}
