namespace Convoy.Actors;

/// <summary>
/// Timers of one actor, by key. A timer started again replaces the old one, and a message of the old one that already
/// waits in the mailbox is dropped. All end with the actor or its restart.
/// </summary>
public interface ITimerScheduler
{
    void StartPeriodicTimer(object key, object message, TimeSpan interval);

    void StartPeriodicTimer(object key, object message, TimeSpan initialDelay, TimeSpan interval);

    void StartSingleTimer(object key, object message, TimeSpan timeout);

    bool IsTimerActive(object key);

    void Cancel(object key);

    void CancelAll();
}

/// <summary>The runtime sets <see cref="Timers"/> after the constructor and before <c>PreStart</c>.</summary>
public interface IWithTimers
{
    ITimerScheduler Timers { get; set; }
}
