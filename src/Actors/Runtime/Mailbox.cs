// Two queues per actor: system messages (a lock-free stack, reversed when taken) and user messages (bounded).
// MB-1  At most one thread runs a mailbox: the one that moved _scheduled from 0 to 1, or the one it handed over to.
// MB-2  No message is stranded: a producer publishes before it looks at _scheduled, the runner clears _scheduled
//       before it looks for messages, and both steps are full fences; so one of the two sees the other.
// MB-3  After Close every message that is still in, or comes later, goes to the dead letters.
// MB-4  Messages of one sender to one receiver stay in order, and Terminated of the sender comes after them.
using System.Collections.Concurrent;

namespace Convoy.Actors.Runtime;

internal sealed class Mailbox(ActorCell cell, LocalActorRef owner, MessageDispatcher dispatcher, int capacity)
    : IThreadPoolWorkItem, IRunnable
{
    /// <summary>Messages of one turn: large enough to pay for the hand-over, small enough to be fair.</summary>
    private const int Throughput = 256;

    private readonly ConcurrentQueue<Envelope> _user = new();
    // unstashed, and deaths: ahead of the queue; touched by the runner only
    private readonly Deque<Envelope> _front = new();
    // the head of the queue, after a death was looked for in it; runner only
    private readonly Deque<Envelope> _pulled = new();
    // A small bound is kept to the message; a large one may count a whole turn late, which saves an interlocked
    // operation.
    private readonly bool _exact = capacity < 16 * Throughput;
    private SystemMessage? _systemStack;
    private int _count;
    private int _scheduled;
    private int _suspended; // touched by the runner only
    private long _handled;  // written by the runner, read by the watchdog
    private volatile bool _closed;

    public ActorPath Path => owner.Path;
    /// <summary>
    /// Messages handled ever: while it stands still and something is being handled, that is the same message.
    /// </summary>
    public long Handled => Volatile.Read(ref _handled);

    public int Count => Volatile.Read(ref _count);
    /// <summary>What the next turn begins with; null: something else than a user message. For the simulator.</summary>
    public object? Next => Volatile.Read(ref _systemStack) is null && _user.TryPeek(out var next) ? next.Message : null;

    /// <summary>A mark of the simulator, which keeps a list of mailboxes.</summary>
    public bool Known { get; set; }

    /// <summary>Messages of one turn at most.</summary>
    public int TurnMax { get; set; } = Throughput;

    public bool IsSuspended => _suspended > 0;
    public bool IsClosed => _closed;

    public void Suspend() => _suspended++;

    public void Resume()
    {
        if (_suspended > 0) _suspended--;
    }

    public void Post(object message, IActorRef? sender)
    {
        var count = Interlocked.Increment(ref _count);
        if (_closed || count > capacity)
        {
            Interlocked.Decrement(ref _count);
            cell.System.OnRefused(
                message, sender, owner, _closed
                    ? UndeliverableReason.ReceiverGone : UndeliverableReason.MailboxFull, capacity);
            return;
        }

        _user.Enqueue(new Envelope(message, sender));
        Schedule();
    }

    public void PostSystem(SystemMessage message)
    {
        SystemMessage? head;
        do
        {
            head = Volatile.Read(ref _systemStack);
            message.Next = head;
        }
        while (Interlocked.CompareExchange(ref _systemStack, message, head) != head);
        Schedule();
    }

    /// <summary>Puts messages ahead of the queue, first of the list first. Runner only.</summary>
    public void Prepend(IReadOnlyList<Envelope> envelopes)
    {
        for (var i = envelopes.Count - 1; i >= 0; i--) _front.PushFront(envelopes[i]);
    }

    /// <summary>
    /// A death overtakes what waits, but not the last words of the dead: those come first, then the notice (MB-4).
    /// Runner only.
    /// </summary>
    public void PrependDeath(DeathNotice notice)
    {
        var words = new List<Envelope>();
        for (var i = _pulled.Count; i > 0 && _pulled.TryPopFront(out var envelope); i--) Sort(envelope, notice, words);
        while (_user.TryDequeue(out var envelope)) Sort(envelope, notice, words);
        Interlocked.Add(ref _count, -words.Count); // what is ahead of the queue is not counted
        words.Add(new Envelope(notice, notice.Actor));
        Prepend(words);
    }

    private void Sort(in Envelope envelope, DeathNotice notice, List<Envelope> words)
    {
        if (notice.Actor.Equals(envelope.Sender)) words.Add(envelope);
        else _pulled.PushBack(envelope);
    }

    /// <summary>Runner only: what is left goes to the dead letters.</summary>
    public void Close() => _closed = true;

    public void Execute() => Run();

    public void Run()
    {
        var previous = ActorCell.Current;
        ActorCell.Current = cell;
        var taken = 0;
        try
        {
            TakeSystem();
            if (_closed) taken = DrainToDeadLetters();
            else taken = TakeUser();
        }
        finally
        {
            ActorCell.Current = previous;
            if (taken > 0) Interlocked.Add(ref _count, -taken);
            EndTurn();
        }
    }

    private int TakeUser()
    {
        var taken = 0;
        for (var i = 0; i < TurnMax && _suspended == 0 && !_closed; i++)
        {
            if (_front.TryPopFront(out var envelope) || Dequeue(out envelope, ref taken)) cell.Invoke(envelope);
            else break;
            _handled++;
            if (Volatile.Read(ref _systemStack) is not null) TakeSystem();
        }

        if (_closed) taken += DrainToDeadLetters();
        return taken;
    }

    private bool Dequeue(out Envelope envelope, ref int taken)
    {
        if (!_pulled.TryPopFront(out envelope) && !_user.TryDequeue(out envelope)) return false;
        if (_exact) Interlocked.Decrement(ref _count);
        else taken++;
        return true;
    }

    private void TakeSystem()
    {
        while (Interlocked.Exchange(ref _systemStack, null) is { } stack)
        {
            for (var message = Reverse(stack); message is not null;)
            {
                var next = message.Next;
                message.Next = null;
                if (_closed) cell.InvokeSystemAfterEnd(message);
                else cell.InvokeSystem(message);
                message = next;
            }
        }
    }

    private static SystemMessage? Reverse(SystemMessage? stack)
    {
        SystemMessage? reversed = null;
        while (stack is not null)
        {
            var next = stack.Next;
            stack.Next = reversed;
            reversed = stack;
            stack = next;
        }

        return reversed;
    }

    private int DrainToDeadLetters()
    {
        var taken = 0;
        while (_front.TryPopFront(out var envelope) || Dequeue(out envelope, ref taken))
            cell.System.OnRefused(envelope.Message, envelope.Sender, owner, UndeliverableReason.ReceiverGone, 0);
        return taken;
    }

    private void EndTurn()
    {
        if (Volatile.Read(ref _systemStack) is not null || (_suspended == 0 && !_closed && _front.Count > 0))
        {
            dispatcher.Execute(this); // MB-1: still scheduled, handed over
            return;
        }

        var suspended = _suspended > 0 && !_closed;
        Interlocked.Exchange(ref _scheduled, 0);
        if (Volatile.Read(ref _systemStack) is not null || (!suspended && Volatile.Read(ref _count) > 0)) Schedule();
    }

    private void Schedule()
    {
        if (Volatile.Read(ref _scheduled) == 0 && Interlocked.CompareExchange(ref _scheduled, 1, 0) == 0)
            dispatcher.Execute(this);
    }
}
