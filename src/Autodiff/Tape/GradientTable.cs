using Convoy.Autodiff.Tensors;

namespace Convoy.Autodiff.Tape;

/// <summary>
/// Where backward calls leave gradients. Without an environment each variable holds its own; in one, its table does, so
/// that several contexts can differentiate with respect to the same variables without touching each other.
/// </summary>
public interface IGradientStore
{
    /// <summary>The gradient that is stored for a variable, of its shape and element type; null where there is
    /// none.</summary>
    Tensor? Of(Variable variable);

    /// <summary>Takes the place of what was stored before.</summary>
    void Put(Variable variable, Tensor gradient);

    /// <summary>Forgets the gradient of one variable; nothing happens where there is none.</summary>
    void Clear(Variable variable);
}

/// <summary>The store of variables outside every environment: a property of each.</summary>
internal sealed class OwnGradients : IGradientStore
{
    public static readonly OwnGradients Instance = new();

    private OwnGradients() { }

    public Tensor? Of(Variable variable) => variable.Gradient;

    public void Put(Variable variable, Tensor gradient) => variable.Gradient = gradient;

    public void Clear(Variable variable) => variable.ClearGradient();
}

/// <summary>
/// Gradients of one context by variable, in the order in which they first came, with three ways to give back what is
/// not needed any more: what nobody holds, what no root leads to, and what has not been written for some generations.
/// </summary>
public sealed class GradientTable : IGradientStore
{
    private readonly Dictionary<Variable, int> _places = [];
    private readonly List<Entry> _entries = [];
    private readonly Dictionary<Variable, int> _holders = [];
    private long _generation;

    /// <summary>Gradients that are stored.</summary>
    public int Count => _entries.Count;

    /// <summary>Of all gradients that are stored.</summary>
    public long Bytes => _entries.Sum(e => e.Gradient.Storage.Bytes);

    /// <inheritdoc/>
    public Tensor? Of(Variable variable) => _places.TryGetValue(variable, out var at) ? _entries[at].Gradient : null;

    /// <inheritdoc/>
    public void Put(Variable variable, Tensor gradient)
    {
        var entry = new Entry(variable, gradient, _generation);
        if (_places.TryGetValue(variable, out var at))
        {
            _entries[at] = entry;
            return;
        }

        _places[variable] = _entries.Count;
        _entries.Add(entry);
    }

    /// <inheritdoc/>
    public void Clear(Variable variable) => Keep(e => !ReferenceEquals(e.Variable, variable));

    /// <summary>Forgets all gradients.</summary>
    public void Clear() => Keep(_ => false);

    /// <summary>
    /// The gradient stays through <see cref="ReleaseUnheld"/> until as many scopes are disposed as were made.
    /// </summary>
    public IDisposable Hold(Variable variable)
    {
        _holders[variable] = _holders.GetValueOrDefault(variable) + 1;
        return new Holder(this, variable);
    }

    /// <summary>By reference count: gives back the gradients that nobody holds.</summary>
    /// <returns>Bytes given back.</returns>
    public long ReleaseUnheld() => Keep(e => _holders.ContainsKey(e.Variable));

    /// <summary>
    /// By mark and sweep: gives back the gradients of variables that none of the roots was computed from.
    /// </summary>
    /// <returns>Bytes given back.</returns>
    public long Sweep(IReadOnlyList<Variable> roots)
    {
        var marked = new HashSet<Variable>(History.Of(roots).Leaves());
        foreach (var root in roots) marked.Add(root);
        return Keep(e => marked.Contains(e.Variable));
    }

    /// <summary>Ends a generation: what is stored from now on is younger than what is there.</summary>
    public void NextGeneration() => _generation++;

    /// <summary>By age: gives back what has not been written in the last generations, this one counted.</summary>
    /// <returns>Bytes given back.</returns>
    public long ReleaseOlderThan(int generations) => Keep(e => _generation - e.Generation < generations);

    private long Keep(Predicate<Entry> keeps)
    {
        var before = Bytes;
        _entries.RemoveAll(e => !keeps(e));
        _places.Clear();
        for (var i = 0; i < _entries.Count; i++) _places[_entries[i].Variable] = i;
        return before - Bytes;
    }

    private readonly record struct Entry(Variable Variable, Tensor Gradient, long Generation);

    private sealed class Holder(GradientTable table, Variable variable) : IDisposable
    {
        private bool _ended;

        public void Dispose()
        {
            if (_ended) return;
            _ended = true;
            if (--table._holders[variable] == 0) table._holders.Remove(variable);
        }
    }
}
