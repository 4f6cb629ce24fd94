// Waits for a socket without the runtime's event thread. Where that thread has been asked once about a socket (any
// asynchronous call that did not complete at once), it is told of every arrival as long as the socket lives, and wakes
// a thread of the pool for each. A bulk lane whose handshake had waited that way cost a third more processor time, on
// the cores that its own two threads needed (perf, 256 KB frames, 2026-11-21). So connections are made, and hands
// shaken, with plain calls; each wait that is really one takes a thread of its own, as many as may shake hands at a
// time.
using System.Net;
using System.Net.Sockets;
using Convoy.Actors.Remoting.Lanes;

namespace Convoy.Actors.Remoting.Connections;

internal static class QuietWait
{
    private static readonly TimeSpan Slice = TimeSpan.FromMilliseconds(50);

    /// <summary>Windows has no such registration.</summary>
    public static bool IsNeeded { get; } = !OperatingSystem.IsWindows();

    public static Task ForDataAsync(Socket socket, CancellationToken cancel) =>
        ForAsync(socket, SelectMode.SelectRead, cancel);

    public static Task ForRoomAsync(Socket socket, CancellationToken cancel) =>
        ForAsync(socket, SelectMode.SelectWrite, cancel);

    /// <summary>Cancelled, it gives the socket up.</summary>
    public static async Task ConnectAsync(Socket socket, EndPoint to, CancellationToken cancel)
    {
        using var giveUp = cancel.Register(socket.Dispose);
        try
        {
            await OnThread(() => socket.Connect(to)).ConfigureAwait(false);
        }
        catch (Exception given) when (cancel.IsCancellationRequested && ConnectionLoss.Is(given))
        {
            throw new OperationCanceledException(cancel);
        }
    }

    private static Task ForAsync(Socket socket, SelectMode until, CancellationToken cancel)
    {
        if (socket.Poll(0, until)) return Task.CompletedTask;
        return OnThread(() =>
        {
            while (!socket.Poll(Slice, until)) cancel.ThrowIfCancellationRequested();
        });
    }

    private static Task OnThread(Action wait)
    {
        var done = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        BulkThreads.Run("convoy-handshake", () =>
        {
            try
            {
                wait();
                done.SetResult();
            }
            catch (Exception failed)
            {
                done.SetException(failed);
            }
        });
        return done.Task;
    }
}
