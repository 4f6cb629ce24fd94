namespace Convoy.Actors.Runtime;

/// <summary>
/// Receive timeout: one timer, checked against the last activity when it fires, so that messages cost no timer.
/// </summary>
internal sealed partial class ActorCell
{
    private TimeSpan? _receiveTimeout;
    private TimerEntry? _receiveTimer;
    private long _lastActivity;

    public TimeSpan? ReceiveTimeout => _receiveTimeout;

    public void SetReceiveTimeout(TimeSpan? timeout)
    {
        CancelReceiveTimeout();
        if (timeout is not { } wait) return;
        ArgumentOutOfRangeException.ThrowIfLessThanOrEqual(wait, TimeSpan.Zero, nameof(timeout));
        _receiveTimeout = wait;
        _lastActivity = System.Time.GetTimestamp();
        ArmReceiveTimer(wait);
    }

    private void CancelReceiveTimeout()
    {
        _receiveTimeout = null;
        _receiveTimer?.Cancel();
        _receiveTimer = null;
    }

    private void NoteActivity(object message)
    {
        if (message is not (ReceiveTimeoutCheck or INotInfluenceReceiveTimeout
            or TimerFired { Message: INotInfluenceReceiveTimeout }))
            _lastActivity = System.Time.GetTimestamp();
    }

    private void CheckReceiveTimeout()
    {
        if (_receiveTimeout is not { } timeout) return;
        var left = timeout - System.Time.GetElapsedTime(_lastActivity);
        if (left > TimeSpan.Zero)
        {
            ArmReceiveTimer(left);
            return;
        }

        _lastActivity = System.Time.GetTimestamp();
        ArmReceiveTimer(timeout);
        ReceiveMessage(Actors.ReceiveTimeout.Instance);
    }

    private void ArmReceiveTimer(TimeSpan wait) =>
        _receiveTimer = System.Timers.Schedule(wait, () => _self.Tell(ReceiveTimeoutCheck.Instance, null));
}
