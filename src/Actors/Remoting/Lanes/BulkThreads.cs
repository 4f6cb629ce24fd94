namespace Convoy.Actors.Remoting.Lanes;

/// <summary>
/// Lends bulk lanes a pair of threads, one to send and one to receive, as long as there are few lanes: a thread that
/// waits in the kernel wakes up in one step, where the pool takes three. Lanes beyond the limit share the pool.
/// </summary>
internal sealed class BulkThreads(int pairsMax)
{
    private int _taken;

    public bool TryTakePair(bool always)
    {
        if (Interlocked.Increment(ref _taken) <= pairsMax || always) return true;
        Interlocked.Decrement(ref _taken);
        return false;
    }

    public void ReturnPair() => Interlocked.Decrement(ref _taken);

    public static void Run(string name, ThreadStart loop) =>
        new Thread(loop) { IsBackground = true, Name = name }.Start();
}
