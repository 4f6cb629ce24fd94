namespace Convoy.Worker.Training;

/// <summary>Runs events one at a time, in order.</summary>
internal interface IEventQueue : IDisposable
{
    /// <param name="action">What to run; its exception closes the queue.</param>
    /// <param name="here">The posting thread may run it, if nobody is at it already.</param>
    void Post(Action action, bool here);
}

/// <summary>
/// Makes the queue of an exchange; the failure of an event closes it and goes to <paramref name="onFailure"/>.
/// </summary>
internal delegate IEventQueue NewEventQueue(string name, Action<Exception> onFailure);

/// <summary>
/// Runs events one at a time, in order. The posting thread runs them itself if nobody is at it; an event that its
/// poster must not run waits for the next poster that may, or for the queue's own thread.
/// </summary>
internal sealed class EventQueue : IEventQueue
{
    private readonly object _gate = new();
    private readonly Queue<Action> _waiting = new();
    private readonly Action<Exception> _onFailure;
    private readonly Thread _thread;
    private bool _running;
    private bool _closed;

    public EventQueue(string name, Action<Exception> onFailure)
    {
        _onFailure = onFailure;
        _thread = new Thread(Serve) { IsBackground = true, Name = name };
        _thread.Start();
    }

    /// <summary>With a thread of its own: the one that processes use.</summary>
    public static IEventQueue Threaded(string name, Action<Exception> onFailure) => new EventQueue(name, onFailure);

    public void Post(Action action, bool here)
    {
        lock (_gate)
        {
            if (_closed) return;
            _waiting.Enqueue(action);
            if (_running) return;
            if (!here)
            {
                Monitor.Pulse(_gate);
                return;
            }

            _running = true;
        }

        Run();
    }

    private void Serve()
    {
        while (true)
        {
            lock (_gate)
            {
                while (!_closed && (_running || _waiting.Count == 0)) Monitor.Wait(_gate);
                if (_closed) return;
                _running = true;
            }

            Run();
        }
    }

    private void Run()
    {
        while (true)
        {
            Action action;
            lock (_gate)
            {
                if (!_waiting.TryDequeue(out action!))
                {
                    _running = false;
                    return;
                }
            }

            try
            {
                action();
            }
            catch (Exception cause)
            {
                // One failure ends the worker; what waits behind it must not work on a broken state.
                Close();
                _onFailure(cause);
                return;
            }
        }
    }

    private void Close()
    {
        lock (_gate)
        {
            _closed = true;
            _waiting.Clear();
            Monitor.PulseAll(_gate);
        }
    }

    public void Dispose()
    {
        Close();
        if (Thread.CurrentThread != _thread) _thread.Join(TimeSpan.FromSeconds(5));
    }
}
