using System.Runtime.CompilerServices;

namespace Convoy.Actors.Remoting.Lanes;

/// <summary>
/// Awaited, goes to the end of the pool's common queue. A loop whose reads all complete at once would otherwise keep
/// its thread, and on a small machine there are only a few; <c>Task.Yield</c> goes to the thread's own queue, which
/// comes first. One loop has one of these and awaits it again and again: that allocates nothing.
/// </summary>
internal sealed class FairTurn : ICriticalNotifyCompletion, IThreadPoolWorkItem
{
    private Action? _goOn;

    public bool IsCompleted => false;

    public FairTurn GetAwaiter() => this;

    public void OnCompleted(Action continuation) => UnsafeOnCompleted(continuation);

    public void UnsafeOnCompleted(Action continuation)
    {
        _goOn = continuation;
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    public void Execute() => _goOn!();

    public void GetResult()
    {
    }
}
