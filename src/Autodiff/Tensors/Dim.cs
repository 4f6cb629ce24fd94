using System.Globalization;

namespace Convoy.Autodiff.Tensors;

/// <summary>
/// One dimension of a graph value (GIR-03). <i>Static</i>: a number. <i>Symbolic</i>: a name that gets its number when
/// the graph is run, such as the batch, <c>N</c>, or places of a text, <c>T</c>, and sums and products of names and
/// numbers, such as <c>2N</c>, <c>N*T</c> and <c>T+1</c>. <i>Dynamic</i>: unknown until the graph is run, and equal to
/// no other dimension as far as a graph knows. Equal dimensions are equal for every size; others may be equal by chance
/// only, and where a rule of an operator cannot be decided without the number, the operator is refused.
/// </summary>
public readonly record struct Dim
{
    internal const string BatchName = "N";
    internal const string DynamicMark = "?";

    /// <summary>The batch itself: one element per sample. The symbol <c>N</c>.</summary>
    public static readonly Dim Batch = new(1, true);

    /// <summary>A size that is unknown until the graph is run. As a dimension of an input it gets a number of its own
    /// (<c>?0</c>), so that no two are taken for equal.</summary>
    public static readonly Dim Dynamic = DimFormula.Of(DynamicMark);

    private readonly int _size;
    private readonly bool _perSample;
    private readonly DimFormula? _formula;

    /// <summary>A number, or so many elements for each sample of the batch.</summary>
    public Dim(int size, bool perSample = false) => (_size, _perSample) = (size, perSample);

    internal Dim(DimFormula formula) => _formula = formula;

    /// <summary>A size by its name, of ASCII letters; <c>N</c> is the batch.</summary>
    /// <exception cref="ShapeException">The name has other characters.</exception>
    public static Dim Symbol(string name) =>
        name.Length is > 0 and <= DimFormula.NameMax && name.All(char.IsAsciiLetter) ? DimFormula.Of(name)
            : throw new ShapeException(
                $"\"{name}\" names no dimension: a name has 1 to {DimFormula.NameMax} letters, A to Z and a to z");

    /// <summary>The number, or the elements for each sample.</summary>
    /// <exception cref="ShapeException">It has a name besides the batch, so there is no number yet.</exception>
    public int Size => _formula is null ? _size : throw new ShapeException(
        $"the rule needs the number of the dimension {this}, which is known when the graph is run: give it before "
        + "(Graph.WithSizes), or write it without");

    /// <summary>It follows the batch.</summary>
    public bool PerSample => _formula?.Names.Contains(BatchName) ?? _perSample;

    /// <summary>It is a number.</summary>
    public bool IsStatic => _formula is null && !_perSample;

    /// <summary>It has names, the batch or others.</summary>
    public bool IsSymbolic => !IsStatic;

    /// <summary>A part of it is unknown until the graph is run, and has no name.</summary>
    public bool IsDynamic => _formula?.Names.Any(n => n.StartsWith(DynamicMark, StringComparison.Ordinal)) ?? false;

    /// <summary>It has names besides the batch.</summary>
    internal bool HasNames => _formula is not null;

    internal DimFormula Formula => _formula ?? DimFormula.Of(_size, _perSample);

    /// <summary>The size for a batch of so many samples.</summary>
    /// <exception cref="ShapeException">It has a name besides the batch.</exception>
    public int At(int rows) => PerSample ? checked(Size * rows) : Size;

    /// <summary>
    /// What both are, or null when they cannot be one: equal dimensions are, and a dynamic one is whatever the other
    /// is.
    /// </summary>
    public static Dim? Unify(Dim a, Dim b) => a == b || b == Dynamic ? a : a == Dynamic ? b : null;

    /// <summary>A fixed size.</summary>
    public static implicit operator Dim(int size) => new(size);

    /// <summary>One after the other.</summary>
    /// <exception cref="ShapeException">The number is too large.</exception>
    public static Dim operator +(Dim a, Dim b) => a.IsStatic && b.IsStatic
        ? DimFormula.Whole((long)a._size + b._size) : (a.Formula + b.Formula).ToDim();

    /// <summary>Each with each: two dimensions as one.</summary>
    /// <exception cref="ShapeException">The number is too large.</exception>
    public static Dim operator *(Dim a, Dim b) => a.HasNames || b.HasNames || (a._perSample && b._perSample)
        ? (a.Formula * b.Formula).ToDim()
        : new Dim(DimFormula.Whole((long)a._size * b._size), a._perSample || b._perSample);

    /// <inheritdoc/>
    public override string ToString() => _formula?.ToString()
        ?? (!_perSample ? _size.ToString(CultureInfo.InvariantCulture)
            : _size == 1 ? BatchName
            : string.Create(CultureInfo.InvariantCulture, $"{_size}{BatchName}"));
}
