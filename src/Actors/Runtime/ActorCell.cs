// Everything the runtime keeps for one actor. All of it is touched only while the mailbox runs (MB-1), except the
// table of children, which guardians also change from outside and which therefore has a lock.
// AC-1  An instance handles one message at a time and is replaced only between messages.
// AC-2  An actor ends after all its children have ended (a child cannot outlive its owner).
// AC-3  Order at the end: PostStop, mailbox closed, watchers and parent told, then nothing more.
// AC-4  A failed actor handles no user message until its parent has decided.
using Convoy.Shared.Diagnostics;

namespace Convoy.Actors.Runtime;

internal sealed partial class ActorCell : IActorContext
{
    [ThreadStatic]
    internal static ActorCell? Current;

    [ThreadStatic]
    internal static ActorCell? Constructing;

    private readonly LocalActorRef _self;
    private readonly InternalActorRef _parent;
    private readonly MessageDispatcher _dispatcher;
    private readonly Deque<Receive> _behaviours = new();
    private ActorBase? _actor;
    private Receive? _behaviour;
    private Envelope _envelope;
    private ActorTimers? _timers;
    private StashBuffer? _stash;
    private SupervisorStrategy? _strategy;

    public ActorCell(ActorSystem system, Props props, InternalActorRef parent, ActorPath path)
    {
        System = system;
        Props = props;
        _parent = parent;
        _dispatcher = system.DispatcherOf(props, path);
        _self = new LocalActorRef(this, path, _dispatcher, props.MailboxCapacity);
    }

    public ActorSystem System { get; }
    public Props Props { get; }
    public IActorRef Self => _self;
    public LocalActorRef SelfRef => _self;
    public IActorRef Parent => _parent;
    public IActorRef Sender => _envelope.Sender ?? System.DeadLetters;
    public IActorRef? SenderOrNull => _envelope.Sender;
    public Mailbox Mailbox => _self.Mailbox;
    internal Envelope CurrentEnvelope => _envelope;

    /// <summary>What is being handled, for a look from outside: it may be over in the same moment.</summary>
    internal object? HandledNow => _envelope.Message;

    /// <summary>Handles one user message.</summary>
    public void Invoke(in Envelope envelope)
    {
        _envelope = envelope;
        try
        {
            if (_receiveTimeout is not null) NoteActivity(envelope.Message);
            Dispatch(envelope.Message);
        }
        catch (Exception failure)
        {
            OnFailure(failure, envelope.Message);
        }
        finally
        {
            _envelope = default;
        }
    }

    private void Dispatch(object message)
    {
        switch (message)
        {
            case PoisonPill:
                Stop(_self);
                break;
            case Kill:
                throw new ActorKilledException($"{_self.Path} was killed");
            case TimerFired fired:
                if (fired.Owner == _timers && _timers.Accept(fired)) Dispatch(fired.Message);
                break;
            case DeathNotice death:
                ReceiveDeath(death);
                break;
            case ReceiveTimeoutCheck:
                CheckReceiveTimeout();
                break;
            default:
                ReceiveMessage(message);
                break;
        }
    }

    private void ReceiveMessage(object message)
    {
        var handled = _behaviour is { } receive ? receive(message) : _actor!.CallReceive(message);
        if (!handled) _actor!.CallUnhandled(message);
    }

    internal void OnUnhandled(object message)
    {
        if (message is Terminated terminated) throw new DeathPactException(terminated.ActorRef);
        System.OnUnhandled(message, _self);
    }

    public void Become(Receive receive)
    {
        if (_behaviours.Count > 0) _behaviours.TryPopFront(out _);
        BecomeStacked(receive);
    }

    public void BecomeStacked(Receive receive)
    {
        _behaviours.PushFront(receive);
        _behaviour = receive;
    }

    public void UnbecomeStacked()
    {
        _behaviours.TryPopFront(out _);
        _behaviour = _behaviours.Count > 0 ? _behaviours[0] : null;
    }

    private void NewInstance()
    {
        while (_behaviours.TryPopFront(out _))
        {
        }

        _behaviour = null;
        _strategy = null;
        var outer = Constructing;
        Constructing = this;
        try
        {
            _actor = Props.NewActor();
        }
        catch (Exception cause)
        {
            _actor = null;
            throw new ActorInitializationException($"{_self.Path}: {Props.Type.Name} could not be constructed", cause);
        }
        finally
        {
            Constructing = outer;
        }

        if (_actor is ReceiveActor receiveActor) receiveActor.CloseConfiguration();
        if (_actor is IWithTimers withTimers) withTimers.Timers = _timers = new ActorTimers(this);
        if (_actor is IWithStash withStash) withStash.Stash = _stash = new StashBuffer(this);
    }

    private void Log(LogLevel level, string text, Exception? exception = null) =>
        System.Log(level, _self.Path.ToString(), text, exception);
}
