namespace Convoy.Shared.Threading;

/// <summary>
/// The one order in which locks are taken: a thread that holds a lock takes only locks of a later rank, so no two
/// threads can wait for each other.
/// </summary>
public enum LockRank
{
    /// <summary>What answers requests, and the order of a link's events; may use all below.</summary>
    Service = 1,
    /// <summary>State of one thing: a link, a board, the control journal.</summary>
    Record = 2,
    /// <summary>Files and databases.</summary>
    Storage = 3,
    /// <summary>Counters, caches, the log.</summary>
    Leaf = 4,
    /// <summary>Timers, actors and buffers, which all of the above may ask for: nothing is taken inside.</summary>
    Runtime = 5,
}

/// <summary>A lock was not free within its deadline: somebody holds it who should not.</summary>
public sealed class LockTimeoutException(string message) : TimeoutException(message);

/// <summary>
/// A lock with a name, a place in the order of <see cref="LockRank"/> and a deadline. Taking it out of order is an
/// error at once, on every run and not only on the one that would have stood still (LO-1); it is not taken twice by one
/// thread. Held for a few instructions or one disk access, never while something is awaited.
/// </summary>
public sealed class OrderedLock(string name, LockRank rank)
{
    /// <summary>Far longer than any holder needs, a slow disk included.</summary>
    public static readonly TimeSpan Deadline = TimeSpan.FromSeconds(30);

    [ThreadStatic]
    private static OrderedLock? _innermost; // that this thread holds

    private readonly Lock _lock = new();
    private OrderedLock? _outer;
    private int _holder;

    /// <summary>For people.</summary>
    public string Name => name;

    /// <summary>Its place in the order.</summary>
    public LockRank Rank => rank;

    /// <summary>Takes it until the scope ends.</summary>
    /// <exception cref="InvariantException">This thread holds a lock that comes later, or this one (LO-1).</exception>
    /// <exception cref="LockTimeoutException">It was not free within <see cref="Deadline"/>; the message names the
    /// holder.</exception>
    public Scope Enter() => Enter(Deadline);

    /// <summary>As above, within another deadline.</summary>
    public Scope Enter(TimeSpan deadline)
    {
        ref var innermost = ref _innermost;
        var outer = innermost;
        if (outer is not null && outer.Rank >= rank)
            Invariant.Fail($"LO-1 the lock of {name} ({rank}) is taken inside that of {outer.Name} ({outer.Rank})");
        if (!_lock.TryEnter() && !_lock.TryEnter(deadline))
            throw new LockTimeoutException(
                $"the lock of {name} was not free within {deadline.TotalSeconds:0.###} s; thread {_holder} holds it");
        (_outer, _holder, innermost) = (outer, Environment.CurrentManagedThreadId, this);
        return new Scope(this);
    }

    private void Exit()
    {
        _innermost = _outer;
        _lock.Exit();
    }

    /// <summary>While it lives the lock is held; ended by the thread that took it, the last taken first.</summary>
    public readonly ref struct Scope
    {
        private readonly OrderedLock _of;

        internal Scope(OrderedLock of) => _of = of;

        /// <summary>Gives the lock back.</summary>
        public void Dispose() => _of.Exit();
    }
}
