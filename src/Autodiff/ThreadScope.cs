namespace Convoy.Autodiff;

/// <summary>
/// One of the scopes that a thread is in. It belongs to the thread that opened it: scopes may end in any order, and on
/// another thread (after an await), and still leave that thread as it was, and no other one changed.
/// </summary>
internal class ThreadScope : IDisposable
{
    private ThreadScope? _outer;
    private volatile bool _ended;

    public ThreadScope(ThreadScope? outer)
    {
        _outer = outer;
        // What ended inside others is let go here, so that scopes that end hand over hand make no chain.
        for (var scope = this; scope is not null; scope = scope._outer)
            while (scope._outer is { _ended: true } gone) scope._outer = gone._outer;
    }

    /// <summary>The innermost one that goes on; what has ended is let go.</summary>
    /// <param name="top">The field of the thread that the scopes of one kind hang on.</param>
    public static T? Innermost<T>(ref T? top) where T : ThreadScope
    {
        while (top is { _ended: true }) top = (T?)top._outer;
        return top;
    }

    public void Dispose() => _ended = true;
}
