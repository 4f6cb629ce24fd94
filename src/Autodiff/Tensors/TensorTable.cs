using System.Diagnostics.CodeAnalysis;
using Convoy.Shared.Errors;

namespace Convoy.Autodiff.Tensors;

/// <summary>
/// Tensors by name, in the order in which they were added: the inputs, outputs and intermediates of a run. A name is
/// given once; the table does not own what it holds.
/// </summary>
public sealed class TensorTable
{
    private readonly Dictionary<string, Tensor> _byName = new(StringComparer.Ordinal);
    private readonly List<string> _names = [];

    /// <summary>An empty table.</summary>
    public TensorTable() { }

    /// <summary>A table of these tensors, in their order.</summary>
    /// <exception cref="ShapeException">Two have one name.</exception>
    public TensorTable(params ReadOnlySpan<(string Name, Tensor Tensor)> entries)
    {
        foreach (var (name, tensor) in entries) Add(name, tensor);
    }

    /// <summary>In the order in which tensors were added.</summary>
    public IReadOnlyList<string> Names => _names;
    /// <summary>Tensors in the table.</summary>
    public int Count => _names.Count;

    /// <summary>The tensor of a name.</summary>
    /// <exception cref="ShapeException">There is none; the message lists names.</exception>
    public Tensor this[string name] => _byName.TryGetValue(name, out var tensor) ? tensor
        : throw new ShapeException($"no tensor is named {name}; there are {string.Join(", ", _names.Take(20))}");

    /// <summary>Adds a tensor under a name.</summary>
    /// <exception cref="ShapeException">Another one has the name.</exception>
    public void Add(string name, Tensor tensor)
    {
        if (!_byName.TryAdd(name, tensor)) throw new ShapeException($"two tensors are named {name}");
        _names.Add(name);
    }

    /// <summary>The tensor of a name, where there is one.</summary>
    public bool TryGet(string name, [NotNullWhen(true)] out Tensor? tensor) => _byName.TryGetValue(name, out tensor);
}

/// <summary>
/// What a bundle of tensors has to be: names, element types and shapes. Sizes that have a letter are equal wherever the
/// letter stands, in all tensors of the bundle.
/// </summary>
public sealed class BundleType(params IReadOnlyList<(string Name, ElementRule Elements, ShapeContract Shape)> entries)
{
    /// <summary>Name, element types and shape of each tensor.</summary>
    public IReadOnlyList<(string Name, ElementRule Elements, ShapeContract Shape)> Entries => entries;

    /// <summary>Everything that is missing, unknown, of another type or of another shape.</summary>
    public DiagnosticList Check(TensorTable table, bool mayHaveMore = false)
    {
        var found = new DiagnosticList();
        var sizes = new SortedDictionary<string, int>(StringComparer.Ordinal);
        foreach (var (name, elements, shape) in entries)
        {
            if (!table.TryGet(name, out var tensor))
            {
                found.Add(new Diagnostic(Severity.Error, ErrorCode.UserInput, name, "is missing",
                    $"add a tensor of {shape}"));
                continue;
            }

            if (!elements.Takes(tensor.DType)) found.Add(Diagnostic.Type(name, $"{tensor.DType}", $"{elements}"));
            if (shape.Check(name, tensor.Shape, sizes) is { } fault) found.Add(fault);
        }

        foreach (var name in table.Names)
        {
            if (!mayHaveMore && entries.All(e => e.Name != name))
                found.Add(new Diagnostic(Severity.Error, ErrorCode.UserInput, name, "is not asked for",
                    "leave it out"));
        }

        return found;
    }
}
