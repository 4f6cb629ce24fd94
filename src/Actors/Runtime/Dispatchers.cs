namespace Convoy.Actors.Runtime;

/// <summary>One mailbox run is one work item of the thread pool.</summary>
internal sealed class PoolDispatcher : MessageDispatcher
{
    public static readonly PoolDispatcher Instance = new();

    public override void Execute(IRunnable mailbox)
    {
        // Inside a handler the local queue keeps an answer on the core that has the question in its cache. A mailbox
        // that has used up its turn goes behind everybody else: the local queue comes first, and would starve the
        // sockets.
        var local = ActorCell.Current is not null;
        if (mailbox is IThreadPoolWorkItem item) ThreadPool.UnsafeQueueUserWorkItem(item, preferLocal: local);
        else ThreadPool.UnsafeQueueUserWorkItem(static m => m.Run(), mailbox, preferLocal: local);
    }
}

/// <summary>A thread for one actor; it ends when the actor has ended.</summary>
internal sealed class PinnedDispatcher : MessageDispatcher
{
    private readonly SemaphoreSlim _work = new(0);
    private IRunnable? _mailbox;
    private volatile bool _detached;

    public PinnedDispatcher(string name)
    {
        var thread = new Thread(Loop) { IsBackground = true, Name = name };
        thread.Start();
    }

    public override void Execute(IRunnable mailbox)
    {
        Volatile.Write(ref _mailbox, mailbox);
        _work.Release();
        // Late messages to an ended actor only have to become dead letters; the thread may be gone already.
        if (_detached && Interlocked.Exchange(ref _mailbox, null) is { } late) PoolDispatcher.Instance.Execute(late);
    }

    public override void Detach()
    {
        _detached = true;
        _work.Release();
    }

    private void Loop()
    {
        while (true)
        {
            _work.Wait();
            if (Interlocked.Exchange(ref _mailbox, null) is { } mailbox) mailbox.Run();
            else if (_detached) return;
        }
    }
}

/// <summary>Runs on the telling thread. A tell inside a run waits for its end, so that stacks stay flat.</summary>
internal sealed class CallingDispatcher : MessageDispatcher
{
    public static readonly CallingDispatcher Instance = new();

    [ThreadStatic]
    private static Queue<IRunnable>? _pending;

    public override void Execute(IRunnable mailbox)
    {
        if (_pending is { } outer)
        {
            outer.Enqueue(mailbox);
            return;
        }

        var queue = _pending = new Queue<IRunnable>();
        try
        {
            mailbox.Run();
            while (queue.TryDequeue(out var next)) next.Run();
        }
        finally
        {
            _pending = null;
        }
    }
}
