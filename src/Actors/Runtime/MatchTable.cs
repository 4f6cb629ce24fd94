namespace Convoy.Actors.Runtime;

/// <summary>
/// Handlers in declaration order. The handlers that fit a concrete message type are looked up once and remembered, so a
/// message costs one comparison when it has the type of the one before, one dictionary look-up otherwise.
/// </summary>
internal sealed class MatchTable
{
    private readonly List<(Type Type, Func<object, bool> Handler, bool TakesAll)> _entries = [];
    private readonly Dictionary<Type, Func<object, bool>[]> _chains = [];
    private Type? _lastType;
    private Func<object, bool>[] _lastChain = [];

    /// <param name="type">Messages of this type and of those derived from it.</param>
    /// <param name="handler">True: it took the message.</param>
    /// <param name="takesAll">The handler never returns false.</param>
    /// <exception cref="InvalidOperationException">A handler before it takes all that this one waits for.</exception>
    public void Add(Type type, Func<object, bool> handler, bool takesAll)
    {
        var before = _entries.Find(e => e.TakesAll && e.Type.IsAssignableFrom(type));
        if (before.Handler is not null)
            throw new InvalidOperationException(
                $"the handler of {type.Name} is never reached: that of {before.Type.Name}, declared before it, takes all");
        _entries.Add((type, handler, takesAll));
        _chains.Clear();
        _lastType = null;
    }

    public bool Handle(object message)
    {
        var type = message.GetType();
        if (type != _lastType)
        {
            _lastChain = ChainOf(type);
            _lastType = type;
        }

        // A handler may Become and so reconfigure: the chain of this message stays what it was.
        foreach (var handler in _lastChain)
            if (handler(message)) return true;
        return false;
    }

    private Func<object, bool>[] ChainOf(Type type)
    {
        if (_chains.TryGetValue(type, out var chain)) return chain;
        var fitting = new List<Func<object, bool>>();
        foreach (var (handled, handler, _) in _entries)
            if (handled == type || handled.IsAssignableFrom(type)) fitting.Add(handler);
        chain = [.. fitting];
        _chains.Add(type, chain);
        return chain;
    }
}
