using Convoy.Actors.Runtime;

namespace Convoy.Actors;

/// <summary>
/// An actor with typed handlers, declared in its constructor or in a <see cref="Become"/> block; the first that fits
/// wins, and one that could never be reached is refused where it is declared.
/// </summary>
public abstract class ReceiveActor : ActorBase
{
    private readonly MatchTable _initial = new();
    private MatchTable? _configuring;

    protected ReceiveActor() => _configuring = _initial;

    protected sealed override bool Receive(object message) => _initial.Handle(message);

    protected void Receive<T>(Action<T> handler) =>
        Table.Add(typeof(T), m => { handler((T)m); return true; }, takesAll: true);

    protected void Receive<T>(Action<T> handler, Predicate<T> shouldHandle) => Table.Add(typeof(T), m =>
    {
        if (!shouldHandle((T)m)) return false;
        handler((T)m);
        return true;
    }, takesAll: false);

    protected void Receive<T>(Predicate<T> shouldHandle, Action<T> handler) => Receive(handler, shouldHandle);

    protected void Receive<T>(Func<T, bool> handler) =>
        Table.Add(typeof(T), m => handler((T)m), takesAll: false);

    protected void ReceiveAny(Action<object> handler) =>
        Table.Add(typeof(object), m => { handler(m); return true; }, takesAll: true);

    protected void Become(Action configure) => Context.Become(Configure(configure).Handle);

    protected void BecomeStacked(Action configure) => Context.BecomeStacked(Configure(configure).Handle);

    protected void UnbecomeStacked() => Context.UnbecomeStacked();

    private MatchTable Table => _configuring
        ?? throw new InvalidOperationException("handlers are declared in the constructor or in a Become block");

    internal void CloseConfiguration() => _configuring = null;

    private MatchTable Configure(Action configure)
    {
        var outer = _configuring;
        var table = new MatchTable();
        _configuring = table;
        try
        {
            configure();
        }
        finally
        {
            _configuring = outer;
        }

        return table;
    }
}
