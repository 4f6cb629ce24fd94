namespace Convoy.Simulation.Tests.Random;

/// <summary>All choices of one run come from its seed (SplitMix64).</summary>
internal sealed class SeededChoice(ulong seed)
{
    private ulong _state = seed;

    public ulong Next()
    {
        var z = _state += 0x9E3779B97F4A7C15;
        z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9;
        z = (z ^ (z >> 27)) * 0x94D049BB133111EB;
        return z ^ (z >> 31);
    }

    public int Below(int bound) => (int)(Next() % (ulong)bound);

    public bool OneIn(int n) => Below(n) == 0;

    public TimeSpan Between(int fromMs, int toMs) => TimeSpan.FromMilliseconds(fromMs + Below(toMs - fromMs + 1));

    public T Of<T>(IReadOnlyList<T> items) => items[Below(items.Count)];
}
