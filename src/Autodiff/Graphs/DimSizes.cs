using System.Globalization;
using Convoy.Autodiff.Ops;
using Convoy.Autodiff.Tensors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Graphs;

/// <summary>
/// Numbers in the place of the names of a graph's sizes. A name gets its number from an input that has a dimension of
/// it alone (or of a multiple): there is one for each name but the batch (GV-8).
/// </summary>
internal sealed class DimSizes
{
    private readonly SortedDictionary<string, int> _sizes = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> _from = new(StringComparer.Ordinal); // the input that said so

    private DimSizes() { }

    /// <summary>Of names, as a user gives them.</summary>
    public static DimSizes Of(Graph graph, IReadOnlyDictionary<string, int> sizes)
    {
        var (given, known) = (new DimSizes(), graph.Symbols);
        foreach (var (name, size) in sizes)
        {
            if (!known.Contains(name))
                throw new ShapeException($"the graph has no size {name}: "
                    + (known.Count == 0 ? "all are numbers" : $"there are {string.Join(", ", known)}"));
            if (size < 0) throw new ShapeException($"size {name} is {size}: it is 0 or more");
            given._sizes.Add(name, size);
        }

        return given;
    }

    /// <summary>Of what is given for the inputs; each is checked against its type afterwards.</summary>
    public static DimSizes Of(Graph graph, Func<GraphNode, Shape> shapes)
    {
        var found = new DimSizes();
        foreach (var input in graph.Inputs) found.Take(input.Name, input.Type, shapes(input));
        foreach (var input in graph.Inputs) found.Require(input, shapes(input));
        return found;
    }

    /// <summary>Numbers by name, in the order of the names.</summary>
    public IReadOnlyDictionary<string, int> All => _sizes;

    /// <summary>Refuses a shape that the leaf does not have at these sizes.</summary>
    public void Require(GraphNode leaf, Shape shape)
    {
        if (FitsShape(leaf.Type, shape)) return;
        throw new GraphException($"{leaf.Op.Name} {leaf.Name} is {leaf.Type}, not {leaf.Type.With(shape)}{Known(leaf.Type)}");
    }

    /// <summary>What is known of the names of a type, for an error.</summary>
    public string Known(TensorType type)
    {
        var known = type.Dims.SelectMany(d => d.Formula.Names).Distinct(StringComparer.Ordinal)
            .Where(_sizes.ContainsKey).Select(n => n == Dim.BatchName
                ? string.Create(CultureInfo.InvariantCulture, $"in a batch of {_sizes[n]}")
                : string.Create(CultureInfo.InvariantCulture, $"where {n} is {_sizes[n]} by {_from[n]}"));
        return string.Concat(known.Select(k => $", {k}"));
    }

    /// <summary>A number where all its names have one. The batch of a graph whose inputs have none is empty.</summary>
    public Dim At(Dim dim) => dim.IsStatic ? dim
        : dim.Formula.With(name => _sizes.TryGetValue(name, out var size) ? size : null);

    /// <summary>Shapes in attributes at these sizes.</summary>
    public Attributes At(Attributes attributes)
    {
        foreach (var (name, value) in attributes.Entries)
            if (value is System.Collections.Immutable.ImmutableArray<Dim> dims && dims.Any(d => d.IsSymbolic))
                attributes = attributes.With(name, dims.Select(At).ToArray());
        return attributes;
    }

    /// <summary>An empty batch where nothing says how long it is.</summary>
    public DimSizes WithBatch()
    {
        _sizes.TryAdd(Dim.BatchName, 0);
        return this;
    }

    private bool FitsShape(TensorType type, Shape shape)
    {
        if (type.Rank != shape.Rank) return false;
        for (var i = 0; i < type.Rank; i++)
            if (At(type[i]) != shape[i]) return false;
        return true;
    }

    private void Take(string input, TensorType type, Shape shape)
    {
        for (var i = 0; i < Math.Min(type.Rank, shape.Rank); i++)
        {
            if (type[i].Formula.Single is not var (factor, name) || _sizes.ContainsKey(name)) continue;
            if (type.Rank != shape.Rank || shape[i] % factor != 0) continue;
            _sizes.Add(name, (int)(shape[i] / factor));
            _from.Add(name, $"input {input}");
        }
    }
}
