using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Tape;

/// <summary>
/// A scope of this thread: variables by name, a table for their gradients, and the tape of what is computed inside.
/// Recording is started and stopped by hand; when the scope is disposed, histories and gradients are given back at
/// once, whatever still refers to their variables. Environments nest; the innermost counts.
/// </summary>
public sealed class VariableEnvironment : IDisposable
{
    [ThreadStatic] private static Scope? _top;
    private readonly Scope _scope;
    private readonly Dictionary<string, Variable> _byName = new(StringComparer.Ordinal);
    private readonly List<WeakReference<TapeEntry>> _tape = [];
    private IDisposable? _stopped;
    private bool _ended;
    private int _pruneAt = 1_024;

    /// <summary>Begins a scope inside the current one of this thread; it records from now on.</summary>
    public VariableEnvironment() => _top = _scope = new Scope(ThreadScope.Innermost(ref _top), this);

    /// <summary>The innermost environment of this thread, or null.</summary>
    public static VariableEnvironment? Current =>
        _top is null ? null : ThreadScope.Innermost(ref _top)?.Environment;

    /// <summary>The gradients that backward calls inside this scope leave.</summary>
    public GradientTable Gradients { get; } = new();

    /// <summary>Operations that are recorded and not released.</summary>
    public int Recorded => _tape.Count(r => r.TryGetTarget(out var entry) && !entry.IsReleased);

    /// <summary>False between <see cref="Stop"/> and <see cref="Start"/>.</summary>
    public bool IsRecording => _stopped is null;

    /// <summary>The variable of this name; made when it is asked for first.</summary>
    public Variable Variable(string name, Func<Tensor> first)
    {
        if (_byName.TryGetValue(name, out var known)) return known;
        return _byName[name] = new Variable(first(), requiresGradient: true);
    }

    /// <summary>Records from here on, as an environment does from its start.</summary>
    public void Start()
    {
        _stopped?.Dispose();
        _stopped = null;
    }

    /// <summary>Records nothing on this thread until <see cref="Start"/>.</summary>
    public void Stop() => _stopped ??= GradientMode.Off();

    /// <summary>Gives back the history of everything recorded here, and all gradients; variables stay.</summary>
    public void Clear()
    {
        foreach (var reference in _tape)
            if (reference.TryGetTarget(out var entry)) entry.Release();
        _tape.Clear();
        Gradients.Clear();
    }

    /// <summary>Ends the scope: histories and gradients are given back, names forgotten, and the outer scope counts
    /// again.</summary>
    public void Dispose()
    {
        if (_ended) return;
        _ended = true;
        Start();
        Clear();
        _byName.Clear();
        _scope.Dispose();
    }

    internal static IGradientStore Store => Current is { } environment ? environment.Gradients : OwnGradients.Instance;

    // Weak: what nobody can differentiate any more is not kept alive by being on a list.
    internal static void Note(TapeEntry entry) => Current?.Add(entry);

    private void Add(TapeEntry entry)
    {
        if (_tape.Count >= _pruneAt)
        {
            _tape.RemoveAll(r => !r.TryGetTarget(out var old) || old.IsReleased);
            _pruneAt = Math.Max(1_024, _tape.Count * 2);
        }

        _tape.Add(new WeakReference<TapeEntry>(entry));
    }

    private sealed class Scope(Scope? outer, VariableEnvironment environment) : ThreadScope(outer)
    {
        public VariableEnvironment Environment { get; } = environment;
    }
}

/// <summary>The gradients of this thread: those of the innermost environment, else those that variables hold.</summary>
public static class CurrentGradients
{
    /// <summary>The gradient of a variable, of its shape; null where there is none.</summary>
    public static Tensor? Of(Variable variable) => VariableEnvironment.Store.Of(variable);

    /// <summary>Stores a gradient in place of the one before.</summary>
    /// <exception cref="ShapeException">Shape or element type are not the variable's.</exception>
    public static void Put(Variable variable, Tensor gradient)
    {
        if (!gradient.Type.Equals(variable.Type))
            throw new ShapeException($"a gradient of {gradient.Type} does not belong to a variable of {variable.Type}");
        VariableEnvironment.Store.Put(variable, gradient);
    }

    /// <summary>Forgets the gradients of these variables.</summary>
    public static void Clear(params ReadOnlySpan<Variable> variables)
    {
        foreach (var variable in variables) VariableEnvironment.Store.Clear(variable);
    }
}
