namespace Convoy.Actors.Runtime;

/// <summary>The sender of one question. It is no actor: it completes a task on the thread that answers.</summary>
internal sealed class AskRef<T> : InternalActorRef
{
    private readonly TaskCompletionSource<T> _answer = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly InternalActorRef _target;
    private readonly string _question;
    private ActorPath? _path;
    private TimerEntry? _deadline;
    private InternalActorRef? _watcher; // a name table that lent this ref a name

    private AskRef(InternalActorRef target, string question)
    {
        _target = target;
        _question = question;
    }

    public override ActorPath Path => _path ??= SystemOf(_target)?.NextTempPath() ?? NobodyRef.Instance.Path;

    public static Task<T> Start(IActorRef receiver, object message, TimeSpan timeout, CancellationToken cancel)
    {
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(timeout, TimeSpan.Zero);
        var target = receiver as InternalActorRef
            ?? throw new ArgumentException($"{receiver.GetType().Name} cannot be asked", nameof(receiver));
        var ask = new AskRef<T>(target, message.GetType().Name);
        if (SystemOf(target) is not { } system)
            return Task.FromException<T>(
                new AskTargetTerminatedException($"{target.Path} is nobody: {ask._question} was not asked"));
        ask._deadline = system.Timers.Schedule(timeout, () => ask.OnTimeout(timeout));
        if (cancel.CanBeCanceled) ask.EndWith(cancel);
        target.SendSystem(new WatchMessage(ask));
        target.Tell(message, ask);
        return ask._answer.Task;
    }

    public override void Tell(object message, IActorRef? sender)
    {
        switch (message)
        {
            // Who asks for object still wants a failure as a failure.
            case Status.Failure failure when typeof(T) == typeof(object) || message is not T:
                _answer.TrySetException(failure.Cause);
                break;
            case Undeliverable undeliverable when typeof(T) == typeof(object) || message is not T:
                _answer.TrySetException(new AskUndeliverableException(undeliverable));
                break;
            case T answer:
                _answer.TrySetResult(answer);
                break;
            default:
                _answer.TrySetException(new InvalidCastException(
                    $"{_target.Path} answered {_question} with {message.GetType().Name}, not {typeof(T).Name}"));
                break;
        }

        Release();
    }

    public override void SendSystem(SystemMessage message)
    {
        if (message is WatchMessage watch)
        {
            _watcher = watch.Watcher;
            if (_answer.Task.IsCompleted) TellWatcher();
        }

        if (message is not DeathNotice) return;
        _answer.TrySetException(
            new AskTargetTerminatedException($"{_target.Path} ended before it answered {_question}"));
        _deadline?.Cancel();
        TellWatcher();
    }

    private void TellWatcher() =>
        Interlocked.Exchange(ref _watcher, null)?.SendSystem(new DeathNotice(this, true, false));

    private void OnTimeout(TimeSpan timeout)
    {
        if (_answer.TrySetException(
            new AskTimeoutException($"{_target.Path} did not answer {_question} within {timeout}")))
            Release();
    }

    private void EndWith(CancellationToken cancel)
    {
        var registration = cancel.UnsafeRegister(
            static (ask, token) =>
            {
                ((AskRef<T>)ask!)._answer.TrySetCanceled(token);
                ((AskRef<T>)ask!).Release();
            },
            this);
        _answer.Task.ContinueWith(
            static (_, r) => ((CancellationTokenRegistration)r!).Dispose(), registration,
            CancellationToken.None, TaskContinuationOptions.ExecuteSynchronously, TaskScheduler.Default);
    }

    private void Release()
    {
        _deadline?.Cancel();
        TellWatcher();
        _target.SendSystem(new UnwatchMessage(this));
    }

    private static ActorSystem? SystemOf(InternalActorRef target) => target switch
    {
        LocalActorRef local => local.Cell.System,
        Remoting.RemoteActorRef remote => remote.System,
        _ => null,
    };
}
