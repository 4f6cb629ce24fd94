namespace Convoy.Autodiff.Tape;

/// <summary>
/// Whether layers that behave otherwise while training (dropout) do so, per thread. Graphs are captured under it: one
/// that is captured in evaluation has no dropout.
/// </summary>
public static class TrainingMode
{
    [ThreadStatic] private static Scope? _top;

    /// <summary>True unless this thread is inside a scope of <see cref="Evaluate"/>.</summary>
    public static bool IsOn => _top is null || ThreadScope.Innermost(ref _top) is not { Trains: false };

    /// <summary>Layers behave as in use until the scope is disposed.</summary>
    public static IDisposable Evaluate() => As(trains: false);

    /// <summary>As they behaved when something ran that is run again.</summary>
    internal static IDisposable As(bool trains) => _top = new Scope(ThreadScope.Innermost(ref _top), trains);

    private sealed class Scope(Scope? outer, bool trains) : ThreadScope(outer)
    {
        public bool Trains { get; } = trains;
    }
}
