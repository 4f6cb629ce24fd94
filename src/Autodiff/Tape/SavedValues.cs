namespace Convoy.Autodiff.Tape;

/// <summary>
/// How the tape keeps what gradients read. By default it shares every tensor, at no cost, and refuses a backward call
/// that reads one that was written in place. In an owning scope it copies small tensors instead, so they may be written
/// at once; large ones are shared all the same, because a copy of them costs more than it is worth. In a copy-on-write
/// scope it shares all of them, and who writes into one first pays for the copy: any may be written, and only those are
/// copied.
/// Belongs to this thread.
/// </summary>
public static class SavedValues
{
    /// <summary>Elements below which an owning scope copies.</summary>
    public const int OwnedBelow = 10_000;

    [ThreadStatic] private static Scope? _top;

    /// <summary>Copies saved tensors of fewer elements until the scope is disposed.</summary>
    public static IDisposable Own(int elementsBelow = OwnedBelow) => Open(elementsBelow, copyOnWrite: false);

    /// <summary>
    /// What is recorded until the scope is disposed stays as it is; the memory of a saved tensor is copied when it is
    /// written while a history that reads it is still there. A span that was taken before is not watched.
    /// </summary>
    public static IDisposable CopyOnWrite() => Open(0, copyOnWrite: true);

    /// <summary>Shares all of them until the scope is disposed, inside other scopes too.</summary>
    public static IDisposable Share() => Open(0, copyOnWrite: false);

    /// <summary>The value as the tape keeps it: itself, or a copy with the same identity.</summary>
    internal static Ops.Value Kept(Ops.Value value)
    {
        var variable = (Variable)value;
        return Current is not { } scope ? variable
            : scope.CopyOnWrite ? variable.Snapshot()
            : variable.Data.Count < scope.OwnedBelow ? variable.OwnedCopy() : variable;
    }

    internal static bool AreOwned => _top is not null && Current is { } scope
        && (scope.CopyOnWrite || scope.OwnedBelow > 0);

    private static Scope? Current => ThreadScope.Innermost(ref _top);

    private static Scope Open(int elementsBelow, bool copyOnWrite) =>
        _top = new Scope(Current, elementsBelow, copyOnWrite);

    private sealed class Scope(Scope? outer, int elementsBelow, bool copyOnWrite) : ThreadScope(outer)
    {
        public int OwnedBelow { get; } = elementsBelow;

        public bool CopyOnWrite { get; } = copyOnWrite;
    }
}
