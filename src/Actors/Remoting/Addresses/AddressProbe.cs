// Opens a connection to whichever of a node's addresses answers. The nearest is tried first and has a head start; the
// others follow one by one, sooner when one fails, until somebody answers (the way of RFC 8305, section 5).
// AP-1  At most EntriesMax attempts are under way, each in the caller's deadline.
// AP-2  One connection comes back; every other one is closed, also one that opens late.
// AP-3  A failure says the address and why.
using System.Net.Sockets;
using Convoy.Actors.Remoting.Connections;

namespace Convoy.Actors.Remoting.Addresses;

/// <summary>
/// The connection that was opened, and to which of the places; or none. Failures: the places that came to nothing.
/// </summary>
internal readonly record struct Probed(IConnection? Connection, int Place,
    IReadOnlyList<(int Place, Exception Why)> Failures);

internal static class AddressProbe
{
    private static readonly TimeSpan HeadStart = TimeSpan.FromMilliseconds(150);

    /// <param name="network">What opens connections.</param>
    /// <param name="places">All places.</param>
    /// <param name="order">Which of them to try, in order.</param>
    /// <param name="tried">Gets "address (why)" of those that failed.</param>
    /// <param name="time">The clock of the head start.</param>
    /// <param name="cancel">The deadline of all attempts together.</param>
    public static async Task<Probed> DialAsync(
        INetwork network, IReadOnlyList<DialPlace> places, IReadOnlyList<int> order, List<string> tried,
        TimeProvider time,
        CancellationToken cancel)
    {
        using var rest = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        var running = new List<(int Place, Task<IConnection> Task)>();
        var failures = new List<(int Place, Exception Why)>();
        var next = 0;
        try
        {
            while (next < order.Count || running.Count > 0)
            {
                if (next < order.Count)
                {
                    var place = order[next++];
                    running.Add((place, OpenAsync(network, places[place], rest.Token)));
                }

                var first = await FirstAsync(running, next < order.Count, time, rest.Token).ConfigureAwait(false);
                while (first >= 0)
                {
                    var (place, task) = running[first];
                    running.RemoveAt(first);
                    if (task.IsCompletedSuccessfully) return new Probed(task.Result, place, failures);
                    var failure = task.Exception?.InnerException ?? new OperationCanceledException();
                    failures.Add((place, failure));
                    tried.Add($"{places[place]} ({Why(failure)})");
                    first = running.FindIndex(r => r.Task.IsCompleted);
                }
            }

            return new Probed(null, -1, failures);
        }
        finally
        {
            await rest.CancelAsync().ConfigureAwait(false);
            foreach (var (_, task) in running) _ = CloseLateAsync(task);
        }
    }

    /// <summary>In words, without the address.</summary>
    public static string Why(Exception failure) => failure switch
    {
        SocketException { SocketErrorCode: SocketError.ConnectionRefused } => "refused",
        SocketException { SocketErrorCode: SocketError.TimedOut } or OperationCanceledException => "no answer",
        SocketException { SocketErrorCode: SocketError.HostNotFound } => "no such name",
        SocketException { SocketErrorCode: SocketError.NetworkUnreachable or SocketError.HostUnreachable } =>
            "no way there",
        _ => failure.Message,
    };

    private static async Task<IConnection> OpenAsync(INetwork network, DialPlace place, CancellationToken cancel)
    {
        var endPoint = await place.ResolveAsync(cancel).ConfigureAwait(false);
        return await network.DialAsync(endPoint, cancel).ConfigureAwait(false);
    }

    /// <summary>Index of one that is done; -1: the head start is over and another may begin.</summary>
    private static async Task<int> FirstAsync(
        List<(int Place, Task<IConnection> Task)> running, bool moreWait, TimeProvider time, CancellationToken cancel)
    {
        var any = Task.WhenAny(running.Select(r => r.Task));
        if (moreWait)
        {
            try
            {
                await any.WaitAsync(HeadStart, time, cancel).ConfigureAwait(false);
            }
            catch (TimeoutException)
            {
                return -1;
            }
            catch (OperationCanceledException)
            {
                // The attempts end with the same token; what became of each is read below.
            }
        }

        await any.ConfigureAwait(false);
        return running.FindIndex(r => r.Task.IsCompleted);
    }

    private static async Task CloseLateAsync(Task<IConnection> task)
    {
        await ((Task)task).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (task.IsCompletedSuccessfully) task.Result.Dispose();
    }
}
