namespace Convoy.Autodiff;

/// <summary>The end of a scope: what it does happens once, however often it is disposed.</summary>
internal sealed class ScopeEnd(Action end) : IDisposable
{
    private bool _ended;

    public void Dispose()
    {
        if (_ended) return;
        _ended = true;
        end();
    }
}
