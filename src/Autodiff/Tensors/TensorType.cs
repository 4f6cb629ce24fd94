using System.Collections.Immutable;
using Convoy.Shared;
using Convoy.Shared.Errors;
using Convoy.Shared.Tensors;

namespace Convoy.Autodiff.Tensors;

/// <summary>
/// Element type and (maybe symbolic) shape of a value. Checked when it is made, so a type is always legal.
/// </summary>
public sealed class TensorType : IEquatable<TensorType>
{
    /// <summary>A type of these dimensions.</summary>
    /// <exception cref="ShapeException">There are too many, one is negative, or two follow the batch.</exception>
    public TensorType(DType dtype, params ReadOnlySpan<Dim> dims)
    {
        if (dims.Length > Limits.TensorRankMax)
            throw new ShapeException($"a tensor has at most {Limits.TensorRankMax} dimensions, not {dims.Length}");
        BatchAxis = -1;
        for (var i = 0; i < dims.Length; i++)
        {
            if (!dims[i].HasNames && dims[i].Size < 0)
                throw new ShapeException($"dimension {i} is negative: {dims[i].Size}");
            HasNames |= dims[i].HasNames;
            if (!dims[i].PerSample) continue;
            if (BatchAxis >= 0) throw new ShapeException("only one dimension may follow the batch");
            BatchAxis = i;
        }

        DType = dtype;
        Dims = [.. dims];
    }

    /// <summary>A type of fixed shape.</summary>
    public TensorType(DType dtype, Shape shape) : this(dtype, DimsOf(shape)) { }

    /// <summary>The element type.</summary>
    public DType DType { get; }
    /// <summary>The dimensions, outermost first.</summary>
    public ImmutableArray<Dim> Dims { get; }
    /// <summary>How many dimensions.</summary>
    public int Rank => Dims.Length;
    /// <summary>The dimension that follows the batch, or -1.</summary>
    public int BatchAxis { get; }
    /// <summary>One dimension follows the batch: the shape is symbolic.</summary>
    public bool IsPerSample => BatchAxis >= 0;
    /// <summary>Every dimension is a number: the shape is known before anything runs.</summary>
    public bool IsStatic => !IsPerSample && !HasNames;
    /// <summary>A dimension is unknown until the graph is run, and has no name.</summary>
    public bool IsDynamic => Dims.Any(d => d.IsDynamic);

    /// <summary>A dimension has a name besides the batch: it has no number before the graph is run.</summary>
    internal bool HasNames { get; }

    /// <summary>The shape, when it is known before anything runs.</summary>
    public Shape? AsStatic() => IsStatic ? At(0) : null;

    /// <summary>
    /// What both are: a dynamic dimension is whatever the other is, all others are equal; null where they are not one
    /// element type, one rank, or one size.
    /// </summary>
    public static TensorType? Unify(TensorType a, TensorType b)
    {
        if (a.DType != b.DType || a.Rank != b.Rank) return null;
        var dims = new Dim[a.Rank];
        for (var i = 0; i < dims.Length; i++)
        {
            if (Dim.Unify(a.Dims[i], b.Dims[i]) is not { } one) return null;
            dims[i] = one;
        }

        return new TensorType(a.DType, dims);
    }

    /// <summary>A dimension; -1 is the last.</summary>
    /// <exception cref="ShapeException">There is no such dimension.</exception>
    public Dim this[int axis]
    {
        get
        {
            var at = axis < 0 ? axis + Rank : axis;
            return (uint)at < (uint)Rank ? Dims[at]
                : throw new ShapeException($"there is no dimension {axis} of {Text}");
        }
    }

    /// <summary>Elements without the batch: the product of all sizes.</summary>
    /// <exception cref="ShapeException">A dimension has a name besides the batch.</exception>
    public long Coefficient
    {
        get
        {
            long count = 1;
            foreach (var d in Dims) count = checked(count * d.Size);
            return count;
        }
    }

    /// <summary>Elements for a batch of so many samples.</summary>
    public long CountAt(int rows) => checked(Coefficient * (IsPerSample ? rows : 1));

    /// <summary>The shape for a batch of so many samples.</summary>
    public Shape At(int rows)
    {
        Span<int> dims = stackalloc int[Rank];
        for (var i = 0; i < Rank; i++) dims[i] = Dims[i].At(rows);
        return new Shape(dims);
    }

    /// <summary>The same element type with other dimensions.</summary>
    public TensorType With(params ReadOnlySpan<Dim> dims) => new(DType, dims);
    internal TensorType With(Shape shape) => new(DType, shape);
    /// <summary>The same dimensions with another element type.</summary>
    public TensorType With(DType dtype) => new(dtype, Dims.AsSpan());

    /// <summary>The same element type and the same dimensions, batch included.</summary>
    public bool Equals(TensorType? other) =>
        other is not null && DType == other.DType && Dims.AsSpan().SequenceEqual(other.Dims.AsSpan());

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as TensorType);

    /// <inheritdoc/>
    public override int GetHashCode()
    {
        var hash = (int)DType;
        foreach (var d in Dims) hash = unchecked((hash * 31) + d.GetHashCode());
        return hash;
    }

    /// <summary>As many elements as another, whatever the names stand for.</summary>
    internal bool HasElementsOf(TensorType other) => !HasNames && !other.HasNames
        ? Coefficient == other.Coefficient && IsPerSample == other.IsPerSample
        : DimFormula.Product(Dims.AsSpan()).Equals(DimFormula.Product(other.Dims.AsSpan()));

    /// <summary>The dimensions in brackets, N for the batch and other names as they are: [N, T, 3].</summary>
    public string Text => $"[{string.Join(", ", Dims)}]";
    /// <inheritdoc/>
    public override string ToString() => $"{DType.ToString().ToLowerInvariant()}{Text}";

    private static Dim[] DimsOf(Shape shape)
    {
        var dims = new Dim[shape.Rank];
        for (var i = 0; i < dims.Length; i++) dims[i] = shape[i];
        return dims;
    }
}
