namespace Convoy.Autodiff.Tape;

/// <summary>
/// How the tape keeps what gradients read. By default it shares every tensor, at no cost, and refuses a backward call
/// after one was written in place. In an owning scope it copies small tensors instead, so they may be written at once;
/// large ones are shared all the same, because a copy of them costs more than it is worth. Belongs to this thread.
/// </summary>
public static class SavedValues
{
    /// <summary>Elements below which an owning scope copies.</summary>
    public const int OwnedBelow = 10_000;

    [ThreadStatic] private static int _ownedBelow;

    /// <summary>Copies saved tensors of fewer elements until the scope is disposed.</summary>
    public static IDisposable Own(int elementsBelow = OwnedBelow) => new Scope(elementsBelow);

    /// <summary>Shares all of them until the scope is disposed, inside an owning scope too.</summary>
    public static IDisposable Share() => new Scope(0);

    /// <summary>The value as the tape keeps it: itself, or a copy with the same identity.</summary>
    internal static Ops.Value Kept(Ops.Value value)
    {
        var variable = (Variable)value;
        return variable.Data.Count < _ownedBelow ? variable.OwnedCopy() : variable;
    }

    internal static bool AreOwned => _ownedBelow > 0;

    private sealed class Scope : IDisposable
    {
        private readonly int _before = _ownedBelow;

        public Scope(int elementsBelow) => _ownedBelow = elementsBelow;

        public void Dispose() => _ownedBelow = _before;
    }
}
