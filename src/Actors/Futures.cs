using Convoy.Actors.Runtime;

namespace Convoy.Actors;

public static class Futures
{
    /// <summary>
    /// Tells, and completes with the first answer, at the deadline, or when the asked actor ends: whichever is first.
    /// </summary>
    /// <exception cref="AskTimeoutException">No answer within <paramref name="timeout"/>.</exception>
    /// <exception cref="AskTargetTerminatedException">The asked actor has ended.</exception>
    public static Task<T> Ask<T>(
        this IActorRef receiver, object message, TimeSpan timeout, CancellationToken cancellationToken = default) =>
        AskRef<T>.Start(receiver, message, timeout, cancellationToken);
}

public static class PipeToSupport
{
    /// <summary>
    /// The task's result, or a <see cref="Status.Failure"/>, becomes a message to <paramref name="recipient"/>.
    /// </summary>
    public static async Task PipeTo<T>(
        this Task<T> taskToPipe, ICanTell recipient, IActorRef? sender = null,
        Func<T, object>? success = null, Func<Exception, object>? failure = null)
    {
        sender ??= ActorCell.Current?.Self;
        object message;
        try
        {
            var result = await taskToPipe.ConfigureAwait(false);
            message = success is null ? result! : success(result);
        }
        catch (Exception cause)
        {
            message = failure is null ? new Status.Failure(cause) : failure(cause);
        }

        recipient.Tell(message, sender);
    }

    /// <summary>
    /// As above for a task without a result; nothing is told on success unless <paramref name="success"/> is given.
    /// </summary>
    public static async Task PipeTo(
        this Task taskToPipe, ICanTell recipient, IActorRef? sender = null,
        Func<object>? success = null, Func<Exception, object>? failure = null)
    {
        sender ??= ActorCell.Current?.Self;
        try
        {
            await taskToPipe.ConfigureAwait(false);
            if (success is not null) recipient.Tell(success(), sender);
        }
        catch (Exception cause)
        {
            recipient.Tell(failure is null ? new Status.Failure(cause) : failure(cause), sender);
        }
    }
}
