using System.Diagnostics.CodeAnalysis;
using Convoy.Actors.Runtime;

namespace Convoy.Actors.TestKit;

/// <summary>What a test expected did not come, or something came that should not.</summary>
public sealed class TestProbeException(string message) : Exception(message);

/// <summary>An actor that keeps what it is told until the test asks for it.</summary>
public sealed class TestProbe : ICanTell
{
    private readonly TestKit _kit;
    private readonly Lock _lock = new();
    private readonly Queue<Envelope> _received = new();
    private readonly SemaphoreSlim _arrived = new(0);
    private IActorRef? _lastSender;

    internal TestProbe(TestKit kit, string? name)
    {
        _kit = kit;
        Ref = kit.Sys.ActorOf(Props.Create(() => new ProbeActor(this)), name);
    }

    public IActorRef Ref { get; }

    /// <summary>Who sent the message that was expected last.</summary>
    public IActorRef Sender => _lastSender ?? _kit.Sys.DeadLetters;

    public void Tell(object message, IActorRef? sender) => Ref.Tell(message, sender);

    /// <summary>Tells <paramref name="receiver"/> with this probe as the sender.</summary>
    public void Send(IActorRef receiver, object message) => receiver.Tell(message, Ref);

    public void Reply(object message) => Sender.Tell(message, Ref);

    /// <summary>
    /// From the return on a death of <paramref name="subject"/> arrives here as <see cref="Terminated"/>.
    /// </summary>
    public IActorRef Watch(IActorRef subject)
    {
        using var watching = new SemaphoreSlim(0);
        Ref.Tell(new WatchOrder(subject, watching), null);
        if (!_kit.WaitFor(watching, _kit.DefaultTimeout))
            throw new TestProbeException($"{subject.Path} is not watched yet");
        return subject;
    }

    public T ExpectMsg<T>(TimeSpan? timeout = null, string? hint = null) =>
        ExpectMsg<T>(static _ => true, timeout, hint);

    public T ExpectMsg<T>(Predicate<T> isMessage, TimeSpan? timeout = null, string? hint = null)
    {
        var limit = timeout ?? _kit.DefaultTimeout;
        if (!TryReceive(limit, out var message))
            throw new TestProbeException($"no message within {limit}, expected {typeof(T).Name} {hint}");
        if (message is T expected && isMessage(expected)) return expected;
        throw new TestProbeException($"expected {typeof(T).Name} {hint}, received {message}");
    }

    public T ExpectMsg<T>(T message, TimeSpan? timeout = null, string? hint = null) =>
        ExpectMsg<T>(m => EqualityComparer<T>.Default.Equals(m, message), timeout, hint ?? $"equal to {message}");

    public Terminated ExpectTerminated(IActorRef subject, TimeSpan? timeout = null) =>
        ExpectMsg<Terminated>(t => t.ActorRef.Equals(subject), timeout, $"of {subject.Path}");

    /// <summary>Passes over other messages until one fits.</summary>
    public T FishForMessage<T>(Predicate<T> isMessage, TimeSpan? timeout = null)
    {
        var limit = timeout ?? _kit.DefaultTimeout;
        var start = _kit.Time.GetTimestamp();
        while (true)
        {
            var left = limit - _kit.Time.GetElapsedTime(start);
            if (left < TimeSpan.Zero || !TryReceive(left, out var message))
                throw new TestProbeException($"no fitting {typeof(T).Name} within {limit}");
            if (message is T candidate && isMessage(candidate)) return candidate;
        }
    }

    public T FishForMessage<T>(TimeSpan? timeout = null) => FishForMessage<T>(static _ => true, timeout);

    public IReadOnlyList<object> ReceiveN(int count, TimeSpan? timeout = null)
    {
        var messages = new List<object>(count);
        while (messages.Count < count) messages.Add(ExpectMsg<object>(timeout, $"({messages.Count} of {count} came)"));
        return messages;
    }

    /// <summary>Under virtual time the clock moves on by <paramref name="duration"/>.</summary>
    public void ExpectNoMsg(TimeSpan? duration = null)
    {
        if (TryReceive(duration ?? _kit.DefaultSilence, out var message))
            throw new TestProbeException($"expected silence, received {message}");
    }

    public bool HasMessages
    {
        get
        {
            _kit.Settle();
            lock (_lock) return _received.Count > 0;
        }
    }

    internal bool TryReceive(TimeSpan limit, [NotNullWhen(true)] out object? message)
    {
        message = null;
        if (!_kit.WaitFor(_arrived, limit)) return false;
        lock (_lock)
        {
            var envelope = _received.Dequeue();
            _lastSender = envelope.Sender;
            message = envelope.Message;
        }

        return true;
    }

    private void OnReceived(object message, IActorRef? sender)
    {
        lock (_lock) _received.Enqueue(new Envelope(message, sender));
        _arrived.Release();
    }

    private sealed record WatchOrder(IActorRef Subject, SemaphoreSlim Watching);

    private sealed class ProbeActor(TestProbe probe) : UntypedActor
    {
        protected override void OnReceive(object message)
        {
            if (message is WatchOrder order)
            {
                Context.Watch(order.Subject);
                order.Watching.Release();
            }
            else
            {
                probe.OnReceived(message, Sender);
            }
        }
    }
}
