namespace Convoy.Kernels;

/// <summary>
/// Where one thread waits for its turns, each of which it takes once. It spins for a while, because the next turn is
/// often near, and then sleeps.
/// TG-1  The number of turns decides, never the bell: who gives a turn rings after it has counted it, may be held up
///       between the two, and then rings for a turn that was taken long ago. A sleeper that hears a bell looks again.
/// TG-2  A sleeper says that it sleeps before it looks a last time, who gives a turn counts it before it looks whether
///       somebody sleeps, both with a full fence between: one of the two sees the other.
/// </summary>
internal sealed class TurnGate(int spinRounds)
{
    private const int SpinsOfRound = 30;

    private readonly SemaphoreSlim _bell = new(0);
    // Gates are made one behind the other and would share lines.
    private PaddedInt _given;
    private PaddedInt _asleep;

    public bool IsAsleep => Volatile.Read(ref _asleep.Value) != 0;

    public void Give()
    {
        Count();
        Ring();
    }

    /// <summary>The first half of <see cref="Give"/>.</summary>
    internal void Count() => Interlocked.Increment(ref _given.Value);

    /// <summary>The second half of <see cref="Give"/>, any time later.</summary>
    internal void Ring()
    {
        if (Interlocked.Exchange(ref _asleep.Value, 0) != 0) _bell.Release();
    }

    /// <summary>Returns when there is a turn after the <paramref name="taken"/> that this thread took.</summary>
    public void Await(int taken)
    {
        for (var round = 0; round < spinRounds; round++)
        {
            if (Volatile.Read(ref _given.Value) != taken) return;
            Thread.SpinWait(SpinsOfRound);
        }

        while (true)
        {
            Interlocked.Exchange(ref _asleep.Value, 1); // TG-2
            if (Volatile.Read(ref _given.Value) != taken) break;
            _bell.Wait();
        }

        // A bell that rang meanwhile is heard at the next sleep, which looks again.
        Volatile.Write(ref _asleep.Value, 0);
    }
}
