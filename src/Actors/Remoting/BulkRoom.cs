namespace Convoy.Actors.Remoting;

/// <summary>A wait for room on a bulk lane: it has a name, for whoever asks why nothing moves, and a bound.</summary>
public readonly record struct BulkWait(string Name, TimeSpan Limit);

/// <summary>What became of a frame that waited for room.</summary>
/// <param name="IsTaken">The lane has it; its completion will be called.</param>
/// <param name="Why">Not taken: one line that names the wait and the peer.</param>
public readonly record struct BulkSend(bool IsTaken, string Why)
{
    internal static BulkSend Taken { get; } = new(true, "");
}

/// <summary>Senders that wait until a lane has room. Costs a lane that nobody waits for one read a frame.</summary>
internal sealed class BulkRoom
{
    private TaskCompletionSource? _next;

    /// <summary>
    /// Completes at the next <see cref="Wake"/>. Ask before looking for room: what leaves in between is not missed.
    /// </summary>
    public Task Next()
    {
        var mine = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return (Interlocked.CompareExchange(ref _next, mine, null) ?? mine).Task;
    }

    public void Wake()
    {
        if (Volatile.Read(ref _next) is not null) Interlocked.Exchange(ref _next, null)?.SetResult();
    }
}
