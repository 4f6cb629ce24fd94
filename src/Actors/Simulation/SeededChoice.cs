namespace Convoy.Actors.Simulation;

/// <summary>
/// Choices that follow from a seed: the same seed and the same questions give the same answers (splitmix64).
/// </summary>
internal sealed class SeededChoice(ulong seed)
{
    private ulong _state = seed;

    public ulong Next()
    {
        _state += 0x9E3779B97F4A7C15;
        var z = _state;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    /// <summary>0 to <paramref name="count"/> - 1.</summary>
    public int Below(int count) => (int)(((Next() >> 32) * (ulong)count) >> 32);

    /// <summary>Both ends are possible.</summary>
    public long Between(long from, long to) => from + (long)(Next() % (ulong)(to - from + 1));

    public TimeSpan Between(TimeSpan from, TimeSpan to) =>
        TimeSpan.FromMicroseconds(Between((long)from.TotalMicroseconds, (long)to.TotalMicroseconds));

    public bool Chance(int percent) => Below(100) < percent;

    public T Of<T>(IReadOnlyList<T> list) => list[Below(list.Count)];

    /// <summary>A stream of its own: what is drawn from it does not move this one.</summary>
    public SeededChoice Branch(ulong name) => new(_state ^ (name * 0xD6E8FEB86659FD93));
}
