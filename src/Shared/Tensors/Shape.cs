using System.Collections.Immutable;
using Convoy.Shared.Errors;

namespace Convoy.Shared.Tensors;

/// <summary>Sizes of the dimensions of a tensor, row-major. Rank 0 is a scalar; zero sizes are legal.</summary>
public readonly struct Shape : IEquatable<Shape>
{
    private readonly ImmutableArray<int> _dims;

    /// <exception cref="ShapeException">There are too many dimensions, one is negative, or the elements are more than
    /// 64 bits count.</exception>
    public Shape(params ReadOnlySpan<int> dims)
    {
        if (dims.Length > Limits.TensorRankMax)
            throw new ShapeException($"a tensor has at most {Limits.TensorRankMax} dimensions, not {dims.Length}");
        var (count, isLarger, isEmpty) = (1UL, false, false);
        foreach (var d in dims)
        {
            if (d < 0) throw new ShapeException($"a dimension is not negative: {Text(dims)}");
            isEmpty |= d == 0;
            isLarger |= Math.BigMul(count, (ulong)d, out count) != 0 || count > long.MaxValue;
        }

        if (isLarger && !isEmpty)
            throw new ShapeException($"{Text(dims)} has more than {long.MaxValue} elements: no tensor is that large");
        _dims = [.. dims];
    }

    public static readonly Shape Scalar = new([]);

    public ReadOnlySpan<int> Dims => _dims.IsDefault ? [] : _dims.AsSpan();
    public int Rank => _dims.IsDefault ? 0 : _dims.Length;
    public int this[int axis] => _dims[axis < 0 ? axis + Rank : axis];

    /// <summary>Number of elements.</summary>
    public long Count
    {
        get
        {
            if (Dims.Contains(0)) return 0; // beside it the others may be too large to multiply
            long count = 1;
            foreach (var d in Dims) count *= d;
            return count;
        }
    }

    public bool Equals(Shape other) => Dims.SequenceEqual(other.Dims);
    public override bool Equals(object? obj) => obj is Shape other && Equals(other);

    public override int GetHashCode()
    {
        var hash = 17;
        foreach (var d in Dims) hash = unchecked((hash * 31) + d);
        return hash;
    }

    public static bool operator ==(Shape a, Shape b) => a.Equals(b);
    public static bool operator !=(Shape a, Shape b) => !a.Equals(b);
    public override string ToString() => Text(Dims);

    private static string Text(ReadOnlySpan<int> dims) => $"[{string.Join(", ", dims.ToArray())}]";
}
