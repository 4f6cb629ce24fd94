namespace Convoy.Autodiff.Tape;

/// <summary>
/// Whether layers that behave otherwise while training (dropout) do so, per thread. Graphs are captured under it: one
/// that is captured in evaluation has no dropout.
/// </summary>
public static class TrainingMode
{
    [ThreadStatic] private static ThreadScope? _evaluation;

    /// <summary>True unless this thread is inside a scope of <see cref="Evaluate"/>.</summary>
    public static bool IsOn => _evaluation is null || ThreadScope.Innermost(ref _evaluation) is null;

    /// <summary>Layers behave as in use until the scope is disposed.</summary>
    public static IDisposable Evaluate() => _evaluation = new ThreadScope(ThreadScope.Innermost(ref _evaluation));
}
