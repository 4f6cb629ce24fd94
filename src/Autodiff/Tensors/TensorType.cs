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
    public TensorType(DType dtype, params ReadOnlySpan<Dim> dims)
    {
        if (dims.Length > Limits.TensorRankMax)
            throw new ShapeException($"a tensor has at most {Limits.TensorRankMax} dimensions, not {dims.Length}");
        BatchAxis = -1;
        for (var i = 0; i < dims.Length; i++)
        {
            if (dims[i].Size < 0) throw new ShapeException($"dimension {i} is negative: {dims[i].Size}");
            if (!dims[i].PerSample) continue;
            if (BatchAxis >= 0) throw new ShapeException("only one dimension may follow the batch");
            BatchAxis = i;
        }

        DType = dtype;
        Dims = [.. dims];
    }

    public TensorType(DType dtype, Shape shape) : this(dtype, DimsOf(shape)) { }

    public DType DType { get; }
    public ImmutableArray<Dim> Dims { get; }
    public int Rank => Dims.Length;
    /// <summary>The dimension that follows the batch, or -1.</summary>
    public int BatchAxis { get; }
    public bool IsPerSample => BatchAxis >= 0;
    /// <summary>Every dimension is a number: the shape does not follow the batch.</summary>
    public bool IsStatic => !IsPerSample;

    /// <summary>The shape, when it is known without the batch.</summary>
    public Shape? AsStatic() => IsStatic ? At(0) : null;

    public Dim this[int axis] => Dims[axis < 0 ? axis + Rank : axis];

    /// <summary>Elements without the batch: the product of all sizes.</summary>
    public long Coefficient
    {
        get
        {
            long count = 1;
            foreach (var d in Dims) count = checked(count * d.Size);
            return count;
        }
    }

    public long CountAt(int rows) => checked(Coefficient * (IsPerSample ? rows : 1));

    public Shape At(int rows)
    {
        Span<int> dims = stackalloc int[Rank];
        for (var i = 0; i < Rank; i++) dims[i] = Dims[i].At(rows);
        return new Shape(dims);
    }

    public TensorType With(params ReadOnlySpan<Dim> dims) => new(DType, dims);
    public TensorType With(DType dtype) => new(dtype, Dims.AsSpan());

    public bool Equals(TensorType? other) =>
        other is not null && DType == other.DType && Dims.AsSpan().SequenceEqual(other.Dims.AsSpan());

    public override bool Equals(object? obj) => Equals(obj as TensorType);

    public override int GetHashCode()
    {
        var hash = (int)DType;
        foreach (var d in Dims) hash = unchecked((hash * 31) + (d.Size * 2) + (d.PerSample ? 1 : 0));
        return hash;
    }

    public string Text => $"[{string.Join(", ", Dims)}]";
    public override string ToString() => $"{DType.ToString().ToLowerInvariant()}{Text}";

    private static Dim[] DimsOf(Shape shape)
    {
        var dims = new Dim[shape.Rank];
        for (var i = 0; i < dims.Length; i++) dims[i] = shape[i];
        return dims;
    }
}

/// <summary>
/// Shapes, types or attributes that do not fit an operator. The message names the operator and the rule.
/// </summary>
public sealed class ShapeException(string message, ErrorCode code = ErrorCode.ShapeMismatch)
    : ConvoyException(code, message);
