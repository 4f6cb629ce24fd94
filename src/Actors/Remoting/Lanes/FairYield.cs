using System.Runtime.CompilerServices;

namespace Convoy.Actors.Remoting.Lanes;

/// <summary>
/// Goes to the end of the pool's common queue. A loop whose reads all complete at once would otherwise keep its thread,
/// and on a small machine there are only a few; <c>Task.Yield</c> goes to the thread's own queue, which comes first.
/// </summary>
internal readonly struct FairYield : INotifyCompletion
{
    public static FairYield Now => default;

    public bool IsCompleted => false;

    public FairYield GetAwaiter() => this;

    public void OnCompleted(Action continuation) =>
        ThreadPool.UnsafeQueueUserWorkItem(static c => c(), continuation, preferLocal: false);

    public void GetResult()
    {
    }
}
